//! Spans that say later what they are, and other liberties that `tracing` allows.

use super::count;
use crate::layer::{check, record, told};
use expect_test::expect;
use tracing::{field::Empty, info_span};

#[test]
fn a_span_that_says_late_what_it_is_began_when_it_began() {
    let events = record(|| {
        let _agent = info_span!("a", gen_ai.operation.name = "invoke_agent").entered();
        let late = info_span!("late", gen_ai.operation.name = Empty, gen_ai.request.model = "m");
        drop(info_span!("between", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "t"));
        late.record("gen_ai.operation.name", "embeddings");
        drop(late);
    });
    expect![[r#"
        s1 execution-start {"name":"a"}
        s2 in s1 tool-input-available {"input":null,"tool_name":"t"}
        s2 tool-output-available {"output":null,"tool_name":"t"}
        s3 in s1 step-start {"name":"m","step_type":"EmbeddingNode"}
        s3 embedding {"model":"m"}
        s3 step-end {}
        s1 execution-end {}
    "#]]
    .assert_eq(&told(&events));
    let began = |tag: &str| events.iter().find(|event| event.kind().tag() == tag).and_then(|event| event.time);
    assert!(began("data-step-start") <= began("data-tool-input-available"));
}

#[test]
fn a_span_is_judged_by_what_is_known_when_something_begins_inside_or_when_it_ends() {
    check(
        || {
            let _agent = info_span!("a", gen_ai.operation.name = "invoke_agent").entered();
            let tool = info_span!("x", gen_ai.operation.name = Empty, gen_ai.tool.name = Empty).entered();
            tool.record("gen_ai.tool.name", "search");
            drop(info_span!("inside", gen_ai.operation.name = "retrieval"));
            drop(tool);
            drop(info_span!("y", openinference.span.kind = Empty, gen_ai.request.model = "m"));
            drop(info_span!("never told", gen_ai.operation.name = Empty));
        },
        expect![[r#"
            s1 execution-start {"name":"a"}
            s2 in s1 tool-input-available {"input":null,"tool_name":"search"}
            s3 in s2 step-start {"name":"inside","step_type":"RetrieverNode"}
            s3 retrieval {"documents_count":0,"query":""}
            s3 step-end {}
            s2 tool-output-available {"output":null,"tool_name":"search"}
            s4 in s1 llm-call-start {"callable_name":"y","history_length":0,"model":"m"}
            s4 llm-call-end {"model":"m","usage":"unknown"}
            s1 execution-end {}
        "#]],
    );
}

#[test]
fn what_began_inside_a_span_that_had_not_told_yet_stays_in_what_was_known() {
    check(
        || {
            let _agent = info_span!("a", gen_ai.operation.name = "invoke_agent").entered();
            let late = info_span!("late", gen_ai.operation.name = Empty, gen_ai.step.name = "late").entered();
            drop(info_span!("t", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "early"));
            late.record("gen_ai.operation.name", "run_step");
            drop(info_span!("t", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "then"));
        },
        expect![[r#"
            s1 execution-start {"name":"a"}
            s2 in s1 tool-input-available {"input":null,"tool_name":"early"}
            s2 tool-output-available {"output":null,"tool_name":"early"}
            s3 in s1 step-start {"name":"late","step_type":"FunctionNode"}
            s4 in s3 tool-input-available {"input":null,"tool_name":"then"}
            s4 tool-output-available {"output":null,"tool_name":"then"}
            s3 step-end {}
            s1 execution-end {}
        "#]],
    );
}

#[test]
fn a_plain_span_that_was_taken_as_the_agent_stays_it_whatever_it_says_later() {
    let events = record(|| {
        let request = info_span!("request", gen_ai.operation.name = Empty).entered();
        drop(info_span!("c", gen_ai.operation.name = "chat", gen_ai.request.model = "m"));
        request.record("gen_ai.operation.name", "chat");
    });
    assert_eq!(count(&events, "data-execution-start"), 1, "{}", told(&events));
    assert_eq!(count(&events, "data-llm-call-start"), 1, "{}", told(&events));
}

#[test]
fn of_several_names_the_best_counts_and_of_one_the_last_value() {
    let events = record(|| {
        let call = info_span!(
            "c",
            gen_ai.operation.name = "chat",
            prompt_tokens = Empty,
            llm.token_count.prompt = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.request.model = "asked",
            gen_ai.response.model = "answered",
        );
        call.record("llm.token_count.prompt", 3_u64);
        call.record("gen_ai.usage.input_tokens", "1");
        call.record("gen_ai.usage.input_tokens", 2_u64);
        call.record("prompt_tokens", 9_u64);
    });
    let told = told(&events);
    assert!(told.contains(r#"llm-call-start {"callable_name":"c","history_length":0,"model":"asked"}"#), "{told}");
    assert!(told.contains(r#"llm-call-end {"model":"answered","prompt_tokens":2,"usage":"reported"}"#), "{told}");
}

#[test]
fn following_from_a_span_is_not_being_inside_it() {
    let events = record(|| {
        let _agent = info_span!("a", gen_ai.operation.name = "invoke_agent").entered();
        let first = info_span!("c", gen_ai.operation.name = "chat", gen_ai.request.model = "m");
        let next = info_span!("c", gen_ai.operation.name = "chat", gen_ai.request.model = "m");
        next.follows_from(&first);
    });
    assert_eq!(told(&events).matches("in s1 llm-call-start").count(), 2, "{}", told(&events));
}

#[test]
fn threads_that_begin_things_in_a_span_that_tells_meanwhile_what_it_is_lose_none_and_double_none() {
    const ROUNDS: usize = 200;
    let events = record(|| {
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        for _ in 0..ROUNDS {
            let late = info_span!("late", gen_ai.operation.name = Empty, gen_ai.request.model = "m");
            let tool =
                || drop(info_span!(parent: &late, "t", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "t"));
            let on_thread = |work: &(dyn Fn() + Sync)| tracing::dispatcher::with_default(&dispatch, work);
            std::thread::scope(|scope| {
                scope.spawn(|| on_thread(&tool));
                scope.spawn(|| on_thread(&tool));
                scope.spawn(|| {
                    on_thread(&|| {
                        late.record("gen_ai.operation.name", "chat");
                    });
                });
            });
        }
    });
    let tags = ["llm-call-start", "llm-call-end", "tool-input-available", "tool-output-available"];
    let counted = tags.map(|tag| count(&events, &format!("data-{tag}")));
    assert_eq!([counted[2], counted[3]], [2 * ROUNDS; 2]);
    assert_eq!([counted[0], counted[1]], [ROUNDS; 2]);
    assert_eq!(count(&events, "data-execution-start"), count(&events, "data-execution-end"));
}
