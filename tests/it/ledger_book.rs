//! A ledger of one's own, and what must hold however calls are told.

use crate::{
    ledger::{assert_usd, at, call, run, spent, start, told},
    research::step,
};
use proptest::prelude::*;
use spanwright::{
    ExecutionId, StepId, StreamEvent,
    event::{AgentStart, Body, ExecutionStart, LlmCallEnd, StepStart, StepType, ToolInputAvailable},
    ledger::{Ledger, Prices},
};

fn story() -> Vec<StreamEvent> {
    let tool = ToolInputAvailable::new("c1", "search", spanwright::Json::null()).parent_step_id(step(1));
    vec![
        at(1, ExecutionStart::new().session_id("talk")),
        at(2, start("gpt-4o").parent_step_id(step(1))),
        at(2, LlmCallEnd::new(1).prompt_tokens(1_000).completion_tokens(0).model("gpt-4o")),
        at(2, call(1_000, 0)),
        at(3, tool),
        at(4, AgentStart::new("reader").parent_step_id(step(3))),
        at(5, StepStart::new(StepType::LlmNode, "think").parent_step_id(step(4))),
        at(5, start("claude-haiku-4-5").parent_step_id(step(4))),
        at(5, LlmCallEnd::new(1)),
        at(5, call(2_000, 100).cached_tokens(1_000).reasoning_tokens(40)),
    ]
}

#[test]
fn a_ledger_adds_up_by_step_execution_model_and_session() {
    let mut ledger = Ledger::new(10, Prices::builtin());
    story().iter().for_each(|event| ledger.apply(event));
    let other = ExecutionId::new();
    for body in [Body::from(ExecutionStart::new().session_id("talk")), call(3_000, 0).model("gpt-4o").into()] {
        ledger.apply(&StreamEvent::new(body).of_execution(other.clone()));
    }
    let reader = ledger.step(&run(), &step(4)).expect("the agent in the tool");
    assert_eq!((reader.input_tokens, reader.cached_tokens, reader.reasoning_tokens), (2_000, 1_000, 40));
    assert_usd(reader.cost_usd(), 0.001 + 0.0001 + 0.0005);
    assert_eq!(ledger.step(&run(), &step(3)), Some(reader), "and the tool around it");
    assert_eq!(ledger.step(&run(), &step(1)), ledger.execution(&run()));
    assert_eq!(ledger.step(&run(), &StepId::new()), None);
    let models = ledger.models();
    assert_eq!(models.keys().map(|model| model.as_str()).collect::<Vec<_>>(), ["claude-haiku-4-5", "gpt-4o"]);
    assert_usd(models["gpt-4o"].cost_usd(), 0.01);
    assert_eq!(models["gpt-4o"].calls, 2);
    assert_usd(ledger.session("talk").cost_usd(), 0.0116);
    assert_eq!(ledger.session("nobody").calls, 0);
    assert_eq!(ledger.total(), ledger.session("talk"));
}

#[test]
fn a_ledger_holds_as_many_executions_as_it_was_told() {
    let mut ledger = Ledger::new(2, Prices::none());
    let ids: Vec<_> = (0..5).map(|_| ExecutionId::new()).collect();
    for id in &ids {
        ledger.apply(&StreamEvent::new(call(1, 1)).of_execution(id.clone()));
    }
    ledger.apply(&StreamEvent::new(call(1, 1)));
    assert_eq!(ledger.total().calls, 2);
    assert!(ledger.execution(&ids[2]).is_none() && ledger.execution(&ids[4]).is_some());
}

#[test]
fn a_sum_of_many_small_prices_is_the_sum() {
    let mut ledger = Ledger::new(1, Prices::builtin());
    let mut naive = 0.0;
    for _ in 0..100_000 {
        ledger.apply(&at(0, call(1, 0).model("gpt-4o-mini")));
        naive += 0.15e-6;
    }
    assert_eq!(ledger.total().cost_usd(), Some(0.015));
    assert!(naive != 0.015, "floating-point sums drift");
}

/// Calls of one step each, told in any way: an end with or without counts, usage before or after it, once or twice.
fn calls() -> impl Strategy<Value = (Vec<StreamEvent>, u64, u64)> {
    let one = (1_u64..1_000, 1_u64..1_000, 0_u8..5);
    proptest::collection::vec(one, 1..12).prop_map(|calls| {
        let (mut events, mut sum, mut unknown) = (Vec::new(), 0, 0);
        for (number, (input, output, way)) in calls.into_iter().enumerate() {
            let number = number as u64 + 1;
            let end = LlmCallEnd::new(1);
            let counted = end.clone().prompt_tokens(input).completion_tokens(output);
            let usage = || at(number, call(input, output));
            events.push(at(number, start("gpt-4o")));
            events.extend(match way {
                0 => vec![at(number, end)],
                1 => vec![at(number, counted)],
                2 => vec![at(number, end), usage()],
                3 => vec![usage(), at(number, counted)],
                _ => vec![at(number, counted), usage(), usage()],
            });
            (sum, unknown) = if way == 0 { (sum, unknown + 1) } else { (sum + input + output, unknown) };
        }
        (events, sum, unknown)
    })
}

proptest! {
    #[test]
    fn however_a_call_is_told_it_counts_once((events, sum, unknown) in calls()) {
        let total = spent(&events);
        prop_assert_eq!(total.total_tokens(), sum);
        prop_assert_eq!(total.calls_without_usage, unknown);
    }

    #[test]
    fn calls_at_the_same_time_are_not_mixed_up((events, sum, unknown) in calls(), seed in any::<u64>()) {
        // Any interleaving that keeps the order within each step.
        let mut rest: Vec<_> = (1..=12).map(|number| {
            events.iter().filter(|event| event.step_id == Some(step(number))).cloned().collect::<Vec<_>>().into_iter()
        }).collect();
        let (mut mixed, mut random) = (Vec::new(), seed);
        while mixed.len() < events.len() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            mixed.extend(rest[(random >> 33) as usize % 12].next());
        }
        let total = spent(&mixed);
        prop_assert_eq!(total.total_tokens(), sum);
        prop_assert_eq!(total.calls_without_usage, unknown);
        let last = told(mixed).last().map(|usage| usage.cumulative_tokens);
        prop_assert!(last.is_none_or(|last| last <= sum));
    }
}
