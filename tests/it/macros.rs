//! What the attributes record.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use spanwright::semconv;
use spanwright::span::{self, Decision, Verdict};
use spanwright::{agent, embedding, evaluator, guardrail, llm, memory, retriever, step, tool, workflow};

use crate::record::{Seen, block_on, caught, pause, poll_and_drop, record, record_one};

#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

/// What the functions below are told to do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
enum Do {
    Return,
    Fail,
    Panic,
    Wait,
}

fn obey(what: Do) -> Result<u32, Broken> {
    match what {
        Do::Return | Do::Wait => Ok(7),
        Do::Fail => Err(Broken),
        Do::Panic => panic!("as told"),
    }
}

async fn obey_async(what: Do) -> Result<u32, Broken> {
    pause().await;
    if what == Do::Wait {
        std::future::pending::<()>().await;
    }
    obey(what)
}

struct Bench {
    name: &'static str,
}

/// A sync function, an async one and a method of each kind.
macro_rules! every_kind {
    ($($kind:ident [$($args:tt)*] $sync:ident $asynchronous:ident $method:ident;)*) => {
        $(
            #[$kind($($args)*)]
            fn $sync(what: Do) -> Result<u32, Broken> {
                obey(what)
            }

            #[$kind($($args)*)]
            async fn $asynchronous(what: Do) -> Result<u32, Broken> {
                obey_async(what).await
            }
        )*

        impl Bench {
            $(
                #[$kind($($args)*)]
                async fn $method(&self, what: Do) -> Result<u32, Broken> {
                    assert_eq!(self.name, "bench");
                    obey_async(what).await
                }
            )*
        }

        /// Runs each in each way it can be run.
        fn each(what: Do, check: impl Fn(&str, Seen)) {
            $(
                if what != Do::Wait {
                    check(stringify!($kind), under_a_parent(|| keep(what, || $sync(what))));
                }
                check(stringify!($kind), under_a_parent(|| keep(what, || block_on_or_drop(what, $asynchronous(what)))));
                let bench = Bench { name: "bench" };
                check(stringify!($kind), under_a_parent(|| keep(what, || block_on_or_drop(what, bench.$method(what)))));
            )*
        }
    };
}

every_kind! {
    agent [] agent_sync agent_async agent_method;
    workflow [] workflow_sync workflow_async workflow_method;
    step [] step_sync step_async step_method;
    llm [] llm_sync llm_async llm_method;
    tool [] tool_sync tool_async tool_method;
    memory [recall] recall_sync recall_async recall_method;
    memory [store] store_sync store_async store_method;
    memory [update] update_sync update_async update_method;
    memory [forget] forget_sync forget_async forget_method;
    guardrail [] guardrail_sync guardrail_async guardrail_method;
    evaluator [] evaluator_sync evaluator_async evaluator_method;
    retriever [] retriever_sync retriever_async retriever_method;
    embedding [] embedding_sync embedding_async embedding_method;
}

fn block_on_or_drop(what: Do, future: impl Future<Output = Result<u32, Broken>>) -> Result<u32, Broken> {
    if what != Do::Wait {
        return block_on(future);
    }
    let mut future = Box::pin(future);
    for _ in 0..3 {
        poll_once(future.as_mut());
    }
    Ok(7)
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) {
    assert!(future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending());
}

fn keep(what: Do, work: impl FnOnce() -> Result<u32, Broken>) {
    match what {
        Do::Panic => caught(work),
        Do::Fail => assert!(work().is_err()),
        Do::Return | Do::Wait => assert_eq!(work().unwrap(), 7),
    }
}

fn under_a_parent(work: impl FnOnce()) -> Seen {
    let mut seen = record(|| span::step("parent").in_scope(work));
    assert_eq!(seen.len(), 2);
    let child = seen.remove(1);
    assert_eq!(child.parent.as_deref(), Some("run_step parent"));
    child
}

#[test]
fn what_returns_ends_ok_with_its_input_and_its_output() {
    each(Do::Return, |kind, seen| {
        assert_eq!(seen.outcome(), "ok", "{kind}");
        assert_eq!(seen.target, format!("spanwright::{kind}"));
        let (input, output) = match kind {
            "tool" => (semconv::TOOL_CALL_ARGUMENTS, semconv::TOOL_CALL_RESULT),
            _ => (semconv::INPUT_VALUE, semconv::OUTPUT_VALUE),
        };
        assert_eq!((seen.get(input), seen.get(output)), ("{\"what\":\"Return\"}", "7"), "{kind}");
    });
}

