//! Every call is counted once, at the gate and over restarts, and what is not known is not made up.

use crate::{research::step, scratch::Scratch};
use spanwright::{
    AgentLayer, ExecutionId, Recorder, StreamEvent,
    event::{
        AgentStart, Body, CostSource, Embedding, ExecutionEnd, ExecutionPaused, ExecutionResumed, ExecutionStart,
        LlmCallEnd, LlmCallFailed, LlmCallStart, Outcome, ParentType, StepEnd, TokenUsage, UsageReport,
    },
    hub::{Filter, From},
    ledger::{Ledger, Prices, Spending},
    log::{MemoryLog, SqliteLog},
    view::RunTree,
};
use std::time::Duration;
use tracing::info_span;
use tracing_subscriber::prelude::*;

const SOON: Duration = Duration::from_secs(60);

pub(crate) fn run() -> ExecutionId {
    ExecutionId::from_trace_id(0x1ed)
}

/// An event of the test's execution, in the step of this number; 0 for none.
pub(crate) fn at(number: u64, body: impl Into<Body>) -> StreamEvent {
    let event = StreamEvent::new(body).of_execution(run());
    if number == 0 { event } else { event.of_step(step(number)) }
}

/// The events as they come out of the gate.
fn recorded(recorder: &Recorder, events: impl IntoIterator<Item = StreamEvent>) -> Vec<StreamEvent> {
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    events.into_iter().for_each(|event| recorder.emit(event));
    recorder.settle().wait(SOON).expect("settle");
    std::iter::from_fn(|| stream.try_next()).collect()
}

fn usages(events: &[StreamEvent]) -> Vec<TokenUsage> {
    let usage = |event: &StreamEvent| match &event.body {
        Body::TokenUsage(usage) => Some((**usage).clone()),
        _ => None,
    };
    events.iter().filter_map(usage).collect()
}

/// What the gate makes of these events: its usage events.
pub(crate) fn told(events: impl IntoIterator<Item = StreamEvent>) -> Vec<TokenUsage> {
    usages(&recorded(&Recorder::builder().start().expect("start"), events))
}

/// What a program's spans become.
fn traced(program: impl FnOnce()) -> Vec<StreamEvent> {
    let recorder = Recorder::builder().start().expect("start");
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    let subscriber = tracing_subscriber::registry().with(AgentLayer::new(recorder.clone()));
    tracing::subscriber::with_default(subscriber, program);
    recorder.settle().wait(SOON).expect("settle");
    std::iter::from_fn(|| stream.try_next()).collect()
}

/// What a ledger makes of them.
pub(crate) fn spent(events: &[StreamEvent]) -> Spending {
    let mut ledger = Ledger::new(10, Prices::builtin());
    events.iter().for_each(|event| ledger.apply(event));
    ledger.total()
}

pub(crate) fn call(input: u64, output: u64) -> TokenUsage {
    TokenUsage::new(input, output, input + output, 0)
}

pub(crate) fn start(model: &str) -> LlmCallStart {
    LlmCallStart::new("chat", 1).model(model)
}

#[track_caller]
pub(crate) fn assert_usd(cost: Option<f64>, expected: f64) {
    let cost = cost.expect("a price");
    assert!((cost - expected).abs() < 1e-9, "{cost} is not {expected}");
}

// -- leaves only ---------------------------------------------------------------------------------------------------

#[test]
fn usage_that_an_agents_span_repeats_is_not_counted_again() {
    // langfuse/langfuse#14754: 28,852 tokens in, 1,542 out, $0.19052 were shown. strands-agents/harness-sdk#1267,
    // mlflow/mlflow#17852 (16,892 instead of 8,446) and others are the same.
    let events = traced(|| {
        let agent = info_span!(
            "a",
            gen_ai.operation.name = "invoke_agent",
            gen_ai.usage.input_tokens = 14_426_u64,
            gen_ai.usage.output_tokens = 771_u64,
            gen_ai.usage.cost = 0.09526,
            gen_ai.request.model = "gpt-5.1"
        );
        let _in = agent.enter();
        for (input, output, cost) in [(6_000_u64, 300_u64, 0.04), (8_426, 471, 0.05526)] {
            drop(info_span!(
                "c",
                gen_ai.operation.name = "chat",
                gen_ai.request.model = "gpt-5.1",
                gen_ai.usage.input_tokens = input,
                gen_ai.usage.output_tokens = output,
                gen_ai.usage.cost = cost
            ));
        }
    });
    let usages = usages(&events);
    assert_eq!(usages.len(), 2);
    assert_eq!(usages[1].cumulative_tokens, 14_426 + 771);
    assert_usd(usages[1].cumulative_cost_usd, 0.09526);
    assert_eq!((spent(&events).input_tokens, spent(&events).output_tokens), (14_426, 771));
    assert_usd(spent(&events).cost_usd(), 0.09526);
}

