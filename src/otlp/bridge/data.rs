//! A span as the SDK's `SpanData`: the map's words in the SDK's types.

use crate::{
    Timestamp,
    otlp::sink::{Head, SpanKind, SpanSink, Value},
};
use opentelemetry::{
    Array, InstrumentationScope, KeyValue, StringValue,
    trace::{Event, Link, SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Writes one span; [`finish`](DataSink::finish) gives it.
pub(super) struct DataSink {
    data: SpanData,
}

impl DataSink {
    pub(super) fn new(scope: InstrumentationScope, remote_parent: bool) -> Self {
        let data = SpanData {
            span_context: SpanContext::empty_context(),
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: remote_parent,
            span_kind: opentelemetry::trace::SpanKind::Internal,
            name: "".into(),
            start_time: UNIX_EPOCH,
            end_time: UNIX_EPOCH,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            // "Span Status MUST be left unset if the instrumented operation has ended without any errors".
            status: Status::Unset,
            instrumentation_scope: scope,
        };
        Self { data }
    }

    pub(super) fn finish(self) -> SpanData {
        self.data
    }
}

impl SpanSink for DataSink {
    fn begin(&mut self, head: &Head<'_>) {
        let data = &mut self.data;
        data.span_context = context(head.trace_id, head.span_id);
        data.parent_span_id = head.parent.map_or(SpanId::INVALID, span_id);
        data.name = head.name.to_owned().into();
        data.span_kind = match head.kind {
            SpanKind::Internal => opentelemetry::trace::SpanKind::Internal,
            SpanKind::Client => opentelemetry::trace::SpanKind::Client,
        };
        (data.start_time, data.end_time) = (system_time(head.start), system_time(head.end));
    }

    fn attribute(&mut self, key: &str, value: Value<'_>) {
        self.data.attributes.push(attribute(key, value));
    }

    fn event(&mut self, name: &str, time: Timestamp, attributes: &[(&str, Value<'_>)]) {
        let event = Event::new(name.to_owned(), system_time(time), all(attributes), 0);
        self.data.events.events.push(event);
    }

    fn dropped_events(&mut self, count: u32) {
        self.data.events.dropped_count = count;
    }

    fn link(&mut self, trace_id: u128, span_id: u64, attributes: &[(&str, Value<'_>)]) {
        self.data.links.links.push(Link::new(context(trace_id, span_id), all(attributes), 0));
    }

    fn error(&mut self, description: &str) {
        self.data.status = Status::error(description.to_owned());
    }

    fn end(&mut self) {}
}

/// Recorded, so sampled.
fn context(trace_id: u128, id: u64) -> SpanContext {
    let trace_id = TraceId::from_bytes(trace_id.to_be_bytes());
    SpanContext::new(trace_id, span_id(id), TraceFlags::SAMPLED, false, TraceState::default())
}

fn span_id(id: u64) -> SpanId {
    SpanId::from_bytes(id.to_be_bytes())
}

fn system_time(time: Timestamp) -> SystemTime {
    let distance = Duration::from_nanos(time.unix_nanos().unsigned_abs());
    if time.unix_nanos() < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

fn all(attributes: &[(&str, Value<'_>)]) -> Vec<KeyValue> {
    attributes.iter().map(|(key, value)| attribute(key, *value)).collect()
}

fn attribute(key: &str, value: Value<'_>) -> KeyValue {
    let value: opentelemetry::Value = match value {
        Value::Text(text) => text.to_owned().into(),
        Value::Int(number) => number.into(),
        Value::Double(number) => number.into(),
        Value::Bool(yes) => yes.into(),
        Value::Texts(texts) => {
            let texts = texts.iter().map(|text| StringValue::from(text.to_string()));
            opentelemetry::Value::Array(Array::String(texts.collect()))
        }
    };
    KeyValue::new(key.to_owned(), value)
}
