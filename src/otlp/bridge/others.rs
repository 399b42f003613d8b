//! An exporter for what is left: the spans that are not ours to tell.

use crate::layer::{FieldValue, FinishedSpan};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use std::time::Duration;

/// An exporter that leaves out the spans which [`AgentLayer`](crate::AgentLayer) tells: for a tracing-opentelemetry layer
/// beside ours, where both go to one back end.
///
/// That layer still sees all spans, and has to: so both sides have the same ids, and a plain span inside a tool call has the
/// call as its parent, which comes from our side. Agent spans are known by their attributes, by the table that the layer
/// reads; names that only your own [`Rules`](crate::Rules) know are not.
///
/// ```
/// use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
/// use spanwright::otlp::WithoutAgentSpans;
///
/// let exporter = WithoutAgentSpans::new(InMemorySpanExporter::default());
/// let provider = SdkTracerProvider::builder().with_simple_exporter(exporter).build();
/// # drop(provider);
/// ```
#[derive(Debug, Clone)]
pub struct WithoutAgentSpans<E>(E);

impl<E: SpanExporter> WithoutAgentSpans<E> {
    /// Gives everything else to this exporter.
    pub const fn new(exporter: E) -> Self {
        Self(exporter)
    }
}

impl<E: SpanExporter> SpanExporter for WithoutAgentSpans<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        batch.retain(|span| !is_agent_span(span));
        match batch.is_empty() {
            true => Ok(()),
            false => self.0.export(batch).await,
        }
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

fn is_agent_span(span: &SpanData) -> bool {
    let said = |key: &str| span.attributes.iter().find(|pair| pair.key.as_str() == key).map(|pair| pair.value.as_str());
    let target = FinishedSpan::TARGETS.into_iter().find_map(said);
    let attributes = span.attributes.iter().map(|pair: &KeyValue| (pair.key.as_str(), field(&pair.value)));
    FinishedSpan::new(&span.name, target.as_deref().unwrap_or_default(), attributes).is_agent_span()
}

fn field(value: &Value) -> FieldValue {
    match value {
        Value::Bool(yes) => FieldValue::Bool(*yes),
        Value::I64(number) => u64::try_from(*number).map_or(FieldValue::Float(*number as f64), FieldValue::Unsigned),
        Value::F64(number) => FieldValue::Float(*number),
        other => FieldValue::Text(other.as_str().into_owned().into()),
    }
}