#[test]
fn what_returns_an_err_ends_as_an_error_without_an_output() {
    each(Do::Fail, |kind, seen| {
        assert_eq!(seen.outcome(), "error", "{kind}");
        assert_eq!(seen.get("error.type"), "it::macros::Broken");
        assert_eq!((seen.get("otel.status_code"), seen.get("otel.status_description")), ("error", "broken"));
        assert_eq!((seen.get(semconv::OUTPUT_VALUE), seen.get(semconv::TOOL_CALL_RESULT)), ("", ""));
    });
}

#[test]
fn what_panics_ends_as_panicked_and_what_is_dropped_as_cancelled() {
    each(Do::Panic, |kind, seen| assert_eq!(seen.outcome(), "panicked", "{kind}"));
    each(Do::Wait, |kind, seen| assert_eq!(seen.outcome(), "cancelled", "{kind}"));
}

#[tool]
fn nested_outer() {
    nested_inner();
}

#[step(name = "inner step")]
fn nested_inner() {}

#[test]
fn a_call_within_a_call_is_its_child_and_a_given_name_stands_for_that_of_the_function() {
    let seen = record(nested_outer);
    assert_eq!(seen[0].title(), "execute_tool nested_outer");
    assert_eq!(
        (seen[1].title(), seen[1].parent.as_deref()),
        ("run_step inner step", Some("execute_tool nested_outer"))
    );
    assert_eq!((seen[0].get(semconv::CALLABLE_NAME), seen[1].get(semconv::CALLABLE_NAME)), ("", "nested_inner"));
}

#[derive(Debug)]
struct OnlyDebug;
struct Mute;

#[tool(skip(secret))]
fn captured(
    text: &str,
    shown: OnlyDebug,
    mute: Mute,
    secret: &str,
    _unused: u8,
    (left, mut right): (u8, u8),
    r#type: Option<&[f32]>,
) -> (u8, usize) {
    let _ = (text, shown, mute, r#type);
    right += left;
    (right, secret.len())
}

#[test]
fn arguments_are_json_by_serialize_else_debug_else_by_name_only() {
    let seen = record_one(|| captured("a \"b\"", OnlyDebug, Mute, "sesame", 0, (1, 2), Some(&[0.5])));
    assert_eq!(
        seen.get(semconv::TOOL_CALL_ARGUMENTS),
        r#"{"text":"a \"b\"","shown":"OnlyDebug","mute":null,"left":1,"right":2,"type":[0.5]}"#
    );
    assert_eq!(seen.get(semconv::TOOL_CALL_RESULT), "[3,6]");
}

struct Client {
    model: String,
}

impl Client {
    #[llm(model = self.model, name = "ask")]
    fn from_field(&self) -> Result<String, OnlyDebug> {
        spanwright::current().usage(10, 5);
        Err(OnlyDebug)
    }
}

#[llm]
fn from_argument(model: &str) -> &str {
    model
}

#[embedding]
fn from_an_argument_that_is_no_text(model: OnlyDebug) {
    let _ = model;
}

#[test]
fn the_model_is_an_expression_or_the_argument_of_that_name() {
    let field = record_one(|| Client { model: "gpt-4o".to_owned() }.from_field());
    assert_eq!((field.title(), field.get(semconv::REQUEST_MODEL)), ("chat gpt-4o", "gpt-4o"));
    assert_eq!((field.get(semconv::CALLABLE_NAME), field.get(semconv::OUTPUT_TOKENS)), ("ask", "5"));
    assert_eq!((field.outcome(), field.get("otel.status_description")), ("error", "OnlyDebug"));

    let argument = record_one(|| assert_eq!(from_argument("haiku"), "haiku"));
    assert_eq!((argument.title(), argument.get(semconv::REQUEST_MODEL)), ("chat haiku", "haiku"));

    let none = record_one(|| from_an_argument_that_is_no_text(OnlyDebug));
    assert_eq!((none.title(), none.get(semconv::REQUEST_MODEL)), ("embeddings", ""));
}

#[memory(recall)]
fn recalled(limit: usize, query: String) -> Result<Vec<&'static str>, Broken> {
    Ok(vec!["a", "b", "c"].into_iter().take(limit).filter(|_| !query.is_empty()).collect())
}