#[test]
fn usage_told_on_an_agents_step_is_marked_as_a_sum_and_left_out() {
    // strands-agents/harness-sdk#3602: 300 and 30 in truth, 600 and 60 as a sum over the tree.
    let events = [
        at(1, ExecutionStart::new()),
        at(2, AgentStart::new("helper")),
        at(3, start("gpt-4o")),
        at(3, LlmCallEnd::new(1)),
        at(3, call(100, 10)),
        at(4, start("gpt-4o")),
        at(4, LlmCallEnd::new(1)),
        at(4, call(200, 20)),
        at(2, call(300, 30)),
        at(1, call(300, 30)),
    ];
    let usages = told(events);
    assert_eq!(usages.iter().map(|usage| usage.cumulative_tokens).collect::<Vec<_>>(), [110, 330, 330, 330]);
    assert_eq!(usages.iter().map(|usage| usage.aggregate).collect::<Vec<_>>(), [None, None, Some(true), Some(true)]);
}

#[test]
fn what_an_agent_called_elsewhere_may_end_and_its_sum_is_still_one() {
    let called = ExecutionStart::new().parent_id(step(1).to_string()).parent_type(ParentType::StepExecution);
    let events = [
        at(1, ExecutionStart::new()),
        at(2, start("gpt-4o")),
        at(2, call(100, 10)),
        at(3, called),
        at(3, ExecutionEnd::new(1)),
        at(2, LlmCallEnd::new(1).prompt_tokens(100_u64).completion_tokens(10_u64)),
        at(1, call(100, 10)),
    ];
    assert_eq!(spent(&events).total_tokens(), 110);
    let usages = told(events);
    assert_eq!(usages.iter().map(|usage| usage.cumulative_tokens).collect::<Vec<_>>(), [110, 110]);
}

#[test]
fn usage_that_an_agent_says_is_its_own_counts() {
    let events = [
        at(1, ExecutionStart::new()),
        at(1, call(10, 5).aggregate(false)),
        at(2, start("gpt-4o")),
        at(2, LlmCallEnd::new(1)),
        at(2, call(100, 0)),
        at(1, call(20, 5).aggregate(false)),
    ];
    let usages = told(events);
    assert_eq!(usages.iter().map(|usage| usage.cumulative_tokens).collect::<Vec<_>>(), [15, 115, 140]);
    assert_eq!(spent(&[at(1, ExecutionStart::new()), at(1, usages[0].clone())]).total_tokens(), 15, "read again");
}

#[test]
fn a_call_that_two_instrumentations_saw_is_counted_as_the_inner_one_saw_it() {
    // DataDog/dd-trace-js#8936: a span around the provider's own, blind to the cache: 2.2 times the cost.
    let span = |cached: Option<u64>| {
        // Two of ours stay two: what another crate sees of ours would be one call with it.
        info_span!(
            target: "spanwright::llm",
            "chat",
            gen_ai.operation.name = "chat",
            gen_ai.request.model = "claude-sonnet-4-5",
            gen_ai.usage.input_tokens = 10_000_u64,
            gen_ai.usage.output_tokens = 1_000_u64,
            gen_ai.usage.cache_read.input_tokens = cached
        )
    };
    let events = traced(|| {
        let outer = span(None);
        let _in = outer.enter();
        drop(span(Some(2_778)));
    });
    let usages = usages(&events);
    assert_usd(usages[0].cost_usd, 7_222.0 * 3e-6 + 2_778.0 * 0.3e-6 + 0.015);
    assert_eq!((usages[0].aggregate, usages[1].aggregate), (None, Some(true)));
    let naive: f64 = usages.iter().filter_map(|usage| usage.cost_usd).sum();
    let sum = usages[1].cumulative_cost_usd.expect("a price");
    assert!((2.15..2.25).contains(&(naive / sum)), "{naive} / {sum}");
    assert_eq!(usages[1].cumulative_tokens, 11_000);
    assert_eq!(spent(&events).total_tokens(), 11_000);
    let mut tree = RunTree::new();
    for event in &events {
        tree.apply(event);
    }
    assert_eq!((tree.totals().tokens, tree.totals().cost_usd), (11_000, Some(sum)));
}

