//! The gateway's messages, as types and as what is said of a run.

use super::{answer, told};
use crate::shared;
use expect_test::expect;
use spanwright::{
    event::{
        Body, ErrorCategory, ExecutionEnd, ExecutionError, ExecutionFailed, ExecutionStart, OperationProgress, Outcome,
        ProgressStatus, ToolInputAvailable, ToolOutputAvailable,
    },
    wire::{
        Dialect,
        gateway::{ServerMessage, SessionInfo, TaskInfo},
    },
};

#[test]
fn every_golden_message_is_read_and_written_back_to_the_byte() {
    let Some(text) = shared::read("fixtures/gateway-server-messages.jsonl") else { return };
    for line in text.lines() {
        let message: ServerMessage = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(serde_json::to_string(&message).expect("JSON"), line);
    }
}

#[test]
fn sessions_and_tasks_are_messages_too() {
    let mut task = TaskInfo::new(7, "walrus", "running");
    (task.parent_id, task.blocked_on) = (Some(3), Some("approval".into()));
    let both = [
        ServerMessage::Sessions { sessions: vec![SessionInfo::new(3, "walrus", 2, 61)] },
        ServerMessage::Tasks { tasks: vec![task] },
    ];
    let texts: Vec<_> = both.iter().map(|message| serde_json::to_string(message).expect("serializes")).collect();
    expect![[r#"
        {"type":"sessions","sessions":[{"id":3,"agent":"walrus","message_count":2,"alive_secs":61}]}
        {"type":"tasks","tasks":[{"id":7,"parent_id":3,"agent":"walrus","status":"running","prompt_tokens":0,"completion_tokens":0,"alive_secs":0,"blocked_on":"approval"}]}"#]].assert_eq(&texts.join("\n"));
    for (text, message) in texts.iter().zip(&both) {
        assert_eq!(&serde_json::from_str::<ServerMessage>(text).expect("reads"), message);
    }
}

#[test]
fn a_run_is_told_from_start_to_end() {
    expect![[r#"
        data: {"type":"stream","Start":{"agent":"concierge","session":6699}}

        data: {"type":"stream","Thinking":{"content":"Look it up."}}

        data: {"type":"stream","ToolStart":{"calls":[{"id":"call_1","name":"search","arguments":"{\"q\":\"rust\"}"}]}}

        data: {"type":"stream","ToolResult":{"call_id":"call_1","output":"3 hits"}}

        data: {"type":"stream","ToolsComplete":null}

        data: {"type":"stream","Chunk":{"content":"Rust is "}}

        data: {"type":"stream","Chunk":{"content":"a language."}}

        data: {"type":"stream","End":{"agent":"concierge"}}

    "#]]
    .assert_eq(&told(Dialect::Gateway, answer()));
}

#[test]
fn tools_that_run_beside_each_other_are_complete_when_the_last_has_answered() {
    let call = |id: &str| -> Body { ToolInputAvailable::new(id, "search", spanwright::Json::null()).into() };
    let answer = |id: &str| -> Body { ToolOutputAvailable::new(id, spanwright::Json::null()).into() };
    let stream = told(Dialect::Gateway, [ExecutionStart::new().into(), call("a"), call("b"), answer("b"), answer("a")]);
    let complete = stream.find("ToolsComplete").expect("complete");
    assert!(stream.rfind("ToolResult").expect("result") < complete);
    assert_eq!(stream.matches("ToolsComplete").count(), 1);
}

#[test]
fn the_end_is_always_the_last_also_after_an_error() {
    let error = ExecutionError::new(ErrorCategory::QuotaExceeded, "spent");
    let stream = told(Dialect::Gateway, [ExecutionStart::new().name("a").into(), ExecutionFailed::new(error).into()]);
    let last: Vec<_> = stream.lines().filter(|line| !line.is_empty()).rev().take(2).collect();
    assert_eq!(
        last,
        [r#"data: {"type":"stream","End":{"agent":"a"}}"#, r#"data: {"type":"error","code":429,"message":"spent"}"#]
    );
}

#[test]
fn downloads_and_installations_are_told_by_how_much_more_there_is() {
    let progress = |kind: &str, done, status| OperationProgress::new("m", kind, done, status);
    let stream = told(
        Dialect::Gateway,
        [
            ExecutionStart::new().into(),
            progress("download", 4, ProgressStatus::Running).total(10_u64).into(),
            progress("download", 10, ProgressStatus::Completed).total(10_u64).into(),
            progress("install", 0, ProgressStatus::Running).message("unpacking").into(),
            progress("install", 1, ProgressStatus::Completed).into(),
        ],
    );
    expect![[r#"
        data: {"type":"stream","Start":{"agent":"","session":6699}}

        data: {"type":"download","Start":{"model":"m"}}

        data: {"type":"download","FileStart":{"model":"m","filename":"m","size":10}}

        data: {"type":"download","Progress":{"model":"m","bytes":4}}

        data: {"type":"download","Progress":{"model":"m","bytes":6}}

        data: {"type":"download","FileEnd":{"model":"m","filename":"m"}}

        data: {"type":"download","End":{"model":"m"}}

        data: {"type":"hub","Start":{"package":"m"}}

        data: {"type":"hub","Step":{"message":"unpacking"}}

        data: {"type":"hub","End":{"package":"m"}}

        data: {"type":"error","code":500,"message":"the stream was interrupted"}

        data: {"type":"stream","End":{"agent":""}}

    "#]]
    .assert_eq(&stream);
}

#[test]
fn an_end_that_was_not_a_good_one_is_an_error_and_the_end() {
    let codes = [(Outcome::Cancelled, 499), (Outcome::TimedOut, 504), (Outcome::Panicked, 500)];
    for (outcome, code) in codes {
        let end = ExecutionEnd::new(1).outcome(outcome);
        let stream = told(Dialect::Gateway, [ExecutionStart::new().into(), end.into()]);
        assert!(stream.contains(&format!(r#"{{"type":"error","code":{code},"#)), "{stream}");
        assert!(stream.trim_end().lines().last().is_some_and(|last| last.contains("\"End\"")), "{stream}");
    }
}

#[test]
fn other_work_is_not_told_and_a_download_and_an_installation_of_one_name_are_two() {
    let progress = |kind: &str, status| -> Body { OperationProgress::new("m", kind, 1, status).into() };
    let stream = told(
        Dialect::Gateway,
        [
            ExecutionStart::new().into(),
            progress("indexing", ProgressStatus::Failed),
            progress("download", ProgressStatus::Running),
            progress("install", ProgressStatus::Running),
            ExecutionEnd::new(1).into(),
        ],
    );
    assert!(!stream.contains("error"), "{stream}");
    assert_eq!(stream.matches(r#""Start""#).count(), 3, "{stream}");
}
