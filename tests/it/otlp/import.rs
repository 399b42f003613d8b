//! OTLP files read back: our own give the same trees, others' give trees of what they say.

use super::{LIMIT, full};
use crate::{runs, shared};
use proptest::prelude::*;
use serde_json::{Value, json};
use spanwright::{
    ExecutionId, Recorder, StreamEvent,
    event::{Body, Kind, OpenThings, Outcome, ToolFailure},
    log::{ExecutionsQuery, MemoryLog, Query, Scope},
    otlp::{self, Export, OpenInference},
    view::RunTree,
};
use std::collections::HashSet;

fn recorder() -> Recorder {
    Recorder::builder().log(MemoryLog::new()).content(full()).start().expect("start")
}

fn exported(recorder: &Recorder, openinference: OpenInference) -> Vec<u8> {
    recorder.flush().wait(LIMIT).expect("flush");
    let mut file = Vec::new();
    let log = recorder.log().expect("log").clone();
    Export::of(log)
        .content(true)
        .openinference(openinference)
        .max_value_bytes(1 << 20)
        .json(&mut file)
        .expect("export");
    file
}

fn imported(file: &[u8]) -> Recorder {
    let recorder = recorder();
    for events in otlp::read_json(file) {
        let events = events.expect("a trace");
        let count = events.len() as u64;
        let intake = recorder.on_behalf_of(None);
        assert_eq!(intake.emit_all(events).expect("taken in").accepted, count);
    }
    recorder
}

fn events(recorder: &Recorder, id: &ExecutionId) -> Vec<StreamEvent> {
    let page = recorder.log().expect("log").read(Query::new(Scope::Execution(id.clone()), 0, 100_000)).wait(LIMIT);
    page.expect("page").events.iter().map(|event| event.to_stream().expect("decodes")).collect()
}

fn ids(recorder: &Recorder) -> Vec<ExecutionId> {
    let rows = recorder.log().expect("log").executions(ExecutionsQuery::newest(1_000)).wait(LIMIT).expect("rows");
    let mut ids: Vec<_> = rows.into_iter().map(|row| row.execution_id).collect();
    ids.sort_by_key(ToString::to_string);
    ids
}

fn outline(events: &[StreamEvent]) -> String {
    let mut tree = RunTree::new();
    events.iter().for_each(|event| {
        tree.apply(event);
    });
    tree.outline()
}

#[test]
fn a_hundred_real_runs_exported_and_read_back_are_the_same_trees() {
    let Some(text) = shared::read("data/airline-runs.jsonl") else { return };
    let first = recorder();
    runs::read(&text).iter().for_each(|run| runs::emit(run, &first.emitter()));
    for openinference in [OpenInference::Small, OpenInference::Off] {
        let second = imported(&exported(&first, openinference));
        assert_eq!(ids(&first), ids(&second));
        for id in ids(&first) {
            assert_eq!(outline(&events(&first, &id)), outline(&events(&second, &id)));
        }
    }
}

/// A span as another instrumentation writes it. Times in ms.
fn span(id: u64, parent: u64, name: &str, times: (u64, u64), attributes: Value) -> Value {
    let pairs = |tree: &Value| -> Vec<Value> {
        let one = |(key, value): (&String, &Value)| json!({"key": key, "value": typed(value)});
        tree.as_object().expect("an object").iter().map(one).collect()
    };
    let mut span = json!({
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": format!("{id:016x}"), "name": name, "kind": 1,
        "startTimeUnixNano": nanos(times.0).to_string(), "endTimeUnixNano": nanos(times.1).to_string(),
        "attributes": pairs(&attributes),
    });
    if parent > 0 {
        span["parentSpanId"] = json!(format!("{parent:016x}"));
    }
    span
}

fn nanos(millis: u64) -> u64 {
    1_763_692_800_000_000_000 + millis * 1_000_000
}

fn typed(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({"stringValue": text}),
        Value::Bool(yes) => json!({"boolValue": yes}),
        Value::Number(number) if number.is_u64() => json!({"intValue": number.to_string()}),
        Value::Number(number) => json!({"doubleValue": number}),
        Value::Array(values) => json!({"arrayValue": {"values": values.iter().map(typed).collect::<Vec<_>>()}}),
        other => panic!("{other}"),
    }
}

fn request(spans: Vec<Value>) -> Value {
    json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "others"}, "spans": spans}]}]})
}

fn read(file: &str) -> Vec<StreamEvent> {
    let traces: Result<Vec<_>, _> = otlp::read_json(file.as_bytes()).collect();
    traces.expect("traces").into_iter().flatten().collect()
}

