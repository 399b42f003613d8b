//! Beside tracing-opentelemetry our ids are its ids.

use crate::child;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{InMemorySpanExporter, SdkTracerProvider, Span, SpanData, SpanProcessor},
};
use proptest::prelude::*;
use spanwright::{
    AgentLayer, ExecutionId, Recorder, StepId, StreamEvent,
    hub::{Filter, From},
    span,
};
use std::{
    cell::Cell,
    collections::{BTreeSet, HashSet},
    time::Duration,
};
use tracing::{Dispatch, Instrument, Subscriber, field::Empty, info_span};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::{Layer, filter::filter_fn, prelude::*, registry, registry::LookupSpan};

const LIMIT: Duration = Duration::from_secs(60);

/// OpenTelemetry's side: a provider that keeps what it is given.
pub(crate) struct Exporter {
    provider: SdkTracerProvider,
    spans: InMemorySpanExporter,
}

impl Exporter {
    pub(crate) fn new() -> Self {
        let spans = InMemorySpanExporter::default();
        Self { provider: SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build(), spans }
    }

    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(
        &self,
    ) -> OpenTelemetryLayer<S, opentelemetry_sdk::trace::Tracer> {
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer("test"))
    }

    pub(crate) fn spans(&self) -> Vec<SpanData> {
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

/// A span in a program: how it comes to be, and what is inside.
#[derive(Debug, Clone)]
struct Tree {
    way: u8,
    inside: Vec<Tree>,
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = (0..6_u8).prop_map(|way| Tree { way, inside: Vec::new() });
    leaf.prop_recursive(4, 24, 4, |inner| {
        (0..6_u8, prop::collection::vec(inner, 0..4)).prop_map(|(way, inside)| Tree { way, inside })
    })
}

impl Tree {
    fn run(&self) {
        let inside = || self.inside.iter().for_each(Self::run);
        match self.way {
            0 => span::tool("entered").in_scope(inside),
            // Its start waits for what it is, which a child does not.
            1 => info_span!("plain", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = Empty).in_scope(inside),
            2 => info_span!("http").in_scope(inside),
            3 => drop((span::llm("never entered").usage(1, 2), inside())),
            4 => {
                let span = info_span!(parent: &tracing::Span::current(), "e", gen_ai.operation.name = "run_step");
                drop(info_span!(parent: &span, "c", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "c"));
                span.in_scope(inside);
            }
            _ => {
                let span = span::agent("told before it is entered");
                span.input("in").callable("f");
                span.in_scope(inside);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn however_spans_come_to_be_our_ids_are_its_ids(trees in prop::collection::vec(tree(), 1..4)) {
        for order in ORDERS {
            let (events, spans) = record(order, || trees.iter().for_each(|tree| span::agent("root").in_scope(|| tree.run())));
            prop_assert_eq!(ids_in(&events), ids_of(&spans, "http"), "{:?}", order);
        }
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
fn an_agent_that_is_never_entered_has_its_ids_too() {
    for order in ORDERS {
        let (events, spans) = record(order, || drop(span::agent("never entered")));
        assert_eq!(ids_in(&events), ids_of(&spans, ""), "{order:?}");
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

/// A processor that logs, in a span of its own, when a span starts. (One that opened an agent span could lock itself out.)
#[derive(Debug)]
struct Meddler;

impl SpanProcessor for Meddler {
    fn on_start(&self, _: &mut Span, _: &opentelemetry::Context) {
        thread_local!(static BUSY: Cell<bool> = const { Cell::new(false) });
        if !BUSY.replace(true) {
            tracing::info!("a span starts");
            tracing::info_span!("of the processor").in_scope(|| tracing::info!("inside"));
            BUSY.set(false);
        }
    }

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn a_processor_that_logs_in_spans_while_it_is_asked_for_ids_locks_nobody_out() {
    const TEST: &str = "beside_otel::a_processor_that_logs_in_spans_while_it_is_asked_for_ids_locks_nobody_out";
    let Some(part) = child::part() else {
        for part in ["OtelFirst", "OtelLast"] {
            child::run(TEST, part, &[]);
        }
        return;
    };
    let spans = InMemorySpanExporter::default();
    let provider =
        SdkTracerProvider::builder().with_span_processor(Meddler).with_simple_exporter(spans.clone()).build();
    let exporter = Exporter { provider, spans };
    let recorder = Recorder::builder().start().expect("start");
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    let ours = AgentLayer::new(recorder.clone());
    let subscriber: Dispatch = match part.as_str() {
        "OtelFirst" => registry().with(exporter.layer()).with(ours).into(),
        _ => registry().with(ours).with(exporter.layer()).into(),
    };
    tracing::dispatcher::set_global_default(subscriber).expect("the only one");
    (0..3).for_each(|_| work());
    recorder.settle().wait(LIMIT).expect("settle");
    let events: Vec<_> = std::iter::from_fn(|| stream.try_next()).collect();
    assert!(ids_in(&events).is_subset(&ids_of(&exporter.spans(), "http")), "{events:#?}");
    assert_eq!(recorder.stats().callback_panics, 0);
}
