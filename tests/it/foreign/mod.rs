//! Spans of other crates, with no code of the user: replayed with the fields that each crate really records, and two
//! crates in a real run.

mod alike;
mod endpoint;
mod fields;
mod genai;
mod late;
mod replayed;
mod rig;
mod rules;
mod same;

use spanwright::{
    AgentLayer, Recorder, Rules, StreamEvent,
    hub::{Filter, From},
};
use std::time::Duration;
use tracing_subscriber::prelude::*;

/// What a layer with these rules tells of a program.
fn record_with(rules: Rules, program: impl FnOnce()) -> Vec<StreamEvent> {
    let recorder = Recorder::builder().start().expect("start");
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    let layer = AgentLayer::new(recorder.clone()).rules(rules);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), program);
    recorder.settle().wait(Duration::from_secs(60)).expect("settle");
    std::iter::from_fn(|| stream.try_next()).collect()
}

/// The same through the filter that `init` puts before the layer.
fn record_filtered(program: impl FnOnce()) -> Vec<StreamEvent> {
    let guard = spanwright::builder().without_log().without_terminal().start().expect("start");
    let mut stream = guard.recorder().subscribe(Filter::everything(), From::Live);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(guard.layer()), program);
    guard.recorder().settle().wait(Duration::from_secs(60)).expect("settle");
    std::iter::from_fn(|| stream.try_next()).collect()
}

/// Input and output tokens of all calls: the sums of what was told and is no sum itself, and the total that was told last.
fn usage(events: &[StreamEvent]) -> (u64, u64, u64) {
    let told = |event: &StreamEvent| {
        let json: serde_json::Value = serde_json::from_str(&event.to_json()).expect("JSON");
        (json["type"] == "data-token-usage").then_some(json)
    };
    events.iter().filter_map(told).fold((0, 0, 0), |(input, output, _), json| {
        let own = |name: &str| json[name].as_u64().filter(|_| json["aggregate"] != true).unwrap_or(0);
        let sum = json["cumulative_tokens"].as_u64().expect("sum");
        (input + own("prompt_tokens"), output + own("completion_tokens"), sum)
    })
}

fn count(events: &[StreamEvent], tag: &str) -> usize {
    events.iter().filter(|event| event.kind().tag() == tag).count()
}
