//! What tracing-opentelemetry exports of our spans by itself, with no layer of ours: right, and no key twice.

use crate::beside_otel::Exporter;
use opentelemetry::{
    Value,
    trace::{SpanKind, Status},
};
use opentelemetry_sdk::trace::SpanData;
use spanwright::span::{self, AgentSpan, Decision};
use std::{
    collections::{BTreeMap, HashSet},
    io,
    time::Duration,
};
use tracing_subscriber::{prelude::*, registry};

fn exported(program: impl FnOnce()) -> Vec<SpanData> {
    let exporter = Exporter::new();
    tracing::subscriber::with_default(registry().with(exporter.layer()), program);
    let spans = exporter.spans();
    for span in &spans {
        let mut keys = HashSet::new();
        let again: Vec<_> = span.attributes.iter().filter(|pair| !keys.insert(pair.key.clone())).collect();
        assert!(again.is_empty(), "{} has {again:?} twice", span.name);
    }
    spans
}

fn attributes(span: &SpanData) -> BTreeMap<&str, &Value> {
    span.attributes.iter().map(|pair| (pair.key.as_str(), &pair.value)).collect()
}

/// Everything that can be said of a span, as often as a program may say it by itself.
fn say_all(span: AgentSpan) {
    span.in_scope(|| {
        span.provider("openai").response_model("gpt-4o-2024").response_id("r").streaming(true).finish_reason("stop");
        span.time_to_first_chunk(Duration::from_millis(250)).history_length(2).records(3).position(1).score(0.5);
        span.tool_call_id("call_1").arguments("{}").result("[]").input("in").output("out").session("s").user("u");
        // As a stream tells them: more each time.
        for tokens in 1..4 {
            span.usage(10 * tokens, tokens)
                .cached_tokens(tokens)
                .cache_creation_tokens(tokens)
                .reasoning_tokens(tokens);
        }
        span.verdict(Decision::Block, Some("why")).stage("input");
    });
}

fn every_kind() -> Vec<(AgentSpan, &'static str, SpanKind)> {
    vec![
        (span::agent("research"), "invoke_agent research", SpanKind::Internal),
        (span::workflow("report"), "invoke_workflow report", SpanKind::Internal),
        (span::step("plan"), "run_step plan", SpanKind::Internal),
        (span::llm("gpt-4o"), "chat gpt-4o", SpanKind::Client),
        (span::embedding("small"), "embeddings small", SpanKind::Client),
        (span::tool("search"), "execute_tool search", SpanKind::Internal),
        (span::memory_recall("q"), "search_memory", SpanKind::Internal),
        (span::memory_store("s"), "create_memory", SpanKind::Internal),
        (span::memory_update("r"), "update_memory", SpanKind::Internal),
        (span::memory_forget("r"), "delete_memory", SpanKind::Internal),
        (span::guardrail("pii"), "run_guardrail pii", SpanKind::Internal),
        (span::retriever("wiki"), "retrieval wiki", SpanKind::Client),
    ]
}

#[test]
fn every_kind_is_exported_with_its_name_kind_integers_and_no_status_when_all_went_well() {
    let mut expected = Vec::new();
    let spans = exported(|| {
        for (span, name, kind) in every_kind() {
            expected.push((name.to_owned(), kind));
            match name {
                // Said by its constructor.
                "search_memory" => span.in_scope(|| ()),
                "create_memory" | "update_memory" | "delete_memory" => span.in_scope(|| ()),
                _ => say_all(span),
            }
        }
    });
    let named: Vec<_> = spans.iter().map(|span| (span.name.to_string(), span.span_kind.clone())).collect();
    assert_eq!(named, expected);
    for span in &spans {
        assert_eq!(span.status, Status::Unset, "{}", span.name);
        let attributes = attributes(span);
        assert_eq!(attributes["spanwright.outcome"].as_str(), "ok");
        assert!(!attributes.contains_key("error.type") && !attributes.contains_key("otel.name"));
        for (key, value) in attributes {
            let counts = key.contains("tokens") || key.ends_with("count") || key.ends_with("index");
            assert!(!counts || matches!(value, Value::I64(_)), "{key} of {} is {value:?}", span.name);
        }
    }
}