#[memory(recall)]
fn recalled_map(query: &str) -> HashMap<String, u8> {
    HashMap::from([(query.to_owned(), 1)])
}

#[memory(recall)]
fn recalled_text(query: &str) -> Result<String, Broken> {
    Ok(query.to_owned())
}

#[retriever(name = "wiki")]
fn retrieved(question: &str) -> Vec<String> {
    vec![question.to_owned()]
}

#[test]
fn a_recall_keeps_its_query_and_counts_what_has_a_length() {
    let vec = record_one(|| recalled(2, "who".to_owned()));
    assert_eq!((vec.get(semconv::MEMORY_QUERY_TEXT), vec.get(semconv::MEMORY_RECORD_COUNT)), ("who", "2"));
    let map = record_one(|| recalled_map("when"));
    assert_eq!((map.get(semconv::MEMORY_QUERY_TEXT), map.get(semconv::MEMORY_RECORD_COUNT)), ("when", "1"));
    assert_eq!(record_one(|| recalled_text("x")).get(semconv::MEMORY_RECORD_COUNT), "");
    let wiki = record_one(|| retrieved("why"));
    assert_eq!((wiki.title(), wiki.get(semconv::RETRIEVAL_QUERY_TEXT)), ("retrieval wiki", "why"));
}

#[derive(Debug)]
struct Judgement;

impl Verdict for Judgement {
    fn decision(&self) -> Decision {
        Decision::Warn
    }
    fn reason(&self) -> Option<&str> {
        Some("a name")
    }
    fn score(&self) -> Option<f64> {
        Some(0.75)
    }
}

#[guardrail]
fn judged() -> Result<Judgement, Broken> {
    Ok(Judgement)
}

#[guardrail]
fn passed(yes: bool) -> bool {
    yes
}

#[guardrail]
fn said(words: &str) -> String {
    words.to_owned()
}

#[test]
fn a_guardrail_keeps_its_verdict_whatever_type_bears_it() {
    let seen = record_one(judged);
    assert_eq!(seen.get(semconv::GUARDRAIL_DECISION), "warn");
    assert_eq!((seen.get(semconv::GUARDRAIL_REASON), seen.get(semconv::GUARDRAIL_SCORE)), ("a name", "0.75"));
    assert_eq!(record_one(|| passed(true)).get(semconv::GUARDRAIL_DECISION), "pass");
    assert_eq!(record_one(|| passed(false)).get(semconv::GUARDRAIL_DECISION), "block");
    assert_eq!(record_one(|| said("fine")).get(semconv::GUARDRAIL_DECISION), "");
}

#[step(fields(gen_ai.conversation.id = format!("c{id}"), spanwright.step.index = 2, attempt = id + 1, "odd key" = [1]))]
fn with_fields(id: u32) {
    let _ = id;
}

#[test]
fn fields_of_the_contract_are_themselves_and_the_others_stand_together() {
    let seen = record_one(|| with_fields(4));
    assert_eq!((seen.get(semconv::CONVERSATION_ID), seen.get(semconv::STEP_INDEX)), ("c4", "2"));
    let others: serde_json::Value = serde_json::from_str(seen.get(semconv::FIELDS)).unwrap();
    assert_eq!(others, serde_json::json!({ "attempt": 5, "odd key": [1] }));
}

thread_local! {
    static ASKED: Cell<u32> = const { Cell::new(0) };
}

fn ask() -> &'static str {
    ASKED.with(|asked| asked.set(asked.get() + 1));
    "asked"
}

struct Asking;

impl Serialize for Asking {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(ask())
    }
}

#[llm(model = ask(), fields(more = ask()))]
fn asking(what: Asking) -> Asking {
    what
}

#[test]
fn nothing_is_evaluated_while_nobody_listens() {
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::new(), || asking(Asking));
    assert_eq!(ASKED.with(Cell::get), 0);
    record_one(|| asking(Asking));
    assert_eq!(ASKED.with(Cell::get), 4);
}

#[step]
async fn never_polled() {}

#[test]
fn an_async_function_that_is_never_polled_leaves_no_span() {
    assert!(record(|| drop(never_polled())).is_empty());
    assert_eq!(record_one(|| poll_and_drop(async { tokio::join!(never_polled(), pause()) })).outcome(), "ok");
}
