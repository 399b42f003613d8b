//! One trace wherever the work goes.

mod bad;
mod carried;
mod processes;
mod requests;
mod travels;

use spanwright::{
    AgentLayer, Recorder, StepId, StreamEvent,
    event::{Body, ExecutionStart},
    hub::{Filter, From},
};
use std::time::Duration;
use tracing_subscriber::prelude::*;

const LIMIT: Duration = Duration::from_secs(60);
const TRACE: u128 = 0x1234_5678_9012_3456_7890_1234_5678_9012;
const PARENT: &str = "00-12345678901234567890123456789012-1234567890123456-01";

/// A client of HTTP, which asks for a provider of cryptography even where there is none to do.
fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("client")
}

/// The events of a program.
fn record<R>(program: impl FnOnce() -> R) -> (R, Vec<StreamEvent>) {
    let recorder = Recorder::builder().start().expect("start");
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    let subscriber = tracing_subscriber::registry().with(AgentLayer::new(recorder.clone()));
    let result = tracing::subscriber::with_default(subscriber, program);
    recorder.settle().wait(LIMIT).expect("settle");
    (result, std::iter::from_fn(|| stream.try_next()).collect())
}

/// The steps that began, in alphabetical order: `name in name`.
fn steps(events: &[StreamEvent]) -> Vec<String> {
    let begun: Vec<_> = events.iter().filter_map(begin).collect();
    let name = |id: &StepId| {
        let found = begun.iter().find(|(step, ..)| step == id);
        found.map_or_else(|| id.to_string(), |(_, name, _)| name.clone())
    };
    let line = |(_, this, parent): &(StepId, String, Option<StepId>)| match parent {
        Some(parent) => format!("{this} in {}", name(parent)),
        None => this.clone(),
    };
    let mut lines: Vec<_> = begun.iter().map(line).collect();
    lines.sort();
    lines
}

/// Its step, its name and its parent, of an event that begins something.
fn begin(event: &StreamEvent) -> Option<(StepId, String, Option<StepId>)> {
    let (name, parent) = match &event.body {
        Body::ExecutionStart(start) => (start.name.clone()?, None),
        Body::AgentStart(start) => (start.name.clone(), start.parent_step_id.clone()),
        Body::StepStart(start) => (start.name.clone(), start.parent_step_id.clone()),
        Body::ToolInputAvailable(start) => (start.tool_name.clone(), start.parent_step_id.clone()),
        _ => return None,
    };
    Some((event.step_id.clone()?, name.to_string(), parent))
}

/// The starts of executions.
fn starts(events: &[StreamEvent]) -> Vec<(&StreamEvent, &ExecutionStart)> {
    let mut starts = Vec::new();
    for event in events {
        if let Body::ExecutionStart(start) = &event.body {
            starts.push((event, &**start));
        }
    }
    starts
}
