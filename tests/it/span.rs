//! What a handle records, and how its span ends.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use spanwright::semconv;
use spanwright::span::{self, AgentSpan, Decision, Failure};

use crate::record::{Seen, block_on, caught, pause, poll_and_drop, record, record_one};

type Aliased<T> = Result<T, io::Error>;

/// Opens a span; its target, title and OpenTelemetry kind.
type Kind = (fn() -> AgentSpan, &'static str, &'static str, &'static str);

fn every_kind() -> Vec<Kind> {
    vec![
        (|| span::agent("research"), "spanwright::agent", "invoke_agent research", "internal"),
        (|| span::workflow("report"), "spanwright::workflow", "invoke_workflow report", "internal"),
        (|| span::step("plan"), "spanwright::step", "run_step plan", "internal"),
        (|| span::llm("gpt-4o"), "spanwright::llm", "chat gpt-4o", "client"),
        (|| span::tool("search"), "spanwright::tool", "execute_tool search", "internal"),
        (|| span::memory_recall("who"), "spanwright::memory", "search_memory", "internal"),
        (|| span::memory_store("notes"), "spanwright::memory", "create_memory", "internal"),
        (|| span::memory_update("m1"), "spanwright::memory", "update_memory", "internal"),
        (|| span::memory_forget("m1"), "spanwright::memory", "delete_memory", "internal"),
        (|| span::guardrail("pii"), "spanwright::guardrail", "run_guardrail pii", "internal"),
        (|| span::evaluator("relevance"), "spanwright::evaluator", "evaluate relevance", "internal"),
        (|| span::retriever("wiki"), "spanwright::retriever", "retrieval wiki", "client"),
        (|| span::embedding("ada"), "spanwright::embedding", "embeddings ada", "client"),
    ]
}

/// Runs every kind under a parent in the given way and returns the children.
#[track_caller]
fn each_kind(way: impl Fn(AgentSpan)) -> Vec<Seen> {
    let children = every_kind().into_iter().map(|(open, target, title, kind)| {
        let seen = record(|| span::step("parent").in_scope(|| way(open())));
        assert_eq!(seen.len(), 2);
        let child = seen[1].clone();
        assert_eq!((child.target.as_str(), child.title(), child.get("otel.kind")), (target, title, kind));
        assert_eq!(child.parent.as_deref(), Some("run_step parent"), "{title}");
        child
    });
    children.collect()
}

#[track_caller]
fn all_end_as(outcome: &str, way: impl Fn(AgentSpan)) -> Vec<Seen> {
    let seen = each_kind(way);
    for span in &seen {
        assert_eq!(span.outcome(), outcome, "{span:?}");
    }
    seen
}

fn broken() -> io::Error {
    io::Error::other("the wire is cut")
}

#[test]
fn a_closure_that_returns_ends_every_kind_as_ok() {
    let seen = all_end_as("ok", |span| assert_eq!(span.in_scope(|| 7), 7));
    assert!(seen.iter().all(|span| !span.fields.contains_key("otel.status_code")));
}

#[test]
fn a_future_that_returns_ends_every_kind_as_ok() {
    all_end_as("ok", |span| {
        let output: Aliased<&str> = block_on(span.run(async {
            pause().await;
            Ok("done")
        }));
        assert_eq!(output.unwrap(), "done");
    });
}

#[test]
fn an_err_ends_every_kind_as_an_error_with_type_and_message() {
    let failed = |span: AgentSpan| assert!(span.in_scope(|| Aliased::<()>::Err(broken())).is_err());
    let awaited = |span: AgentSpan| assert!(block_on(span.run(async { Aliased::<()>::Err(broken()) })).is_err());
    for seen in all_end_as("error", failed).iter().chain(&all_end_as("error", awaited)) {
        assert_eq!(seen.get("error.type"), "std::io::error::Error");
        assert_eq!(seen.get("otel.status_code"), "error");
        assert_eq!(seen.get("otel.status_description"), "the wire is cut");
    }
}

#[test]
fn a_future_dropped_half_way_ends_every_kind_as_cancelled() {
    all_end_as("cancelled", |span| poll_and_drop(span.run(std::future::pending::<()>())));
    all_end_as("cancelled", |span| drop(span.run(async {})));
}

#[test]
fn a_handle_dropped_without_a_word_ends_every_kind_as_cancelled() {
    all_end_as("cancelled", drop);
}

#[test]
fn a_panic_ends_every_kind_as_panicked_even_if_it_is_caught_outside() {
    all_end_as("panicked", |span| caught(|| span.in_scope(|| -> () { panic!("in a closure") })));
    all_end_as("panicked", |span| caught(|| block_on(span.run_with(async { panic!("in a future") }, |_, &()| ()))));
    all_end_as("panicked", |span| {
        caught(move || {
            let _held = span;
            panic!("while the handle is held")
        });
    });
}

#[test]
fn a_panic_within_a_poll_is_noted_before_the_future_is_dropped() {
    all_end_as("panicked", |span| {
        let mut future = Box::pin(span.run_with(async { panic!("in a poll") }, |_, &()| ()));
        caught(|| block_on(future.as_mut()));
        drop(future);
    });
}

#[test]
fn the_gravest_word_about_an_end_is_the_one_that_counts() {
    let seen = record_one(|| {
        let span = span::step("slow");
        poll_and_drop(span.run(std::future::pending::<()>()));
        span.time_out();
        span.fail(&broken());
        span.finish();
    });
    assert_eq!((seen.outcome(), seen.get("error.type")), ("timed_out", "timeout"));

    let seen = record_one(|| {
        span::step("strict").in_scope_with(|| "no", |span, _| span.fail_with(&Failure::new("refused", "not today")));
    });
    assert_eq!((seen.outcome(), seen.get("error.type")), ("error", "refused"));
}

#[test]
fn an_option_is_fine_either_way_and_finish_is_ok() {
    for ok in [
        record_one(|| assert_eq!(span::step("maybe").in_scope(|| None::<u8>), None)),
        record_one(|| span::step("by hand").finish()),
    ] {
        assert_eq!(ok.outcome(), "ok");
    }
}

#[test]
fn a_finished_future_ends_its_span_although_it_is_still_held() {
    let seen = record(|| {
        let mut first = Box::pin(span::step("first").run(async {}));
        block_on(first.as_mut());
        span::step("second").in_scope(|| ());
        drop(first);
    });
    assert_eq!(seen[1].parent, None);
}

#[test]
fn what_a_dropped_future_holds_ends_under_its_own_parent() {
    struct Leaving;
    impl Drop for Leaving {
        fn drop(&mut self) {
            span::step("goodbye").finish();
        }
    }
    let held = || async {
        let _leaving = Leaving;
        std::future::pending::<()>().await;
    };
    let seen = record(|| poll_and_drop(span::agent("outer").run(held())));
    assert_eq!(seen[1].parent.as_deref(), Some("invoke_agent outer"));
}

#[test]
fn a_future_that_is_not_send_runs_and_one_that_is_send_stays_so() {
    fn is_send<T: Send + 'static>(value: T) -> T {
        value
    }
    let shared = Rc::new(Cell::new(0));
    block_on(span::step("local").run(async { shared.set(1) }));
    assert_eq!(shared.get(), 1);
    block_on(is_send(span::step("sent").run(async {})));
}