#[test]
fn an_outer_call_counts_where_nothing_inside_of_it_told_its_usage() {
    let inner = start("gpt-4o").parent_step_id(step(1));
    let events = [
        at(1, start("gpt-4o")),
        at(2, inner),
        at(2, LlmCallEnd::new(1)),
        at(1, LlmCallEnd::new(2)),
        at(1, call(10, 5)),
    ];
    let usages = told(events.clone());
    assert_eq!((usages[0].cumulative_tokens, usages[0].aggregate, usages[0].calls_without_usage), (15, None, None));
    assert_eq!(spent(&events).calls, 1);
}

// -- once a call ---------------------------------------------------------------------------------------------------

#[test]
fn usage_takes_the_place_of_what_the_calls_end_said() {
    let end = LlmCallEnd::new(1).prompt_tokens(1_000).completion_tokens(100).model("gpt-4o-2024-11-20");
    let events = [at(1, start("gpt-4o")), at(1, end), at(1, call(1_000, 200)), at(1, call(1_000, 300))];
    let usages = told(events.clone());
    assert_eq!(usages.iter().map(|usage| usage.cumulative_tokens).collect::<Vec<_>>(), [1_200, 1_300]);
    assert_eq!(usages[1].model.as_deref(), Some("gpt-4o-2024-11-20"), "what answered, as the end said");
    assert_eq!(usages[1].cost_source, Some(CostSource::Local));
    assert_usd(usages[1].cumulative_cost_usd, 0.0025 + 0.003);
    assert_eq!(spent(&events).calls, 1);
}

#[test]
fn an_end_counts_by_itself_where_no_usage_follows() {
    let end = || LlmCallEnd::new(1).prompt_tokens(1_000).completion_tokens(100).model("gpt-4o");
    let events =
        vec![at(1, start("gpt-4o")), at(1, end()), at(2, start("gpt-4o")), at(2, end()), at(2, call(1_000, 100))];
    assert_eq!(told(events.clone())[0].cumulative_tokens, 2_200);
    assert_usd(spent(&events).cost_usd(), 2.0 * (0.0025 + 0.001));
}

#[test]
fn calls_without_steps_are_told_apart_by_their_order() {
    let end = || LlmCallEnd::new(1).prompt_tokens(10).completion_tokens(5);
    let events = [at(0, end()), at(0, call(10, 5)), at(0, end()), at(0, call(10, 5)), at(0, call(1, 1))];
    assert_eq!(told(events).iter().map(|usage| usage.cumulative_tokens).collect::<Vec<_>>(), [15, 30, 32]);
}

#[test]
fn a_second_try_in_the_same_step_is_a_second_call() {
    let cut_off = LlmCallFailed::new("dropped").outcome(Outcome::Cancelled);
    let events = [
        at(1, start("gpt-4o")),
        at(1, cut_off),
        at(1, call(10, 5)),
        at(1, start("gpt-4o")),
        at(1, LlmCallEnd::new(1)),
        at(1, call(10, 5)),
    ];
    let usages = told(events);
    assert_eq!((usages[1].cumulative_tokens, usages[1].calls_without_usage), (30, None));
}

#[test]
fn embeddings_count_and_cost() {
    let events = traced(|| {
        let agent = info_span!("a", gen_ai.operation.name = "invoke_agent");
        let _in = agent.enter();
        drop(info_span!(
            "e",
            gen_ai.operation.name = "embeddings",
            gen_ai.request.model = "text-embedding-3-small",
            gen_ai.usage.input_tokens = 500_000_u64
        ));
    });
    let usages = usages(&events);
    assert_eq!((usages[0].cumulative_tokens, usages[0].total_tokens), (500_000, 500_000));
    assert_usd(usages[0].cumulative_cost_usd, 0.01);
    // From an emitter, the event itself is enough.
    let event = Embedding::new("text-embedding-3-large", 1).prompt_tokens(1_000_000);
    assert_usd(spent(&[at(1, event.clone()), at(1, event)]).cost_usd(), 0.26);
}

