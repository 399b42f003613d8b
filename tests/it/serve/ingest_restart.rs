//! A hub that dies and starts again, while the processes whose events it keeps go on.

use super::{
    SOON,
    ingest::{LINES, post_lines, steps},
    tags,
};
use crate::{
    http::{Frame, get, get_with, post},
    scratch::Scratch,
};
use spanwright::{
    Cursor, ExecutionId, Recorder,
    event::{ExecutionEnd, ExecutionStart},
    log::SqliteLog,
    serve::{Server, ServerHandle},
};
use std::path::Path;

/// A hub on this file. Dropped, it leaves of what is open what a crash leaves: no word.
fn hub(file: &Path) -> (Recorder, ServerHandle) {
    let recorder = Recorder::builder().log(SqliteLog::open(file).expect("log")).start().expect("start");
    recorder.flush().wait(SOON).expect("what was lost is told");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    (recorder, server)
}

fn stop((recorder, server): (Recorder, ServerHandle)) {
    server.shutdown().expect("shutdown");
    recorder.shutdown(SOON).expect("shutdown");
}

fn say(server: &ServerHandle, id: &ExecutionId, lines: &[&str]) {
    let reply = post(server.addr(), &format!("/executions/{id}/events"), &[LINES], lines.join("\n").as_bytes());
    let (status, answer) = (reply.status, reply.json());
    assert_eq!((status, &answer["accepted"]), (200, &lines.len().into()), "{answer}");
}

