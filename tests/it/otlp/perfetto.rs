//! Traces for Perfetto: slices nest on each lane as spans do, and counters, moments and arrows are where they belong.

use super::{
    LIMIT, at,
    drawn::{Trace, text},
    full,
};
use crate::{runs, shared};
use proptest::prelude::*;
use serde_json::Value;
use spanwright::{
    ExecutionId, Recorder, StepId, StreamEvent,
    event::{
        AgentEnd, AgentStart, Body, ErrorCategory, ExecutionEnd, ExecutionError, ExecutionStart, FeedbackReceived,
        FeedbackType, LlmCallEnd, LlmCallStart, Note, StepEnd, StepFailed, StepStart, StepType, TokenUsage,
    },
    log::MemoryLog,
    otlp::Export,
};

/// What is in the log as a trace, checked by its form and as a reader takes it.
fn drawn(recorder: &Recorder, content: bool) -> Trace {
    recorder.flush().wait(LIMIT).expect("flush");
    let mut file = Vec::new();
    let log = recorder.log().expect("log").clone();
    let exported = Export::of(log).content(content).perfetto(&mut file).expect("export");
    let trace: Value = serde_json::from_slice(&file).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("a list").clone();
    let trace = Trace::read(events);
    assert_eq!(trace.slices.len() as u64, exported.spans);
    trace.is_drawn_as_it_was();
    trace
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
    let trace = drawn(&recorder, true);
    let name = trace.of_phase("M").into_iter().find(|event| event["name"] == "process_name").expect("name");
    assert_eq!(text(name, "name"), format!("research · {id}"));
    let lanes: Vec<i64> = trace.slices.iter().map(|slice| slice.begin["tid"].as_i64().expect("tid")).collect();
    // Root and planner; the writer beside the planner with its call inside.
    assert_eq!(lanes, [1, 1, 2, 2]);
    let times: Vec<i64> = trace.slices.iter().map(|slice| slice.begin["ts"].as_i64().expect("ts")).collect();
    assert_eq!(times, [0, 10, 20, 30].map(|millis| at(millis).unix_nanos() / 1_000));
}

#[test]
fn arrows_lead_from_who_handed_over_and_to_what_is_not_drawn_where_it_belongs() {
    let recorder = recorder();
    two_agents(&recorder);
    let trace = drawn(&recorder, false);
    let name = |slice: Option<usize>| trace.slices[slice.expect("a slice")].begin["name"].as_str().expect("name");
    let arrows: Vec<_> =
        trace.arrows.values().map(|(from, to, words)| (words.as_str(), name(*from), name(*to))).collect();
    let writer = "invoke_agent writer";
    assert_eq!(arrows, [("handoff", "invoke_agent planner", writer), ("inside", "invoke_agent research", writer)]);
}

#[test]
fn what_has_no_length_or_begins_or_ends_with_another_is_drawn_where_it_belongs() {
    let recorder = recorder();
    let told = Told { recorder: &recorder, id: ExecutionId::new() };
    let ids: [StepId; 7] = std::array::from_fn(|_| StepId::new());
    let [root, outer, failing, next, one, two, last] = &ids;
    let step =
        |name: &str, parent: &StepId| StepStart::new(StepType::FunctionNode, name).parent_step_id(parent.clone());
    told.at(0, root, ExecutionStart::new().name("ties"));
    told.at(0, outer, step("outer", root));
    told.at(0, failing, step("failing", outer));
    told.at(10, failing, StepFailed::new(ExecutionError::new(ErrorCategory::ToolError, "no")));
    told.at(10, next, step("next", outer));
    told.at(20, next, StepEnd::new(10));
    for (instant, parent) in [(one, outer), (two, outer), (last, root)] {
        told.at(20, instant, step("instant", parent));
        told.at(20, instant, StepEnd::new(0));
    }
    told.at(20, outer, StepEnd::new(20));
    told.at(20, root, ExecutionEnd::new(20));
    let trace = drawn(&recorder, false);
    assert!(trace.slices.iter().all(|slice| slice.around.is_none_or(|at| trace.slices[at].id() == slice.parent())));
    assert!(trace.arrows.is_empty() && trace.slices.iter().all(|slice| slice.begin["tid"] == 1), "all on one lane");
    let [(exception, around)] = &trace.moments[..] else { panic!("{:?}", trace.moments) };
    assert_eq!(trace.slices[around.expect("inside")].id(), text(exception, "span_id"), "not of what begins then");
    assert_eq!(exception["name"], "exception");
}

#[test]
fn tokens_are_counted_over_time_from_nothing() {
    let recorder = recorder();
    two_agents(&recorder);
    let trace = drawn(&recorder, false);
    let tokens: Vec<_> = trace
        .of_phase("C")
        .into_iter()
        .filter(|event| event["name"] == "tokens")
        .map(|event| (event["ts"].as_i64().expect("ts"), event["args"]["total"].as_u64().expect("total")))
        .collect();
    assert_eq!(tokens, [(at(0).unix_nanos() / 1_000, 0), (at(60).unix_nanos() / 1_000, 120)]);
    assert!(
        trace.of_phase("C").iter().any(|event| event["name"] == "cost" && event["args"]["usd"].as_f64() > Some(0.0))
    );
}

#[test]
fn what_came_when_all_was_over_is_told_and_content_only_when_asked_for() {
    let recorder = recorder();
    two_agents(&recorder);
    let without = drawn(&recorder, false);
    assert!(without.of_phase("i").iter().any(|event| event["name"] == "data-feedback-received"));
    assert!(!serde_json::to_string(&without.events).expect("JSON").contains("secret plan"));
}

#[test]
fn an_execution_that_is_not_there_is_told_and_an_empty_log_is_a_trace_of_nothing() {
    let recorder = recorder();
    assert!(drawn(&recorder, false).events.is_empty());
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
    let trace = drawn(&recorder, true);
    let mut processes: Vec<u64> = trace.slices.iter().map(|slice| slice.begin["pid"].as_u64().expect("pid")).collect();
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
        prop_assert_eq!(drawn(&recorder, false).slices.len(), steps.len() + 1);
    }
}