/// An agent of OpenInference's with a model call, a tool that failed and a span that nobody has a word for.
fn of_others() -> Vec<Value> {
    let mut tool = span(3, 4, "search", (30, 40), json!({"openinference.span.kind": "TOOL", "tool.name": "search"}));
    tool["status"] = json!({"code": 2, "message": "no such page"});
    tool["events"] = json!([{"timeUnixNano": nanos(40).to_string(), "name": "exception", "attributes": [
        {"key": "exception.type", "value": typed(&json!("NotFound"))},
        {"key": "exception.message", "value": typed(&json!("no such page"))},
    ]}]);
    let mut around = span(4, 1, "GET /search", (25, 45), json!({"http.request.method": "GET"}));
    around["events"] = json!([{"timeUnixNano": nanos(26).to_string(), "name": "cache.miss", "attributes": []}]);
    let llm = json!({
        "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.token_count.prompt": 100,
        "llm.token_count.completion": 20, "input.value": "why?", "output.value": "because",
    });
    let agent = json!({"openinference.span.kind": "AGENT", "agent.name": "research", "session.id": "s-1", "input.value": "why?"});
    // As they ended: children first.
    vec![span(2, 1, "ChatCompletion", (10, 20), llm), tool, around, span(1, 0, "research", (0, 50), agent)]
}

