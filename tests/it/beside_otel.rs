//! Beside tracing-opentelemetry our ids are its ids; and what it exports of our spans, with or without our layer, is right.

use opentelemetry::{
    Value,
    trace::{SpanKind, Status, TraceContextExt, TracerProvider},
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use spanwright::{
    AgentLayer, ExecutionId, Recorder, StepId, StreamEvent,
    hub::{Filter, From},
    span::{self, AgentSpan, Decision},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io,
    time::Duration,
};
use tracing::{Dispatch, Instrument, Subscriber, field::Empty, info_span};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::{Layer, filter::filter_fn, prelude::*, registry, registry::LookupSpan};

const LIMIT: Duration = Duration::from_secs(20);

/// OpenTelemetry's side: a provider that keeps what it is given.
struct Exporter {
    provider: SdkTracerProvider,
    spans: InMemorySpanExporter,
}

impl Exporter {
    fn new() -> Self {
        let spans = InMemorySpanExporter::default();
        Self { provider: SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build(), spans }
    }

    fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> OpenTelemetryLayer<S, opentelemetry_sdk::trace::Tracer> {
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer("test"))
    }

    fn spans(&self) -> Vec<SpanData> {
        self.spans.get_finished_spans().expect("spans")
    }
}

/// In which order the two layers are added.
#[derive(Clone, Copy, Debug)]
enum Order {
    OtelFirst,
    OtelLast,
}

const ORDERS: [Order; 2] = [Order::OtelFirst, Order::OtelLast];

/// What both saw of a program.
fn record(order: Order, program: impl Fn()) -> (Vec<StreamEvent>, Vec<SpanData>) {
    let exporter = Exporter::new();
    with_both(
        &exporter,
        |ours| match order {
            Order::OtelFirst => registry().with(exporter.layer()).with(ours()).into(),
            Order::OtelLast => registry().with(ours()).with(exporter.layer()).into(),
        },
        program,
    )
}

fn with_both(
    exporter: &Exporter,
    subscriber: impl FnOnce(&dyn Fn() -> AgentLayer) -> Dispatch,
    program: impl Fn(),
) -> (Vec<StreamEvent>, Vec<SpanData>) {
    let recorder = Recorder::builder().start().expect("start");
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    let subscriber = subscriber(&|| AgentLayer::new(recorder.clone()));
    tracing::dispatcher::with_default(&subscriber, program);
    recorder.settle().wait(LIMIT).expect("settle");
    (std::iter::from_fn(|| stream.try_next()).collect(), exporter.spans())
}

/// Every span that OpenTelemetry has as a pair of our ids, but those of this name.
fn ids_of(spans: &[SpanData], without: &str) -> BTreeSet<(String, String)> {
    let ours = spans.iter().filter(|span| span.name != without).map(|span| &span.span_context);
    ours.map(|context| {
        let trace = ExecutionId::from_trace_id(u128::from_be_bytes(context.trace_id().to_bytes()));
        let span = StepId::from_span_id(u64::from_be_bytes(context.span_id().to_bytes()));
        (trace.to_string(), span.to_string())
    })
    .collect()
}

fn ids_in(events: &[StreamEvent]) -> BTreeSet<(String, String)> {
    let id = |id: Option<String>| id.expect("an id");
    let both = |event: &StreamEvent| {
        (id(event.execution_id.as_ref().map(ToString::to_string)), id(event.step_id.as_ref().map(ToString::to_string)))
    };
    events.iter().map(both).collect()
}

/// An agent in all the ways in which a span comes to be announced.
fn work() {
    span::agent("research").in_scope(|| {
        span::llm("gpt-4o").in_scope(|| span::text_delta("Rayleigh"));
        let _http = info_span!("http").entered();
        span::tool("search").in_scope(|| ());
        // Opened, filled in, and closed, but never entered.
        let chat = info_span!("chat", gen_ai.operation.name = "chat", gen_ai.request.model = Empty);
        chat.record("gen_ai.request.model", "gpt-5");
        drop(span::memory_recall("who"));
    });
}

#[test]
fn our_ids_are_its_ids_whichever_layer_was_added_first() {
    for order in ORDERS {
        let (events, spans) = record(order, || (0..3).for_each(|_| work()));
        assert_eq!(ids_in(&events), ids_of(&spans, "http"), "{order:?}");
        let traces: HashSet<_> = spans.iter().map(|span| span.span_context.trace_id()).collect();
        assert_eq!(traces.len(), 3, "{order:?}: an agent is a trace");
    }
}