#[test]
fn counts_that_grow_are_exported_once_as_the_last_of_them() {
    let spans = exported(|| say_all(span::llm("gpt-4o")));
    let attributes = attributes(&spans[0]);
    for (key, expected) in [
        ("gen_ai.usage.input_tokens", 30),
        ("gen_ai.usage.output_tokens", 3),
        ("gen_ai.usage.cache_read.input_tokens", 3),
        ("gen_ai.usage.cache_creation.input_tokens", 3),
        ("gen_ai.usage.reasoning.output_tokens", 3),
    ] {
        assert_eq!(attributes[key], &Value::I64(expected), "{key}");
    }
    assert_eq!(attributes["gen_ai.response.time_to_first_chunk"], &Value::F64(0.25));
    assert_eq!(attributes["gen_ai.request.stream"], &Value::Bool(true));
}

#[test]
fn counts_told_without_a_handle_are_exported_too() {
    let spans = exported(|| span::llm("gpt-4o").in_scope(|| spanwright::current().usage(7, 8)));
    assert_eq!(attributes(&spans[0])["gen_ai.usage.input_tokens"], &Value::I64(7));
}

#[test]
fn every_way_to_fail_is_exported_as_one_error_with_a_type_and_a_description() {
    let failed = |kind: &str| io::Error::other(kind.to_owned());
    let spans = exported(|| {
        for (span, ..) in every_kind() {
            // The first word on a failure stays, however many follow.
            let _ = span.in_scope(|| {
                span.fail(&failed("the first"));
                span.time_out();
                Err::<(), _>(failed("the second"))
            });
        }
    });
    assert_eq!(spans.len(), every_kind().len());
    for span in &spans {
        assert_eq!(span.status, Status::error("the first"), "{}", span.name);
        assert_eq!(attributes(span)["error.type"].as_str(), "std::io::error::Error");
    }
}

#[test]
fn a_panic_is_an_error_and_a_cancellation_is_none() {
    let spans = exported(|| {
        crate::record::caught(|| span::tool("broken").in_scope(|| -> () { panic!("as the test wants") }));
        crate::record::poll_and_drop(span::tool("given up").run(std::future::pending::<()>()));
    });
    assert_eq!(spans[0].status, Status::error("panicked"));
    assert_eq!(attributes(&spans[0])["error.type"].as_str(), "panic");
    assert_eq!(
        (&spans[1].status, attributes(&spans[1])["spanwright.outcome"].as_str()),
        (&Status::Unset, "cancelled".into())
    );
}

#[spanwright::llm(model = "gpt-4o", fields(gen_ai.provider.name = "openai"))]
fn ask(question: &str) -> Result<String, io::Error> {
    spanwright::current().usage(3, 4);
    if question.is_empty() { Err(io::Error::other("nothing asked")) } else { Ok("because".into()) }
}

#[spanwright::agent]
async fn research(question: String) -> Result<String, io::Error> {
    ask(&question)
}

#[test]
fn what_the_attributes_write_is_exported_right_too() {
    let spans = exported(|| {
        crate::record::block_on(research("why?".into())).expect("an answer");
        crate::record::block_on(research(String::new())).expect_err("an error");
    });
    let names: Vec<_> = spans.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(names, ["chat gpt-4o", "invoke_agent research", "chat gpt-4o", "invoke_agent research"]);
    let failed = |span: &SpanData| matches!(span.status, Status::Error { .. });
    assert_eq!(spans.iter().map(failed).collect::<Vec<_>>(), [false, false, true, true]);
    for chat in [&spans[0], &spans[2]] {
        let attributes = attributes(chat);
        assert_eq!(attributes["gen_ai.usage.output_tokens"], &Value::I64(4));
        assert_eq!(attributes["gen_ai.provider.name"].as_str(), "openai");
        assert_eq!(chat.span_kind, SpanKind::Client);
    }
}
