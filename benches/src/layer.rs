//! The door through `tracing`: the same call sites under our layer and under what others put there.

use crate::{
    case::{Case, Cases, Op, PER_PARENT},
    words::Words,
};
use opentelemetry::{Context, trace::TracerProvider as _};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, Span, SpanData, SpanExporter, SpanProcessor},
};
use spanwright::{AgentLayer, Recorder};
use std::{hint::black_box, sync::OnceLock, time::Duration};
use tracing::{Subscriber, info, info_span};
use tracing_subscriber::{Registry, layer::Layer, layer::SubscriberExt};

/// HOOK: our layer over a registry, feeding a hub without readers.
fn ours() -> impl Subscriber + Send + Sync {
    let recorder = RECORDER.get_or_init(|| Recorder::builder().start().expect("recorder"));
    tracing_subscriber::registry().with(AgentLayer::new(recorder.clone()))
}

/// HOOK: the same when nobody wants events.
fn ours_unwanted() -> impl Subscriber + Send + Sync {
    let recorder = RECORDER.get_or_init(|| Recorder::builder().without_hub().start().expect("recorder"));
    tracing_subscriber::registry().with(AgentLayer::new(recorder.clone()))
}

static RECORDER: OnceLock<Recorder> = OnceLock::new();
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

pub fn spanwright(op: Op) -> Cases {
    under(ours(), op)
}

pub fn spanwright_unwanted(op: Op) -> Cases {
    under(ours_unwanted(), op)
}

/// No subscriber at all.
pub fn off(op: Op) -> Cases {
    Box::new(move || Box::new(Traced { words: Words::new(), op }))
}

pub fn registry(op: Op) -> Cases {
    under(tracing_subscriber::registry(), op)
}

pub fn empty_layer(op: Op) -> Cases {
    under(tracing_subscriber::registry().with(Empty), op)
}

pub fn fmt_to_sink(op: Op) -> Cases {
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(std::io::sink);
    under(tracing_subscriber::registry().with(layer), op)
}

/// tracing-opentelemetry with the SDK's batch processor and an exporter that throws away.
pub fn otel_batch(op: Op) -> Cases {
    opentelemetry(SdkTracerProvider::builder().with_batch_exporter(NoExport).build(), op)
}

/// The same with a processor that throws away: no queue, no second thread.
pub fn otel_no_op(op: Op) -> Cases {
    opentelemetry(SdkTracerProvider::builder().with_span_processor(NoProcess).build(), op)
}

fn opentelemetry(provider: SdkTracerProvider, op: Op) -> Cases {
    let tracer = PROVIDER.get_or_init(|| provider).tracer("cost");
    under(tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer)), op)
}

fn under(subscriber: impl Subscriber + Send + Sync, op: Op) -> Cases {
    tracing::subscriber::set_global_default(subscriber).expect("the first subscriber of its process");
    off(op)
}

struct Empty;

impl Layer<Registry> for Empty {}

#[derive(Debug)]
struct NoExport;

impl SpanExporter for NoExport {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        drop(black_box(batch));
        Ok(())
    }
}

#[derive(Debug)]
struct NoProcess;

impl SpanProcessor for NoProcess {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        drop(black_box(span));
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

struct Traced {
    words: Words,
    op: Op,
}

impl Case for Traced {
    fn burst(&mut self, times: usize) {
        let words = black_box(&self.words);
        for _ in 0..times / PER_PARENT {
            let agent =
                info_span!("invoke_agent", gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = &*words.tool);
            let _inside = agent.enter();
            match self.op {
                Op::Span | Op::Step => (0..PER_PARENT).for_each(|_| tool(words)),
                Op::Event => (0..PER_PARENT).for_each(|_| usage(words)),
                _ => deltas(words),
            }
        }
    }

    fn drain(&mut self) {
        if let Some(recorder) = RECORDER.get() {
            recorder.flush().wait(Duration::from_secs(60)).expect("flush");
            let stats = recorder.stats();
            assert_eq!((stats.shed(), stats.merged), (0, 0), "a burst fits into the queue: {stats:?}");
        }
        if let Some(provider) = PROVIDER.get() {
            provider.force_flush().expect("flush");
        }
    }
}

/// S: six fields, entered, left, closed.
fn tool(words: &Words) {
    let span = info_span!(
        "execute_tool",
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = &*words.tool,
        gen_ai.tool.call.id = &*words.call_id,
        gen_ai.request.model = &*words.model,
        gen_ai.provider.name = &*words.provider,
        spanwright.history_length = words.history_length,
    );
    span.in_scope(|| black_box(()));
}

/// E: eight fields.
fn usage(words: &Words) {
    info!(
        target: "usage",
        execution_id = &*words.execution_text,
        step_id = &*words.step_text,
        gen_ai.usage.input_tokens = words.tokens[0],
        gen_ai.usage.output_tokens = words.tokens[1],
        total_tokens = words.tokens[2],
        cumulative_tokens = words.tokens[3],
        cost_usd = words.cost[0],
        cumulative_cost_usd = words.cost[1],
    );
}

/// D: pieces of an answer, in the span of the model call.
fn deltas(words: &Words) {
    let span = info_span!("chat", gen_ai.operation.name = "chat", gen_ai.request.model = &*words.model);
    let _inside = span.enter();
    for _ in 0..PER_PARENT {
        info!(target: "spanwright::delta", id = &*words.segment_id, spanwright.delta.text = &*words.piece);
    }
}