#[test]
fn a_parent_in_our_record_is_the_parent_in_its_trace() {
    for order in ORDERS {
        let (events, spans) = record(order, || span::agent("a").in_scope(|| drop(span::tool("t"))));
        let [tool, agent] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(tool.parent_span_id, agent.span_context.span_id());
        let step = StepId::from_span_id(u64::from_be_bytes(agent.span_context.span_id().to_bytes()));
        let started = events.iter().find(|event| event.to_json().contains("tool-input-available")).expect("the tool");
        assert!(
            started.to_json().contains(&format!(r#""parent_step_id":"{step}""#)),
            "{order:?}: {}",
            started.to_json()
        );
    }
}

#[test]
fn threads_and_explicit_parents_keep_the_ids_equal() {
    for order in ORDERS {
        let (events, spans) = record(order, || {
            let agent = span::agent("a");
            agent.in_scope(|| {
                let thread = span::in_context(|| span::tool("elsewhere").in_scope(|| ()));
                std::thread::spawn(thread).join().expect("the thread");
                let parent = tracing::Span::current();
                let explicit =
                    info_span!(parent: &parent, "t", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "t");
                crate::record::block_on(async {}.instrument(explicit));
            });
        });
        assert_eq!(ids_in(&events), ids_of(&spans, ""), "{order:?}");
    }
}

#[test]
fn a_plain_span_that_is_taken_as_the_agent_has_its_ids() {
    for order in ORDERS {
        let (events, spans) = record(order, || info_span!("handle").in_scope(|| drop(span::tool("search"))));
        assert_eq!(ids_in(&events), ids_of(&spans, ""), "{order:?}");
        assert_eq!(spans.len(), 2);
    }
}

#[test]
fn an_agent_inside_a_trace_of_others_has_that_traces_id() {
    for order in ORDERS {
        let (events, spans) = record(order, || info_span!("request").in_scope(work));
        let request = spans.iter().find(|span| span.name == "request").expect("the request").span_context.trace_id();
        let execution = ExecutionId::from_trace_id(u128::from_be_bytes(request.to_bytes()));
        assert!(events.iter().all(|event| event.execution_id.as_ref() == Some(&execution)), "{order:?}");
    }
}

#[test]
fn a_chosen_execution_id_stays_and_the_steps_have_its_span_ids_all_the_same() {
    for order in ORDERS {
        let (events, spans) = record(order, || {
            let agent = span::agent("a");
            agent.execution("order-4711");
            agent.in_scope(|| drop(span::tool("t")));
        });
        let steps = |ids: BTreeSet<(String, String)>| ids.into_iter().map(|(_, step)| step).collect::<BTreeSet<_>>();
        assert!(ids_in(&events).iter().all(|(execution, _)| execution == "order-4711"), "{order:?}");
        assert_eq!(steps(ids_in(&events)), steps(ids_of(&spans, "")), "{order:?}");
    }
}

#[test]
fn whoever_opens_an_agent_span_may_still_give_it_a_parent_from_elsewhere() {
    for order in ORDERS {
        let remote = opentelemetry::trace::SpanContext::new(
            0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.into(),
            0xb7ad_6b71_6920_3331_u64.into(),
            opentelemetry::TraceFlags::SAMPLED,
            true,
            Default::default(),
        );
        let (events, spans) = record(order, || {
            work();
            let span = info_span!("run", gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "a");
            let parent = opentelemetry::Context::new().with_remote_span_context(remote.clone());
            span.set_parent(parent).expect("not started yet");
            span.in_scope(|| ());
        });
        assert_eq!(spans.last().expect("a span").span_context.trace_id(), remote.trace_id(), "{order:?}");
        assert_eq!(ids_in(&events), ids_of(&spans, "http"), "{order:?}");
    }
}

#[test]
fn spans_that_its_own_filter_keeps_from_it_have_ids_of_ours_and_the_others_its() {
    for order in ORDERS {
        let exporter = Exporter::new();
        let filter = || filter_fn(|metadata| metadata.target() != "spanwright::tool");
        let (events, spans) = with_both(
            &exporter,
            |ours| match order {
                Order::OtelFirst => registry().with(exporter.layer().with_filter(filter())).with(ours()).into(),
                Order::OtelLast => registry().with(ours()).with(exporter.layer().with_filter(filter())).into(),
            },
            || {
                span::tool("alone, and not for it").in_scope(|| ());
                (0..2).for_each(|_| span::agent("not heard of yet").in_scope(|| drop(span::step("s"))));
                (0..2).for_each(|_| work());
            },
        );
        let (ours, its) = (ids_in(&events), ids_of(&spans, "http"));
        // The first agent shows that it is there; from then on nothing is missed.
        let missing: Vec<_> = its.difference(&ours).collect();
        assert!(missing.len() <= 2, "{order:?}: {missing:?}");
        assert_eq!(ours.difference(&its).count(), 3 + missing.len(), "{order:?}");
    }
}

#[test]
fn without_a_tracing_opentelemetry_layer_only_the_first_start_waits_to_learn_so() {
    let recorder = Recorder::builder().start().expect("start");
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    let mut started = || {
        recorder.settle().wait(LIMIT).expect("settle");
        std::iter::from_fn(|| stream.try_next()).count()
    };
    tracing::subscriber::with_default(registry().with(AgentLayer::new(recorder.clone())), || {
        let agent = || info_span!("run", gen_ai.operation.name = "invoke_agent");
        let first = agent();
        assert_eq!(started(), 0);
        first.in_scope(|| ());
        drop(first);
        assert_eq!(started(), 2);
        let _second = agent();
        assert_eq!(started(), 1);
    });
}

#[test]
fn a_layer_that_does_not_hand_the_subscriber_on_still_records() {
    let exporter = Exporter::new();
    let (events, spans) =
        with_both(&exporter, |ours| registry().with(exporter.layer()).with(Some(ours())).into(), work);
    assert_eq!((events.len(), spans.len()), (13, 6));
}

// -- exported by it alone ---------------------------------------------------------------------------------------------

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
    let spans = exported(|| span::llm("gpt-4o").in_scope(|| drop(span::current().usage(7, 8).clone())));
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
    span::current().usage(3, 4);
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
