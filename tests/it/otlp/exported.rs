//! What a destination got of some events: written into a file, read back as any reader of OTLP would.

use crate::scratch::Scratch;
use serde_json::Value;
use spanwright::{
    ExecutionId, Recorder, StreamEvent, Timestamp,
    log::MemoryLog,
    otlp::{Capture, Delivery, Destination, Signal},
};
use std::{collections::BTreeMap, fmt::Write, path::Path, time::Duration};

pub(super) const SOON: Duration = Duration::from_secs(60);

/// A span as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arrived {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    pub(super) parent: String,
    pub(super) name: String,
    /// In ms.
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) attributes: BTreeMap<String, Value>,
    pub(super) events: Vec<(String, BTreeMap<String, Value>)>,
    /// Span id and why.
    pub(super) links: Vec<(String, String)>,
    pub(super) is_error: bool,
}

/// A recorder whose record is in memory.
pub(super) fn recorder() -> Recorder {
    Recorder::builder().log(MemoryLog::new()).start().expect("recorder")
}

/// Records the events: each is a ms after the one before, unless it says its own time.
pub(super) fn record(recorder: &Recorder, first: usize, events: impl IntoIterator<Item = StreamEvent>) {
    let id = ExecutionId::from_trace_id(7);
    for (at, mut event) in events.into_iter().enumerate() {
        event.execution_id.get_or_insert_with(|| id.clone());
        event.time = event.time.or(Timestamp::from_unix_millis((first + at) as i64 + 1));
        recorder.emit(event);
    }
    recorder.flush().wait(SOON).expect("flushed");
}

/// What a destination with content gets of these events, in order.
pub(super) fn exported(events: impl IntoIterator<Item = StreamEvent>) -> Vec<Arrived> {
    let (folder, recorder) = (Scratch::new(), recorder());
    let file = folder.file("run.jsonl");
    record(&recorder, 0, events);
    deliver(&Destination::file(&file), &recorder);
    arrived(&file)
}

/// Starts, waits for everything that the log has, ends.
pub(super) fn deliver(destination: &Destination, recorder: &Recorder) {
    end(&with_all(destination).start(recorder.log().expect("a log").clone()).expect("started"));
}

/// The same where memory is asked before the log.
pub(super) fn deliver_with(destination: &Destination, recorder: &Recorder) {
    end(&with_all(destination).start_with(recorder).expect("started"));
}

fn with_all(destination: &Destination) -> Destination {
    destination.clone().capture(Capture::SpansAndEvents).from_beginning(true)
}

fn end(delivery: &Delivery) {
    delivery.flush().wait(SOON).expect("delivered");
    delivery.shutdown(SOON).expect("ended");
    let stats = delivery.stats(Signal::Traces);
    assert_eq!((stats.rejected, stats.dropped, stats.undecodable), (0, 0, 0), "{stats:?}");
}

pub(super) fn arrived(file: &Path) -> Vec<Arrived> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let requests = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a request of JSON"));
    requests
        .flat_map(|request| request["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().cloned().expect("spans"))
        .map(|span| Arrived::of(&span))
        .collect()
}

impl Arrived {
    fn of(span: &Value) -> Self {
        let text = |name: &str| span[name].as_str().unwrap_or_default().to_owned();
        let ms =
            |name: &str| span[name].as_str().and_then(|nanos| nanos.parse::<u64>().ok()).expect("time") / 1_000_000;
        let list = |name: &str| span[name].as_array().cloned().unwrap_or_default();
        let events = list("events")
            .iter()
            .map(|event| (event["name"].as_str().expect("name").to_owned(), attributes(&event["attributes"])))
            .collect();
        let links = list("links")
            .iter()
            .map(|link| {
                let why = attributes(&link["attributes"]).into_values().next().unwrap_or_default();
                (link["spanId"].as_str().expect("id").to_owned(), why.as_str().unwrap_or_default().to_owned())
            })
            .collect();
        Self {
            trace_id: text("traceId"),
            span_id: text("spanId"),
            parent: text("parentSpanId"),
            name: text("name"),
            start: ms("startTimeUnixNano"),
            end: ms("endTimeUnixNano"),
            attributes: attributes(&span["attributes"]),
            events,
            links,
            is_error: span["status"]["code"] == 2,
        }
    }
}

/// Each key once, or it is a fault.
fn attributes(list: &Value) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for pair in list.as_array().into_iter().flatten() {
        let value = pair["value"].as_object().and_then(|kind| kind.values().next()).cloned().unwrap_or_default();
        let key = pair["key"].as_str().expect("key").to_owned();
        assert!(all.insert(key.clone(), value).is_none(), "{key} twice");
    }
    all
}

/// The tree, a line for each span with its times in ms; what has a parent that did not arrive stands last, as `…`.
pub(super) fn outline(spans: &[Arrived]) -> String {
    let mut out = String::new();
    let has = |id: &str| spans.iter().any(|span| span.span_id == id);
    for root in spans.iter().filter(|span| span.parent.is_empty()) {
        branch(spans, root, 0, &mut out);
    }
    for orphan in spans.iter().filter(|span| !span.parent.is_empty() && !has(&span.parent)) {
        out.push_str("… ");
        branch(spans, orphan, 0, &mut out);
    }
    out
}

fn branch(spans: &[Arrived], span: &Arrived, depth: usize, out: &mut String) {
    let error = if span.is_error { " error" } else { "" };
    let links: String = span
        .links
        .iter()
        .map(|(id, why)| {
            let name = spans.iter().find(|other| other.span_id == *id).map_or("?", |other| &other.name);
            format!(" ←{why} {name}")
        })
        .collect();
    let _ = writeln!(out, "{:indent$}{} {}..{}{error}{links}", "", span.name, span.start, span.end, indent = 2 * depth);
    for child in spans.iter().filter(|child| child.parent == span.span_id) {
        branch(spans, child, depth + 1, out);
    }
}