#[test]
fn spans_of_others_are_what_they_say_and_the_rest_are_steps() {
    let events = read(&request(of_others()).to_string());
    let id = ExecutionId::from_trace_id(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
    assert!(events.iter().all(|event| event.execution_id.as_ref() == Some(&id) && event.time.is_some()));
    assert_eq!(
        outline(&events),
        "✓ run research  \"why?\"\n├─ ✓ llm gpt-4o  100 → 20 tok\n└─ ✓ step GET /search\n   \
         ├─ ✓ note cache.miss\n   └─ ✗ tool search  error: no such page\n"
    );
    let kinds: Vec<Kind> = events.iter().map(StreamEvent::kind).collect();
    assert!(kinds.contains(&Kind::Note) && kinds.contains(&Kind::TokenUsage), "{kinds:?}");
    let failed = events.iter().find_map(|event| match &event.body {
        Body::ToolOutputError(failed) => Some((failed.outcome.clone(), failed.error_type.as_deref())),
        _ => None,
    });
    assert_eq!(failed, Some((ToolFailure::Error, Some("NotFound"))));
    let Body::ExecutionStart(start) = &events[0].body else { panic!("{:?}", events[0]) };
    assert_eq!(start.session_id.as_deref(), Some("s-1"));
    let times: Vec<_> = events.iter().map(|event| event.time).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn one_document_over_many_lines_and_requests_in_any_order_are_the_same_trace() {
    let spans = of_others();
    let whole = read(&request(spans.clone()).to_string());
    assert_eq!(read(&serde_json::to_string_pretty(&request(spans.clone())).expect("JSON")), whole);
    let lines: Vec<String> = spans.into_iter().rev().map(|span| request(vec![span]).to_string()).collect();
    assert_eq!(read(&lines.join("\n")), whole);
    // Delivered twice, it is there once.
    assert_eq!(read(&[&lines[..], &lines[..]].concat().join("\n")), whole);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_read() {
    let good = request(of_others()).to_string();
    let mut bad = span(9, 0, "bad", (0, 1), json!({}));
    bad["traceId"] = json!("xyz");
    let metrics = json!({"resourceMetrics": []}).to_string();
    let lines = [metrics, "{\"resourceSpans\":[{".into(), "{\"a\":1}".into(), request(vec![bad]).to_string(), good];
    let (read, errors): (Vec<_>, Vec<_>) = otlp::read_json(lines.join("\n").as_bytes()).partition(Result::is_ok);
    let errors: Vec<String> = errors.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
    let named: Vec<&str> = errors.iter().filter_map(|error| error.split(':').next()).collect();
    assert_eq!((read.len(), named), (1, vec!["line 2", "line 3", "line 4"]), "{errors:?}");
}

#[test]
fn a_first_line_that_a_crash_cut_off_costs_nothing_but_itself() {
    let good = request(of_others()).to_string();
    for torn in ["{", "{\"resourceSpans\":[{\"scopeSpans\":["] {
        let file = format!("{torn}\n\n{good}\n{{\"a\":1}}\n{good}\n");
        let mut read = otlp::read_json(file.as_bytes());
        let mut named = || read.next().expect("more").expect_err("bad").to_string();
        assert!(named().starts_with("line 1: "));
        assert!(named().starts_with("line 4: "));
        let traces: Vec<_> = read.map(|events| events.expect("a trace")).collect();
        assert_eq!(traces.len(), 1, "{torn}");
    }
    // Nothing comes after it.
    assert_eq!(otlp::read_json(&b"{\"resourceSpans\":["[..]).filter(Result::is_err).count(), 1);
}

#[test]
fn what_is_null_is_as_if_it_were_not_there() {
    let mut spans = of_others();
    let whole = read(&request(spans.clone()).to_string());
    spans[0]["events"] = Value::Null;
    spans[0]["status"] = json!({"code": null, "message": null});
    spans[3]["parentSpanId"] = Value::Null;
    assert_eq!(read(&request(spans).to_string()), whole);
}

#[test]
fn of_several_names_in_an_event_the_best_counts_wherever_it_stands() {
    let names = [("gen_ai.request.model", "gpt-4o"), ("embedding.model_name", "another")];
    for names in [names, [names[1], names[0]]] {
        let mut call = span(2, 0, "chat", (0, 9), json!({"gen_ai.operation.name": "chat"}));
        let pairs = names.map(|(key, value)| json!({"key": key, "value": typed(&json!(value))}));
        call["events"] = json!([{"name": "gen_ai.details", "attributes": pairs}]);
        let events = read(&request(vec![call]).to_string());
        let model = events.iter().find_map(|event| match &event.body {
            Body::LlmCallStart(start) => start.model.clone(),
            _ => None,
        });
        assert_eq!(model.as_deref(), Some("gpt-4o"), "{names:?}");
    }
}

/// Clocks of two machines: what is inside says that it began, and ended, before what is around it.
#[test]
fn what_is_around_begins_first_whatever_the_clocks_say() {
    let llm = json!({"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o"});
    let agent = json!({"openinference.span.kind": "AGENT", "agent.name": "research"});
    let mut call = span(2, 1, "chat", (5, 8), llm);
    call["events"] = json!([{"timeUnixNano": nanos(6).to_string(), "name": "retry", "attributes": []}]);
    let events = read(&request(vec![call, span(1, 0, "research", (10, 20), agent)]).to_string());
    assert_eq!(outline(&events), "✓ run research\n└─ ✓ llm gpt-4o\n   └─ ✓ note retry\n");
    let kinds: Vec<Kind> = events.iter().map(StreamEvent::kind).collect();
    assert_eq!((kinds[0], kinds[kinds.len() - 1]), (Kind::ExecutionStart, Kind::ExecutionEnd), "{kinds:?}");
    // Each keeps the times that it said.
    let start = events.iter().find(|event| event.kind() == Kind::LlmCallStart).expect("a call");
    assert_eq!(start.time.map(|time| time.unix_nanos()), i64::try_from(nanos(5)).ok());
}

#[test]
fn a_trace_whose_root_is_elsewhere_goes_on_from_there() {
    let events = read(&request(vec![span(2, 1, "chat", (0, 9), json!({"gen_ai.operation.name": "chat"}))]).to_string());
    let Body::ExecutionStart(start) = &events[0].body else { panic!("{:?}", events[0]) };
    assert_eq!(start.parent_id.as_deref(), Some("step_0000000000000001"));
}

#[test]
fn how_it_ended_comes_back_of_our_own() {
    let first = recorder();
    let emitter = first.emitter();
    let root = spanwright::StepId::new();
    let told = |body: Body, step: &spanwright::StepId| emitter.emit(StreamEvent::new(body).of_step(step.clone()));
    told(spanwright::event::ExecutionStart::new().name("run").session_id("s").user_id("u").into(), &root);
    for outcome in [Outcome::Cancelled, Outcome::TimedOut, Outcome::Panicked] {
        let step = spanwright::StepId::new();
        let start = spanwright::event::StepStart::new(spanwright::event::StepType::RouterNode, "step");
        told(start.parent_step_id(root.clone()).index(3).into(), &step);
        let error = spanwright::event::ExecutionError::new(spanwright::event::ErrorCategory::ToolError, "why it ended");
        told(spanwright::event::StepFailed::new(error).outcome(outcome).into(), &step);
    }
    told(spanwright::event::CheckpointSaved::new("c-1", "abc").into(), &root);
    told(spanwright::event::ExecutionLost::new("its process ended before it did").into(), &root);
    let second = imported(&exported(&first, OpenInference::Small));
    let id = emitter.execution_id();
    assert_eq!(outline(&events(&first, id)), outline(&events(&second, id)));
    let kinds = |recorder: &Recorder| events(recorder, id).iter().map(StreamEvent::kind).collect::<Vec<_>>();
    assert_eq!(kinds(&first), kinds(&second));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(otlp::read_json(&bytes[..]).count() <= bytes.split(|byte| *byte == b'\n').count());
    }

    /// Whoever is around whom, in rings too, and whatever overlaps: everything that begins ends, inside what is around it.
    #[test]
    fn any_tree_is_told_in_an_order_that_leaves_nothing_open(
        spans in prop::collection::vec((0..12_u64, 0..40_u64, 0..40_u64), 1..12),
    ) {
        let spans: Vec<Value> = spans.iter().enumerate().map(|(at, (parent, start, length))| {
            span(at as u64 + 1, *parent, "step", (*start, start + length), json!({}))
        }).collect();
        let count = spans.len();
        let events = read(&request(spans).to_string());
        let starts = events.iter().filter(|event| event.kind() == Kind::StepStart).count();
        prop_assert_eq!(starts, count);
        let mut begun = HashSet::new();
        for event in &events {
            if let Body::StepStart(start) = &event.body {
                prop_assert!(start.parent_step_id.iter().all(|around| begun.contains(around)), "{events:?}");
            }
            begun.extend(event.step_id.clone());
        }
        let mut open = OpenThings::new(events[0].execution_id.clone().expect("id"));
        events.iter().for_each(|event| open.apply(event));
        prop_assert!(open.is_empty(), "{:?}", open);
    }
}