#[test]
fn a_model_call_keeps_its_facts_as_numbers_and_texts() {
    let seen = record_one(|| {
        let llm = span::llm("gpt-4o");
        llm.provider("openai").conversation("c1").finish_reason("stop").streaming(true);
        llm.usage(120, 30)
            .cached_tokens(100)
            .reasoning_tokens(u64::MAX)
            .time_to_first_chunk(Duration::from_millis(250));
        llm.finish();
    });
    for (field, value) in [
        (semconv::OPERATION_NAME, "chat"),
        (semconv::REQUEST_MODEL, "gpt-4o"),
        (semconv::PROVIDER_NAME, "openai"),
        (semconv::CONVERSATION_ID, "c1"),
        (semconv::FINISH_REASONS, "[\"stop\"]"),
        (semconv::REQUEST_STREAM, "true"),
        (semconv::INPUT_TOKENS, "120"),
        (semconv::OUTPUT_TOKENS, "30"),
        (semconv::CACHE_READ_TOKENS, "100"),
        (semconv::REASONING_TOKENS, "9223372036854775807"),
        (semconv::TIME_TO_FIRST_CHUNK, "0.25"),
        (semconv::RIG_COMPLETION_PARENT, "true"),
    ] {
        assert_eq!(seen.get(field), value, "{field}");
    }
}

