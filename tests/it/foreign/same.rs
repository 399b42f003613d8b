//! One call that two crates see is one call, and tokens count once, whoever says them.

use super::{count, usage};
use crate::layer::{check, record, told};
use expect_test::expect;
use proptest::prelude::*;
use spanwright::{StreamEvent, span};
use tracing::{Span, field::Empty, info_span};

/// As genai opens it.
fn theirs() -> Span {
    info_span!(
        target: "genai::otel::span", "genai.chat", gen_ai.operation.name = "chat", gen_ai.request.model = "theirs",
        gen_ai.provider.name = "openai", gen_ai.usage.input_tokens = Empty, gen_ai.usage.output_tokens = Empty,
        otel.status_code = Empty, error.type = Empty,
    )
}

fn used(call: &Span, tokens: u64) {
    call.record("gen_ai.usage.input_tokens", tokens as i64);
    call.record("gen_ai.usage.output_tokens", 0_i64);
}

#[test]
fn the_outer_call_takes_in_what_it_does_not_know_and_keeps_what_it_knows() {
    check(
        || {
            let outer = span::llm("ours");
            outer.in_scope(|| used(&theirs(), 5));
        },
        expect![[r#"
            s1 execution-start {"name":"ours"}
            s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"ours"}
            s1 llm-call-end {"completion_tokens":0,"model":"ours","prompt_tokens":5,"provider":"openai","total_tokens":5,"usage":"reported"}
            s1 token-usage {"calls_without_price":1,"completion_tokens":0,"cumulative_tokens":5,"model":"ours","prompt_tokens":5,"provider":"openai","total_tokens":5}
            s1 execution-end {}
        "#]],
    );
}

#[test]
fn a_second_call_inside_is_a_call_of_its_own_and_a_first_that_failed_is_forgiven() {
    let events = record(|| {
        let outer = span::llm("ours");
        outer.in_scope(|| {
            let first = theirs();
            first.record("otel.status_code", "error");
            first.record("error.type", "429");
            drop(first);
            used(&theirs(), 7);
        });
        outer.usage(7, 0);
    });
    assert_eq!(count(&events, "data-llm-call-start"), 2, "{}", told(&events));
    assert_eq!(count(&events, "data-llm-call-failed"), 0, "{}", told(&events));
    assert_eq!(usage(&events), (7, 0, 7), "{}", told(&events));
}

#[test]
fn a_failure_inside_is_the_calls_own_unless_its_author_says_that_it_ended_well() {
    let failing = || {
        let inner = theirs();
        inner.record("otel.status_code", "error");
        inner.record("error.type", "429");
    };
    let failed = |program: &dyn Fn()| count(&record(program), "data-llm-call-failed");
    assert_eq!(failed(&|| info_span!("c", gen_ai.operation.name = "chat").in_scope(failing)), 1);
    assert_eq!(failed(&|| span::llm("ours").in_scope(failing)), 0);
}

/// Who says how much of a call was used: the outer span all of it, each inner one its own.
fn any_calls() -> impl Strategy<Value = (bool, bool, Vec<Option<u64>>)> {
    (any::<bool>(), any::<bool>(), prop::collection::vec(prop::option::of(1..100_u64), 0..4))
}

fn play((ours, outer_tells, inner): &(bool, bool, Vec<Option<u64>>)) -> Vec<StreamEvent> {
    let sum: u64 = inner.iter().flatten().sum();
    let calls = || inner.iter().for_each(|tokens| tokens.iter().for_each(|tokens| used(&theirs(), *tokens)));
    record(|| match ours {
        true => {
            let outer = span::llm("ours");
            outer.in_scope(calls);
            if *outer_tells {
                outer.usage(sum, 0);
            }
        }
        false => {
            let outer = info_span!(
                target: "swiftide_integrations", "prompt", gen_ai.operation.name = "chat",
                gen_ai.usage.input_tokens = Empty, gen_ai.usage.output_tokens = Empty,
            );
            outer.in_scope(calls);
            if *outer_tells {
                used(&outer, sum);
            }
        }
    })
}

proptest! {
    #[test]
    fn tokens_count_once_whoever_says_them(calls in any_calls()) {
        let events = play(&calls);
        let sum: u64 = calls.2.iter().flatten().sum();
        prop_assert_eq!(usage(&events).0, sum, "{}", told(&events));
        prop_assert_eq!(usage(&events).2, sum, "{}", told(&events));
        let tree = crate::research::tree_of(events.iter().cloned());
        prop_assert_eq!(tree.totals().tokens, sum, "{}", told(&events));
    }
}

#[test]
fn two_of_ours_are_two_that_their_author_wanted_to_see_and_tokens_count_once() {
    let events = record(|| {
        let outer = span::llm("router");
        outer.in_scope(|| {
            span::llm("small").usage(3, 0);
        });
        outer.usage(3, 0);
    });
    assert_eq!(count(&events, "data-llm-call-start"), 2, "{}", told(&events));
    assert_eq!(usage(&events), (3, 0, 3), "{}", told(&events));
}

#[test]
fn three_crates_that_see_one_call_see_one_call() {
    let events = record(|| {
        span::llm("ours").in_scope(|| {
            let second = theirs();
            let third = info_span!(parent: &second, "Bedrock Runtime.Converse", gen_ai.operation.name = "chat");
            drop(third);
            used(&second, 5);
        });
    });
    assert_eq!(count(&events, "data-llm-call-start"), 1, "{}", told(&events));
    assert_eq!(usage(&events), (5, 0, 5), "{}", told(&events));
}

#[test]
fn a_tool_is_the_same_by_its_id_or_its_name_and_a_tool_that_calls_itself_is_not() {
    let rigs = |id: &str| {
        info_span!(
            target: "rig_agent::agent::telemetry", "execute_tool", gen_ai.operation.name = "execute_tool",
            gen_ai.tool.name = "search", gen_ai.tool.call.id = id, gen_ai.tool.call.result = Empty,
        )
    };
    let calls = |program: &dyn Fn()| count(&record(program), "data-tool-input-available");
    assert_eq!(calls(&|| rigs("1").in_scope(|| drop(span::tool("search")))), 1);
    assert_eq!(calls(&|| rigs("1").in_scope(|| drop(span::tool("fetch")))), 2);
    assert_eq!(
        calls(&|| rigs("1").in_scope(|| {
            span::tool("search").tool_call_id("2");
        })),
        1
    );
    assert_eq!(calls(&|| rigs("1").in_scope(|| drop(rigs("1")))), 2);
    assert_eq!(calls(&|| span::tool("search").in_scope(|| span::tool("search").in_scope(|| ()))), 2);
}

#[test]
fn text_written_in_the_inner_span_is_the_calls_text() {
    let events = record(|| {
        span::llm("ours").in_scope(|| theirs().in_scope(|| span::text_delta("Hello")));
    });
    let steps: std::collections::HashSet<_> = events.iter().map(|event| event.step_id.clone()).collect();
    assert_eq!(steps.len(), 1, "{}", told(&events));
    assert_eq!(count(&events, "data-text-delta"), 1);
}