// -- what is not known ---------------------------------------------------------------------------------------------

#[test]
fn a_call_without_usage_is_no_call_of_zero_tokens() {
    // lmnr-ai/lmnr-python#324: 18,796 calls that seemed to cost nothing.
    let mut ledger = Ledger::new(1, Prices::builtin());
    for number in 1..=18_796 {
        ledger.apply(&at(number, start("gpt-4o")));
        ledger.apply(&at(number, LlmCallEnd::new(1).prompt_tokens(0).completion_tokens(0).model("gpt-4o")));
    }
    let total = ledger.total();
    assert_eq!((total.calls, total.calls_without_usage, total.cost_usd()), (18_796, 18_796, None));
    assert!(total.are_tokens_a_lower_bound() && total.is_cost_a_lower_bound());
}

#[test]
fn the_layer_says_whether_it_knows_what_a_call_used() {
    let call = |tokens: Option<u64>| {
        traced(|| {
            drop(info_span!(
                "c",
                gen_ai.operation.name = "chat",
                gen_ai.request.model = "m",
                gen_ai.usage.input_tokens = tokens,
                gen_ai.usage.output_tokens = tokens
            ));
        })
    };
    let report = |events: &[StreamEvent]| {
        events.iter().find_map(|event| match &event.body {
            Body::LlmCallEnd(end) => end.usage.clone(),
            _ => None,
        })
    };
    assert_eq!(report(&call(Some(3))), Some(UsageReport::Reported));
    for unknown in [call(None), call(Some(0))] {
        assert_eq!(report(&unknown), Some(UsageReport::Unknown));
        assert!(usages(&unknown).is_empty());
    }
}

#[test]
fn sums_say_what_they_miss() {
    let events = [
        at(1, start("gpt-4o")),
        at(1, LlmCallEnd::new(1)),
        at(2, start("home-made")),
        at(2, LlmCallEnd::new(1)),
        at(2, call(10, 5)),
        at(3, start("gpt-4o")),
        at(3, LlmCallFailed::new("429 too many requests").outcome(Outcome::Error)),
        at(4, start("gpt-4o")),
        at(4, LlmCallFailed::new("dropped").outcome(Outcome::Cancelled)),
        at(5, start("gpt-4o")),
        at(5, LlmCallEnd::new(1)),
        at(5, call(1_000, 0)),
    ];
    let usages = told(events.clone());
    assert_eq!((usages[0].cost_usd, usages[0].cumulative_cost_usd), (None, None), "unknown, not 0");
    assert_usd(usages[1].cumulative_cost_usd, 0.0025);
    assert_eq!((usages[1].calls_without_usage, usages[1].calls_without_price), (Some(2), Some(1)));
    let total = spent(&events);
    assert_eq!((total.calls, total.calls_without_usage, total.calls_without_price), (4, 2, 1));
}

#[test]
fn what_an_emitter_knows_of_the_price_stands() {
    let usages = told([
        at(1, call(10, 5).model("gpt-4o").cost_usd(1.5).cost_source(CostSource::Provider)),
        at(2, call(10, 5).model("home-made").cost_usd(0.0)),
        at(3, call(10, 5).model("gpt-4o").cost_usd(f64::NAN)),
    ]);
    assert_eq!((usages[0].cost_usd, usages[0].cost_source.clone()), (Some(1.5), Some(CostSource::Provider)));
    assert_eq!((usages[1].cost_usd, usages[1].cost_source.clone()), (Some(0.0), None), "free is a price");
    assert_usd(usages[2].cost_usd, 0.000_075);
    assert_usd(usages[2].cumulative_cost_usd, 1.500_075);
    assert_eq!(usages[2].calls_without_price, None);
}

#[test]
fn counts_that_do_not_fit_are_set_right_and_said_to_be() {
    // PostHog/posthog#30310: a negative cost, for 100 tokens in beside 1,000 from the cache and 20 written.
    let usages = told([
        at(1, call(100, 50).model("claude-sonnet-4-5").cached_tokens(1_000).cache_creation_tokens(20)),
        at(2, call(100, 50).model("claude-sonnet-4-5").cached_tokens(90)),
    ]);
    assert_eq!((usages[0].prompt_tokens, usages[0].total_tokens, usages[0].repaired), (1_120, 1_170, Some(true)));
    assert_usd(usages[0].cost_usd, 100.0 * 3e-6 + 1_000.0 * 0.3e-6 + 20.0 * 3.75e-6 + 50.0 * 15e-6);
    assert_eq!((usages[1].prompt_tokens, usages[1].repaired), (100, None));
}