#[test]
fn the_other_kinds_keep_the_facts_that_are_theirs() {
    let tool = record_one(|| {
        let tool = span::tool("search");
        tool.tool_call_id("call_1").arguments("{\"q\":1}").result("[]").usage(1, 2);
        tool.finish();
    });
    assert_eq!(tool.get(semconv::TOOL_CALL_ID), "call_1");
    assert_eq!(tool.get(semconv::TOOL_CALL_ARGUMENTS), "{\"q\":1}");
    assert_eq!(tool.get(semconv::TOOL_CALL_RESULT), "[]");
    assert_eq!(tool.get(semconv::INPUT_TOKENS), "", "a tool has no tokens");

    let memory = record_one(|| {
        span::memory_recall("who").records(3);
    });
    assert_eq!((memory.get(semconv::MEMORY_QUERY_TEXT), memory.get(semconv::MEMORY_RECORD_COUNT)), ("who", "3"));

    let guardrail = record_one(|| {
        span::guardrail("pii").verdict(Decision::Block, Some("a name")).score(0.5);
    });
    assert_eq!(guardrail.get(semconv::GUARDRAIL_DECISION), "block");
    assert_eq!(guardrail.get(semconv::GUARDRAIL_REASON), "a name");
    assert_eq!(guardrail.get(semconv::GUARDRAIL_SCORE), "0.5");
    assert_eq!(guardrail.get(semconv::EVALUATION_SCORE), "");

    let evaluator = record_one(|| {
        span::evaluator("relevance").score(4.5).label("relevant").explanation("it says so");
    });
    assert_eq!(
        (evaluator.get(semconv::EVALUATION_NAME), evaluator.get(semconv::EVALUATION_SCORE)),
        ("relevance", "4.5")
    );
    assert_eq!(evaluator.get(semconv::EVALUATION_LABEL), "relevant");
    assert_eq!(evaluator.get(semconv::EVALUATION_EXPLANATION), "it says so");
}

#[test]
fn the_current_span_takes_facts_without_a_handle_and_leaves_its_end_to_its_owner() {
    let seen = record_one(|| {
        span::llm("gpt-4o").in_scope(|| {
            spanwright::current().usage(1, 2);
            span::text_delta("Hel");
            span::reasoning_delta("hm");
        });
    });
    assert_eq!((seen.outcome(), seen.get(semconv::OUTPUT_TOKENS)), ("ok", "2"));
    assert_eq!(
        seen.events,
        [
            "spanwright::delta {\"spanwright.delta.text\": \"Hel\"}",
            "spanwright::delta {\"spanwright.delta.reasoning\": \"hm\"}"
        ]
    );
}

#[test]
fn a_span_declares_all_that_rig_needs_to_fill_it_in() {
    struct Declared;
    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Declared {
        fn on_new_span(
            &self,
            attributes: &tracing::span::Attributes<'_>,
            _: &tracing::span::Id,
            _: tracing_subscriber::layer::Context<'_, S>,
        ) {
            let declared = attributes.metadata().fields();
            for name in RIG_NEEDS {
                assert!(declared.field(name).is_some(), "{name}");
            }
        }
    }
    use tracing_subscriber::layer::SubscriberExt as _;
    let subscriber = tracing_subscriber::registry().with(Declared);
    tracing::subscriber::with_default(subscriber, || span::llm("gpt-4o").finish());
}

const RIG_NEEDS: [&str; 15] = [
    "rig.completion_parent",
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.system_instructions",
    "gen_ai.response.id",
    "gen_ai.response.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.tool_use_prompt_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
];

#[test]
fn without_a_subscriber_nothing_is_open_and_the_work_runs_all_the_same() {
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::new(), || {
        for (open, ..) in every_kind() {
            let span = open();
            assert!(!span.is_enabled());
            span.fail(&broken());
            assert_eq!(span.in_scope_with(|| 1, |_, _| panic!("nobody asked")), 1);
            assert_eq!(block_on(span.run_with(async { 2 }, |_, _| panic!("nobody asked"))), 2);
        }
    });
}

#[test]
fn a_thread_and_a_task_stay_in_the_span_that_started_them() {
    let seen = record(|| {
        span::agent("outer").in_scope(|| {
            std::thread::spawn(span::in_context(|| span::step("thread").finish())).join().unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async { span::spawn(async { span::step("task").finish() }).await.unwrap() });
        });
    });
    let parents: Vec<_> = seen[1..].iter().map(|span| (span.title(), span.parent.as_deref())).collect();
    let outer = Some("invoke_agent outer");
    assert_eq!(parents, [("run_step thread", outer), ("run_step task", outer)]);
}

#[test]
fn an_aborted_task_ends_as_cancelled() {
    let seen = record_one(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let task = span::spawn(span::tool("stuck").run(std::future::pending::<()>()));
            tokio::task::yield_now().await;
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        });
    });
    assert_eq!(seen.outcome(), "cancelled");
}
