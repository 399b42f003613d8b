//! The dialects that front-end libraries read: AI SDK UI and AG-UI, by one script and any other events.

mod ag_ui;
mod ai_sdk_ui;
pub(super) mod any;
mod healed;
pub(super) mod script;

use serde_json::Value;
use spanwright::{
    ExecutionId, StreamEvent,
    event::{ExecutionEnd, ExecutionStart},
    wire::{Dialect, Run, Translator},
};

const EXECUTION: &str = "exec_000000000000000000000000000000aa";

fn execution() -> ExecutionId {
    EXECUTION.parse().expect("id")
}

/// What a dialect says of these events, and how much it had to set right.
pub(super) fn told(dialect: Dialect, events: &[StreamEvent]) -> (String, u64) {
    let mut translator = Translator::new(dialect, &Run::new(execution())).expect("tells runs as a whole");
    let mut out = String::new();
    events.iter().for_each(|event| translator.event(event, &mut out));
    translator.end(&mut out);
    assert!(translator.is_over());
    (out, translator.repairs())
}

/// The data of each frame. Nothing else may be in the stream: no ids, no names, no other line ends.
fn frames(told: &str) -> Vec<&str> {
    assert!(!told.contains('\r'), "{told:?}");
    let frames = told.strip_suffix("\n\n").expect("a blank line at the end").split("\n\n");
    frames.map(|frame| frame.strip_prefix("data: ").filter(|data| !data.contains('\n')).expect(frame)).collect()
}

fn values(frames: &[&str]) -> Vec<Value> {
    frames.iter().map(|frame| serde_json::from_str(frame).expect(frame)).collect()
}

/// Those of a type.
fn of<'a>(chunks: &'a [Value], kind: &str) -> Vec<&'a Value> {
    chunks.iter().filter(|chunk| chunk["type"] == kind).collect()
}

fn types(chunks: &[Value]) -> Vec<&str> {
    chunks.iter().map(|chunk| chunk["type"].as_str().expect("type")).collect()
}

fn run_of(events: impl IntoIterator<Item = StreamEvent>) -> Vec<StreamEvent> {
    let mut run = vec![StreamEvent::from(ExecutionStart::new())];
    run.extend(events);
    run.push(ExecutionEnd::new(7).into());
    run
}