fn status(server: &ServerHandle, id: &ExecutionId) -> String {
    let answer = get(server.addr(), &format!("/executions/{id}")).json();
    answer["status"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn record(server: &ServerHandle, id: &ExecutionId) -> Vec<serde_json::Value> {
    let answer = get(server.addr(), &format!("/executions/{id}/events")).json();
    answer["events"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

/// The frames of the execution's stream up to one of this kind.
fn watched(server: &ServerHandle, id: &ExecutionId, after: Option<Cursor>, until: &str) -> Vec<Frame> {
    let after = after.map(|cursor| cursor.to_string());
    let header: Vec<_> = after.iter().map(|cursor| ("Last-Event-ID", cursor.as_str())).collect();
    let mut reply = get_with(server.addr(), &format!("/executions/{id}/stream?from=start"), &header);
    let mut frames = Vec::new();
    while frames.last().is_none_or(|last: &Frame| last.event() != until) {
        frames.push(reply.event().expect("more"));
    }
    frames
}

const START: &str = r#"{"type":"data-execution-start","name":"far"}"#;
const END: &str = r#"{"type":"data-execution-end","duration_ms":9}"#;
const STEP: &str = r#"{"type":"data-step-end","duration_ms":1}"#;

#[test]
fn an_execution_that_runs_elsewhere_goes_on_over_restarts_of_the_hub_and_ends_once() {
    let scratch = Scratch::new();
    let (file, far) = (scratch.file("log.db"), ExecutionId::new());
    let first = hub(&file);
    let near = first.0.emitter();
    near.emit(ExecutionStart::new());
    say(&first.1, &far, &[START, STEP]);
    let seen = watched(&first.1, &far, None, "data-step-end");
    let last = seen.last().and_then(Frame::id).expect("a cursor");
    stop(first);

    let second = hub(&file);
    assert_eq!(second.0.recovered(), [near.execution_id().clone()], "what ran in the hub is lost with it");
    assert_eq!((status(&second.1, &far), status(&second.1, near.execution_id())), ("running".into(), "lost".into()));
    say(&second.1, &far, &[STEP]);
    stop(second);

    let third = hub(&file);
    assert_eq!(third.0.recovered(), []);
    say(&third.1, &far, &[STEP, END]);
    assert_eq!(status(&third.1, &far), "completed");
    let rest = watched(&third.1, &far, Some(last), "data-execution-end");
    assert_eq!(tags(&rest), ["data-connected", "data-step-end", "data-step-end", "data-execution-end"]);
    let record = record(&third.1, &far);
    let numbers: Vec<_> = record.iter().filter_map(|event| event["sequence"].as_u64()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5], "{record:?}");
    stop(third);
    assert_eq!(status(&hub(&file).1, &far), "completed");
}

#[test]
fn an_execution_that_never_said_its_start_goes_on_too_and_so_does_one_of_a_tenant() {
    let scratch = Scratch::new();
    let (file, bare, owned) = (scratch.file("log.db"), ExecutionId::new(), ExecutionId::new());
    let first = hub(&file);
    assert_eq!(post_lines(&first.1, &steps(&bare, 0..600)).status, 200);
    let intake = first.0.on_behalf_of(Some("acme".into()));
    intake.emit(spanwright::StreamEvent::new(ExecutionStart::new()).of_execution(owned.clone()));
    intake.finish().wait(SOON).expect("kept");
    stop(first);
    let second = hub(&file);
    assert_eq!(second.0.recovered(), []);
    let intake = second.0.on_behalf_of(Some("acme".into()));
    intake.emit(spanwright::StreamEvent::new(ExecutionEnd::new(1)).of_execution(owned.clone()));
    assert_eq!(intake.finish().wait(SOON).expect("kept").accepted, 1);
    say(&second.1, &bare, &[END]);
    assert_eq!((status(&second.1, &bare), status(&second.1, &owned)), ("completed".into(), "completed".into()));
}

#[test]
fn what_began_in_the_hub_is_lost_with_it_also_where_others_added_to_it() {
    let scratch = Scratch::new();
    let file = scratch.file("log.db");
    let first = hub(&file);
    let near = first.0.emitter();
    near.emit(ExecutionStart::new());
    say(&first.1, near.execution_id(), &[STEP]);
    stop(first);
    assert_eq!(status(&hub(&file).1, near.execution_id()), "lost");
}

#[test]
fn a_file_of_before_is_taken_on_and_whoever_knows_that_a_sender_is_gone_says_it() {
    let scratch = Scratch::new();
    let (file, before, now) = (scratch.file("log.db"), ExecutionId::new(), ExecutionId::new());
    let first = hub(&file);
    say(&first.1, &before, &[START]);
    stop(first);
    rusqlite::Connection::open(&file).expect("file").execute("DROP TABLE elsewhere", ()).expect("as it was");
    let second = hub(&file);
    assert_eq!(second.0.recovered(), [before], "it is not known any more where that one ran");
    say(&second.1, &now, &[START]);
    stop(second);
    let third = hub(&file);
    assert_eq!(third.0.recovered(), []);
    say(&third.1, &now, &[r#"{"type":"data-execution-lost","reason":"its machine is gone"}"#]);
    assert_eq!(status(&third.1, &now), "lost");
}

#[test]
fn a_text_that_was_being_written_when_the_hub_died_does_not_pass_for_whole() {
    let scratch = Scratch::new();
    let (file, id) = (scratch.file("log.db"), ExecutionId::new());
    let begin = |text: &str| format!(r#"{{"type":"data-text-start","id":"{text}"}}"#);
    let piece = |text: &str, delta: &str| format!(r#"{{"type":"data-text-delta","id":"{text}","delta":"{delta}"}}"#);
    let end = |text: &str| format!(r#"{{"type":"data-text-end","id":"{text}"}}"#);
    let first = hub(&file);
    say(&first.1, &id, &[START, &begin("a"), &piece("a", "one ")]);
    stop(first);
    let second = hub(&file);
    say(&second.1, &id, &[&piece("a", "two"), &end("a"), &begin("b"), &piece("b", "three"), &end("b"), END]);
    let ends: Vec<_> = record(&second.1, &id).into_iter().filter(|event| event["event_type"] == "text_end").collect();
    let [a, b] = &ends[..] else { panic!("{ends:?}") };
    assert_eq!((&a["payload"]["truncated"], a["payload"]["final_text"] == "two"), (&true.into(), false), "{a}");
    assert_eq!(
        (&b["payload"]["final_text"], &b["payload"]["truncated"]),
        (&"three".into(), &serde_json::Value::Null),
        "{b}"
    );
}
