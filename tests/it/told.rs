//! Runs a program under the real layer and the real gate, and reads what its events say.

use spanwright::hub::{Filter, From};
use spanwright::{AgentLayer, Recorder, StepId, StreamEvent};
use std::time::Duration;
use tracing_subscriber::prelude::*;

/// The events of a program, in order. No more of them than the hub keeps for its readers.
pub(crate) fn record(program: impl FnOnce()) -> Vec<StreamEvent> {
    let recorder = Recorder::builder().start().expect("start");
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    let subscriber = tracing_subscriber::registry().with(AgentLayer::new(recorder.clone()));
    tracing::subscriber::with_default(subscriber, program);
    recorder.settle().wait(Duration::from_secs(60)).expect("settle");
    std::iter::from_fn(|| stream.try_next()).collect()
}

pub(crate) fn json(event: &StreamEvent) -> serde_json::Value {
    serde_json::from_str(&event.to_json()).expect("JSON")
}

/// The step in which a start says that it began.
pub(crate) fn parent(start: &StreamEvent) -> Option<StepId> {
    json(start)["parent_step_id"].as_str().map(|id| StepId::parse(id).expect("id"))
}

/// How an end says that something ended.
pub(crate) fn outcome(end: &StreamEvent) -> String {
    let json = json(end);
    json["outcome"].as_str().unwrap_or("ok").to_owned()
}
