//! Traces for Perfetto: slices nest on each lane as spans do, and counters, moments and arrows are where they belong.

use super::{LIMIT, at, full};
use crate::{runs, shared};
use proptest::prelude::*;
use serde_json::Value;
use spanwright::{
    ExecutionId, Recorder, StepId, StreamEvent,
    event::{
        AgentEnd, AgentStart, Body, ExecutionEnd, ExecutionStart, FeedbackReceived, FeedbackType, LlmCallEnd,
        LlmCallStart, Note, StepEnd, StepStart, StepType, TokenUsage,
    },
    log::MemoryLog,
    otlp::Export,
};
use std::collections::HashMap;

/// What is in the log as a trace, checked by its form.
fn drawn(recorder: &Recorder, content: bool) -> Vec<Value> {
    recorder.flush().wait(LIMIT).expect("flush");
    let mut file = Vec::new();
    let log = recorder.log().expect("log").clone();
    let exported = Export::of(log).content(content).perfetto(&mut file).expect("export");
    let trace: Value = serde_json::from_slice(&file).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("a list").clone();
    assert_eq!(of_phase(&events, "X").len() as u64, exported.spans);
    events.iter().for_each(is_well_formed);
    lanes_nest(&events);
    events
}

/// The Trace Event Format's fields of each phase.
fn is_well_formed(event: &Value) {
    let number = |name: &str| event[name].as_f64().unwrap_or_else(|| panic!("{name} of {event}"));
    assert!(event["name"].is_string() && event["args"].is_object(), "{event}");
    assert!(number("pid") >= 1.0 && number("tid") >= number("pid"));
    match event["ph"].as_str().expect("phase") {
        "M" => assert!(
            event["name"].as_str().is_some_and(|name| name.starts_with("process_") || name.starts_with("thread_"))
        ),
        "X" => assert!(number("ts") > 0.0 && number("dur") >= 0.0),
        "i" => assert!(number("ts") > 0.0 && event["s"] == "t"),
        "C" => assert!(event["args"].as_object().expect("object").values().all(Value::is_number)),
        "s" | "f" => assert!(event["id"].is_string() && number("ts") > 0.0),
        other => panic!("phase {other}"),
    }
}

fn of_phase<'a>(events: &'a [Value], phase: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["ph"] == phase).collect()
}

fn text<'a>(event: &'a Value, argument: &str) -> &'a str {
    event["args"][argument].as_str().unwrap_or_default()
}

/// What a reader's stack makes of each lane: a slice begins not before the one before it, ends within what is open
/// around it, and is of a span inside that one's.
fn lanes_nest(events: &[Value]) {
    let slices = of_phase(events, "X");
    let parents: HashMap<&str, &str> =
        slices.iter().map(|slice| (text(slice, "span_id"), text(slice, "parent_span_id"))).collect();
    let mut lanes: HashMap<u64, Vec<(i64, &str)>> = HashMap::new();
    let mut begun: HashMap<u64, i64> = HashMap::new();
    for slice in slices {
        let (start, tid) = (slice["ts"].as_i64().expect("whole"), slice["tid"].as_u64().expect("tid"));
        let (end, id) = (start + slice["dur"].as_i64().expect("whole"), text(slice, "span_id"));
        assert!(begun.insert(tid, start).is_none_or(|before| before <= start), "out of order: {slice}");
        let open = lanes.entry(tid).or_default();
        while open.last().is_some_and(|(end, _)| *end <= start) {
            open.pop();
        }
        if let Some((around_end, around)) = open.last() {
            assert!(end <= *around_end, "it outlives what is around it: {slice}");
            let mut up = std::iter::successors(Some(id), |id| parents.get(id).copied());
            assert!(up.any(|id| id == *around), "it is not inside {around}: {slice}");
        }
        open.push((end, id));
    }
}

fn recorder() -> Recorder {
    Recorder::builder().log(MemoryLog::new()).content(full()).start().expect("start")
}

struct Told<'a> {
    recorder: &'a Recorder,
    id: ExecutionId,
}

impl Told<'_> {
    fn at(&self, millis: i64, step: &StepId, body: impl Into<Body>) {
        let event = StreamEvent::new(body).of_execution(self.id.clone()).of_step(step.clone());
        self.recorder.emit(event.at(at(millis)));
    }
}

/// A run with two agents side by side, of which the second was handed over to by the first, and a model call in it.
fn two_agents(recorder: &Recorder) -> ExecutionId {
    let told = Told { recorder, id: ExecutionId::new() };
    let ids: [StepId; 4] = std::array::from_fn(|_| StepId::new());
    let [root, first, second, call] = &ids;
    told.at(0, root, ExecutionStart::new().name("research"));
    told.at(10, first, AgentStart::new("planner").parent_step_id(root.clone()));
    told.at(20, second, AgentStart::new("writer").parent_step_id(root.clone()).handoff_from("planner"));
    told.at(
        30,
        call,
        LlmCallStart::new("writer", 1).model("gpt-4o").parent_step_id(second.clone()).input("secret plan"),
    );
    told.at(60, call, LlmCallEnd::new(30));
    told.at(60, call, TokenUsage::new(100, 20, 120, 0).model("gpt-4o"));
    told.at(65, second, Note::new("tone", spanwright::Json::text("dry")));
    told.at(70, second, AgentEnd::new(50));
    told.at(80, first, AgentEnd::new(70));
    told.at(90, root, ExecutionEnd::new(90));
    told.at(95, root, FeedbackReceived::new(FeedbackType::ThumbsUp));
    told.id
}

