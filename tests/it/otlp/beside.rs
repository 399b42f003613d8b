//! Beside a tracing-opentelemetry layer, with one back end behind both: each span comes once, in one trace.

use super::LIMIT;
use opentelemetry::{
    KeyValue,
    trace::{Tracer, TracerProvider},
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use spanwright::{
    AgentLayer, Recorder,
    log::MemoryLog,
    otlp::{Destination, WithoutAgentSpans},
    span,
};
use std::collections::{BTreeMap, HashMap};
use tracing::{field::Empty, info_span};
use tracing_subscriber::{prelude::*, registry};

/// Agents in all the ways in which a span comes to be told, plain spans around and inside.
fn work() {
    let _request = info_span!("GET /ask").entered();
    span::agent("research").in_scope(|| {
        span::llm("gpt-4o").in_scope(|| info_span!("connect").in_scope(|| ()));
        span::tool("search").in_scope(|| info_span!("SELECT").in_scope(|| ()));
        let chat = info_span!("chat", gen_ai.operation.name = "chat", gen_ai.request.model = Empty);
        chat.record("gen_ai.request.model", "gpt-5");
        let known = info_span!(target: "adk_runner", "agent.execute");
        known.in_scope(|| drop(info_span!(target: "adk_agent", "call_llm")));
        drop(info_span!(target: "adk_agent", "", otel.name = "execute_tool weather"));
        span::guardrail("pii").in_scope(|| ());
    });
}

fn ids(spans: &[SpanData]) -> BTreeMap<String, String> {
    spans.iter().map(|span| (span.span_context.span_id().to_string(), span.name.to_string())).collect()
}

#[test]
fn each_span_comes_once_and_under_the_parent_that_it_had() {
    let (whole, theirs, ours) = Default::default();
    let provider =
        |exporter: &InMemorySpanExporter| SdkTracerProvider::builder().with_simple_exporter(exporter.clone());
    // What the layer has altogether, and what is left of it for the back end.
    let both =
        provider(&whole).with_simple_exporter(WithoutAgentSpans::new(InMemorySpanExporter::clone(&theirs))).build();
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
    let layer = tracing_opentelemetry::layer().with_tracer(both.tracer("test"));
    let subscriber = registry().with(layer).with(AgentLayer::new(recorder.clone()));
    tracing::subscriber::with_default(subscriber, work);
    recorder.flush().wait(LIMIT).expect("flush");
    let delivery = Destination::exporter(InMemorySpanExporter::clone(&ours))
        .start(recorder.log().expect("log").clone())
        .expect("start");
    delivery.flush().wait(LIMIT).expect("flush");
    let [whole, theirs, ours] = [&whole, &theirs, &ours].map(|one| one.get_finished_spans().expect("spans"));
    let mut together = ids(&ours);
    for (id, name) in ids(&theirs) {
        assert!(together.insert(id, name.clone()).is_none(), "{name} comes from both sides");
    }
    assert!(ids(&whole).keys().eq(together.keys()), "{:?} {together:?}", ids(&whole));
    assert_eq!(ids(&theirs).into_values().collect::<std::collections::BTreeSet<_>>().len(), 3, "{theirs:?}");
    // One trace, and every parent that OpenTelemetry knew is there, but of our root: the request is around it.
    let parents: HashMap<String, String> =
        whole.iter().map(|span| (key(span), span.parent_span_id.to_string())).collect();
    let root = ours.iter().find(|span| span.name == "invoke_agent research").expect("root");
    for span in theirs.iter().chain(&ours).filter(|span| span.span_context != root.span_context) {
        assert_eq!(span.parent_span_id.to_string(), parents[&key(span)], "{}", span.name);
    }
    let trace = whole[0].span_context.trace_id();
    assert!(theirs.iter().chain(&ours).all(|span| span.span_context.trace_id() == trace));
}

/// `with_target(false)`: the module is told all the same.
#[test]
fn spans_of_a_known_crate_are_ours_to_tell_without_a_target_too() {
    let theirs = InMemorySpanExporter::default();
    let exporter = WithoutAgentSpans::new(theirs.clone());
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter).build();
    let tracer = provider.tracer("test");
    for module in ["adk_runner", "hyper::client"] {
        let span = tracer.span_builder("agent.execute").with_attributes([KeyValue::new("code.module.name", module)]);
        drop(span.start(&tracer));
    }
    assert_eq!(theirs.get_finished_spans().expect("spans").len(), 1);
}

fn key(span: &SpanData) -> String {
    span.span_context.span_id().to_string()
}