#[test]
fn a_table_of_ones_own_prices_what_the_gate_sees() {
    let table = r#"[{"models":[{"model":"home-made","usd":{"input":2,"output":4}}]}]"#;
    let prices = Prices::builtin().with(&Prices::from_json(table).expect("table"));
    let recorder = Recorder::builder().prices(prices).start().expect("start");
    let usages = usages(&recorded(&recorder, [at(1, call(1_000_000, 500_000).model("home-made"))]));
    assert_usd(usages[0].cost_usd, 4.0);
}

// -- over pauses and restarts ---------------------------------------------------------------------------------------

/// A recorder's whole life on one log, and the usages that it recorded.
fn in_a_process(scratch: &Scratch, events: Vec<StreamEvent>) -> Vec<TokenUsage> {
    let log = SqliteLog::open(scratch.file("trace.db")).expect("log");
    let recorder = Recorder::builder().log(log).start().expect("start");
    let usages = usages(&recorded(&recorder, events));
    recorder.shutdown(SOON).expect("shutdown");
    usages
}

#[test]
fn sums_go_on_where_an_earlier_process_left_them() {
    let scratch = Scratch::new();
    let process = |events| in_a_process(&scratch, events);
    let first = process(vec![
        at(1, ExecutionStart::new()),
        at(2, start("gpt-4o")),
        at(2, LlmCallEnd::new(1)),
        at(2, call(1_000, 0)),
        at(3, start("gpt-4o")),
        at(3, LlmCallEnd::new(1)),
        at(4, call(1_000, 0).model("gpt-4o")),
        at(1, ExecutionPaused::new("approval")),
    ]);
    assert_eq!(first[1].cumulative_tokens, 2_000);
    let second = process(vec![
        at(1, ExecutionResumed::new()),
        at(5, start("gpt-4o")),
        at(5, LlmCallEnd::new(1)),
        at(5, call(1_000, 0)),
        at(6, call(1_000, 0).model("gpt-4o")),
    ]);
    assert_eq!(second.iter().map(|usage| usage.cumulative_tokens).collect::<Vec<_>>(), [3_000, 4_000]);
    assert_usd(second[1].cumulative_cost_usd, 0.01);
    assert_eq!(second[1].calls_without_usage, Some(1));
}

#[test]
fn sums_whose_beginning_is_too_far_back_say_that_they_miss_something() {
    for (events, expected) in [(0, (45, None)), (300, (45, None)), (21_000, (15, Some(1)))] {
        let scratch = Scratch::new();
        let process = |events| in_a_process(&scratch, events);
        let steps = (0..events).map(|_| at(3, StepEnd::new(1)));
        let used = [at(1, ExecutionStart::new()), at(2, call(20, 10))];
        process(used.into_iter().chain(steps).chain([at(1, ExecutionPaused::new("approval"))]).collect());
        let next = process(vec![at(1, ExecutionResumed::new()), at(4, call(10, 5))]);
        assert_eq!((next[0].cumulative_tokens, next[0].calls_without_usage), expected, "after {events} events");
    }
}

#[test]
fn sums_go_on_after_an_end_and_in_an_execution_that_was_forgotten() {
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
    let emit = |event: StreamEvent| usages(&recorded(&recorder, [event]));
    emit(at(1, ExecutionStart::new()));
    emit(at(2, call(10, 5)));
    emit(at(1, ExecutionEnd::new(1)));
    assert_eq!(emit(at(3, call(10, 5)))[0].cumulative_tokens, 30, "late");
    // More ended executions than are remembered.
    let others = (0..4_200).flat_map(|_| {
        let id = ExecutionId::new();
        [ExecutionStart::new().into(), Body::from(ExecutionEnd::new(1))]
            .map(|body| StreamEvent::new(body).of_execution(id.clone()))
    });
    let others: Vec<_> = others.collect();
    others.into_iter().for_each(|event| recorder.emit(event));
    assert_eq!(emit(at(4, call(10, 5)))[0].cumulative_tokens, 45, "forgotten, and looked up");
}