#[test]
fn a_run_is_a_process_and_what_runs_beside_each_other_is_on_lanes_of_its_own() {
    let recorder = recorder();
    let id = two_agents(&recorder);
    let events = drawn(&recorder, true);
    let name = of_phase(&events, "M").into_iter().find(|event| event["name"] == "process_name").expect("name");
    assert_eq!(text(name, "name"), format!("research · {id}"));
    let lanes: Vec<i64> = of_phase(&events, "X").iter().map(|slice| slice["tid"].as_i64().expect("tid")).collect();
    // Root and planner; the writer beside the planner with its call inside.
    assert_eq!(lanes, [1, 1, 2, 2]);
    let times: Vec<i64> = of_phase(&events, "X").iter().map(|slice| slice["ts"].as_i64().expect("ts")).collect();
    assert_eq!(times, [0, 10, 20, 30].map(|millis| at(millis).unix_nanos() / 1_000));
}

#[test]
fn arrows_lead_from_who_handed_over_and_to_other_lanes() {
    let recorder = recorder();
    two_agents(&recorder);
    let events = drawn(&recorder, false);
    let arrows = |phase: &str| -> Vec<(String, i64, i64)> {
        let one = |event: &Value| {
            let number = |name: &str| event[name].as_i64().expect("number");
            (event["id"].as_str().expect("id").to_owned(), number("tid"), number("ts"))
        };
        of_phase(&events, phase).into_iter().map(one).collect()
    };
    let (starts, ends) = (arrows("s"), arrows("f"));
    assert_eq!(starts.len(), 2, "one for the hand-over, one for the lane");
    for (start, end) in starts.iter().zip(&ends) {
        assert_eq!((&start.0, start.1, end.1), (&end.0, 1, 2));
        assert!(start.2 <= end.2);
    }
}

#[test]
fn tokens_are_counted_over_time_from_nothing() {
    let recorder = recorder();
    two_agents(&recorder);
    let events = drawn(&recorder, false);
    let tokens: Vec<_> = of_phase(&events, "C")
        .into_iter()
        .filter(|event| event["name"] == "tokens")
        .map(|event| (event["ts"].as_i64().expect("ts"), event["args"]["total"].as_u64().expect("total")))
        .collect();
    assert_eq!(tokens, [(at(0).unix_nanos() / 1_000, 0), (at(60).unix_nanos() / 1_000, 120)]);
    assert!(
        of_phase(&events, "C").iter().any(|event| event["name"] == "cost" && event["args"]["usd"].as_f64() > Some(0.0))
    );
}

#[test]
fn what_came_when_all_was_over_is_told_and_content_only_when_asked_for() {
    let recorder = recorder();
    two_agents(&recorder);
    let without = drawn(&recorder, false);
    assert!(of_phase(&without, "i").iter().any(|event| event["name"] == "data-feedback-received"));
    assert!(!serde_json::to_string(&without).expect("JSON").contains("secret plan"));
}

#[test]
fn an_execution_that_is_not_there_is_told_and_an_empty_log_is_a_trace_of_nothing() {
    let recorder = recorder();
    assert!(drawn(&recorder, false).is_empty());
    let log = recorder.log().expect("log").clone();
    let missing = Export::of(log.clone()).execution(ExecutionId::new()).perfetto(std::io::sink());
    assert!(missing.expect_err("none").is_not_found());
    let (first, second) = (two_agents(&recorder), two_agents(&recorder));
    recorder.flush().wait(LIMIT).expect("flush");
    let exported = Export::of(log.clone()).execution(first.clone()).perfetto(std::io::sink()).expect("export");
    assert_eq!((exported.executions, exported.spans, exported.unreadable), (1, 4, 0));
    let others = Export::of(log.clone()).execution(second).tenant("acme").perfetto(std::io::sink());
    assert!(others.expect_err("another's").is_not_found());
    let exported = Export::of(log).perfetto(std::io::sink()).expect("export");
    assert_eq!((exported.executions, exported.spans), (2, 8));
}

#[test]
fn a_hundred_real_runs_are_a_hundred_processes() {
    let Some(text) = shared::read("data/airline-runs.jsonl") else { return };
    let recorder = recorder();
    runs::read(&text).iter().for_each(|run| runs::emit(run, &recorder.emitter()));
    let events = drawn(&recorder, true);
    let mut processes: Vec<u64> =
        of_phase(&events, "X").iter().map(|slice| slice["pid"].as_u64().expect("pid")).collect();
    processes.sort_unstable();
    processes.dedup();
    assert_eq!(processes.len(), 100);
}

/// A step: which of those before it is around it (none: the root), when it begins and how long it takes, in ms.
type Step = (prop::sample::Index, i64, i64);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn slices_nest_whatever_overlaps_and_outlives_what(steps in prop::collection::vec((any::<prop::sample::Index>(), 0..40_i64, 0..40_i64), 1..24)) {
        let recorder = recorder();
        let told = Told { recorder: &recorder, id: ExecutionId::new() };
        let ids: Vec<StepId> = (0..=steps.len()).map(|_| StepId::new()).collect();
        told.at(0, &ids[0], ExecutionStart::new());
        for (at, (around, start, _)) in steps.iter().enumerate() {
            let around: &Step = &(*around, 0, 0);
            let parent = ids[around.0.index(at + 1)].clone();
            told.at(*start, &ids[at + 1], StepStart::new(StepType::FunctionNode, "step").parent_step_id(parent));
        }
        for (at, (_, start, length)) in steps.iter().enumerate() {
            told.at(start + length, &ids[at + 1], StepEnd::new(0));
        }
        told.at(30, &ids[0], ExecutionEnd::new(30));
        let events = drawn(&recorder, false);
        prop_assert_eq!(of_phase(&events, "X").len(), steps.len() + 1);
    }
}
