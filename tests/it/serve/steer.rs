//! Steering over HTTP: what is asked reaches the execution, and what cannot be asked is said in a sentence.

use super::{
    SOON,
    ingest::{JSON, post_lines, steps},
    served, until,
};
use crate::http::{Reply, get, post};
use spanwright::{
    EventEmitter, ExecutionId, Permission, Recorder, current,
    event::{ExecutionEnd, ExecutionStart},
    log::MemoryLog,
    serve::{Server, ServerHandle},
    span,
};
use std::{sync::mpsc, thread};

fn ask(server: &ServerHandle, emitter: &EventEmitter, what: &str, body: &str) -> Reply {
    post(server.addr(), &format!("/executions/{}/{what}", emitter.execution_id()), &[JSON], body.as_bytes())
}

fn running() -> (Recorder, ServerHandle, EventEmitter) {
    let (recorder, server, emitter) = served(100);
    emitter.emit(ExecutionStart::new().name("agent"));
    (recorder, server, emitter)
}

fn sentence(reply: Reply) -> (u16, String) {
    let status = reply.status;
    (status, reply.json()["error"].as_str().expect("error").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_is_paused_goes_on_and_is_cancelled_and_everybody_is_told() {
    let (recorder, server, emitter) = running();
    let handle = recorder.execution(emitter.execution_id());
    assert_eq!(ask(&server, &emitter, "pause", r#"{"reason":"lunch"}"#).status, 202);
    assert_eq!(ask(&server, &emitter, "pause", "").status, 202, "a second time nothing happens");
    let waits = tokio::spawn({
        let handle = handle.clone();
        async move { handle.checkpoint().await }
    });
    let reply = ask(&server, &emitter, "resume", "{}");
    assert_eq!((reply.status, &reply.json()["asked"]), (202, &"resume".into()));
    assert!(waits.await.expect("join").is_ok());
    assert_eq!(ask(&server, &emitter, "cancel", r#"{"reason":"enough"}"#).status, 202);
    assert_eq!(handle.checkpoint().await.expect_err("cancelled").reason(), "enough");
    for what in ["pause", "resume"] {
        let (status, error) = sentence(ask(&server, &emitter, what, ""));
        assert_eq!(status, 409, "{error}");
        assert!(error.contains("cancelled"), "{error}");
    }
    assert_eq!(ask(&server, &emitter, "cancel", "").status, 202);
    recorder.flush().wait(SOON).expect("flush");
    let events = get(server.addr(), &format!("/executions/{}/events", emitter.execution_id())).json();
    let types: Vec<_> = events["events"].as_array().expect("events").iter().map(|one| &one["event_type"]).collect();
    assert_eq!(types.len(), 4, "{types:?}");
    assert_eq!(events["events"][1]["payload"]["reason"], "lunch");
}

#[test]
fn what_cannot_be_steered_is_told_why() {
    let (_recorder, server, emitter) = running();
    for what in ["pause", "resume", "cancel", "permissions/p"] {
        let body = if what == "permissions/p" { r#"{"decision":"granted"}"# } else { "{}" };
        let at = |id: &str| post(server.addr(), &format!("/executions/{id}/{what}"), &[JSON], body.as_bytes());
        assert_eq!(sentence(at(&ExecutionId::new().to_string())).0, 404, "{what} of one that is not there");
        let elsewhere = ExecutionId::new();
        assert_eq!(post_lines(&server, &steps(&elsewhere, 0..1)).status, 200);
        let (status, error) = sentence(at(&elsewhere.to_string()));
        assert_eq!(status, 409, "{what}: {error}");
        assert!(error.contains("does not run in this process"), "{error}");
    }
    let nowhere = get(server.addr(), &format!("/executions/{}/permissions", ExecutionId::new()));
    assert_eq!(sentence(nowhere), (404, "no execution of this id is known here".to_owned()));
    let decided = ask(&server, &emitter, "permissions/unknown", r#"{"decision":"granted"}"#);
    let (status, error) = sentence(decided);
    assert!(status == 404 && error.contains("no such question"), "{error}");
    emitter.emit(ExecutionEnd::new(1_u64));
    super::settle(emitter.recorder());
    for what in ["pause", "resume", "cancel"] {
        assert_eq!(sentence(ask(&server, &emitter, what, "{}")), (410, "the execution has ended".to_owned()));
    }
}

#[test]
fn only_json_is_taken_which_no_foreign_form_can_send() {
    let (_recorder, server, emitter) = running();
    let path = format!("/executions/{}/cancel", emitter.execution_id());
    for headers in
        [&[][..], &[("Content-Type", "text/plain")], &[("Content-Type", "application/x-www-form-urlencoded")]]
    {
        let (status, error) = sentence(post(server.addr(), &path, headers, b"{}"));
        assert!(status == 415 && error.starts_with("Content-Type: application/json"), "{error}");
    }
    for (body, status) in [("{", 400), ("[1", 400), (r#"{"reason":7}"#, 400), (&"x".repeat(17 << 10), 413)] {
        assert_eq!(sentence(ask(&server, &emitter, "cancel", body)).0, status);
    }
    for body in ["", "{}", r#"{"decision":"maybe"}"#] {
        let (status, error) = sentence(ask(&server, &emitter, "permissions/p", body));
        assert!(status == 400 && error.contains("granted or denied"), "{error}");
    }
    assert!(emitter.recorder().execution(emitter.execution_id()).cancellation().expect("runs").cancelled().is_none());
}

/// What the tool would be called with holds a secret: it is shown as the record shows it.
#[test]
fn a_question_is_read_without_its_secrets_and_answered_once() {
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    let (asked, hears) = mpsc::channel();
    let agent = thread::spawn({
        let recorder = recorder.clone();
        move || ask_in_a_run(&recorder, asked)
    });
    let id: ExecutionId = hears.recv_timeout(SOON).expect("a run");
    let path = format!("/executions/{id}/permissions");
    // Asked before its run is recorded, there is no list yet.
    until(|| get(server.addr(), &path).json()["permissions"].as_array().is_some_and(|list| list.len() == 1));
    let text = get(server.addr(), &path).text();
    assert!(!text.contains("canary-42") && text.contains("[redacted") && text.contains("log_in"), "{text}");
    let listed: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let question = listed["permissions"][0]["permission_id"].as_str().expect("id");
    let answer = r#"{"decision":"denied","reason":"not today","decided_by":"ada"}"#;
    let answer = || post(server.addr(), &format!("{path}/{question}"), &[JSON], answer.as_bytes());
    assert_eq!(answer().status, 200);
    let permission = agent.join().expect("agent");
    assert!(!permission.is_granted());
    assert_eq!((permission.reason.as_deref(), permission.decided_by.as_deref()), (Some("not today"), Some("ada")));
    assert_eq!(answer().status, 410, "answered is answered, and the run has ended");
    assert_eq!(get(server.addr(), &path).json()["permissions"], serde_json::json!([]));
}

pub(super) fn ask_in_a_run(recorder: &Recorder, asked: mpsc::Sender<ExecutionId>) -> Permission {
    use tracing_subscriber::prelude::*;
    let subscriber = tracing_subscriber::registry().with(spanwright::AgentLayer::new(recorder.clone()));
    let work = || {
        let arguments = serde_json::json!({"user": "ada", "password": "canary-42"});
        let question = current().ask_permission("log_in", &arguments).timeout(SOON);
        asked.send(current().execution_id().cloned().expect("a run")).expect("send");
        question.wait()
    };
    tracing::subscriber::with_default(subscriber, || span::agent("clerk").in_scope_with(work, |_, _| ()))
}
