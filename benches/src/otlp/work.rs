//! The same spans for every system: as we hold them, as requests of OTLP, as the SDK holds them.

use super::runs;
use crate::case::{BURST, Op};
use opentelemetry::{
    InstrumentationScope, Key, KeyValue, StringValue, Value,
    trace::{Event, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{self as common, any_value},
    trace::v1::{Span, span, status::StatusCode},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use prost::Message;
use spanwright::{
    EventLog, Recorder,
    log::MemoryLog,
    otlp::{Export, measured::Held},
};
use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

pub(super) const LIMIT: Duration = Duration::from_secs(60);
/// The specification's batch.
pub(super) const BATCH: usize = 512;
/// Longer than any burst.
pub(super) const NEVER: Duration = Duration::from_secs(100_000);

/// Whether content goes out with the spans.
pub(super) fn has_content(op: Op) -> bool {
    op == Op::ExportedContent
}

/// One burst of finished spans.
pub(super) fn held(op: Op) -> Held {
    let recorder = Recorder::builder().without_hub().log(MemoryLog::new()).start().expect("recorder");
    record(&recorder);
    let log: Arc<dyn EventLog> = recorder.log().expect("a log").clone();
    let export = Export::of(log).content(has_content(op)).resource("service.name", "benches");
    let held = Held::of(&export).expect("spans");
    assert_eq!(held.count(), BURST);
    held
}

/// Records one burst's spans and waits until the log has them.
pub(super) fn record(recorder: &Recorder) {
    runs::emit(&recorder.emitter());
    recorder.flush().wait(LIMIT).expect("logged");
    assert_eq!(recorder.stats().shed(), 0, "nothing may be lost");
}

/// What we make of them, as messages; prost makes the same bytes of those.
pub(super) fn requests(op: Op) -> Vec<ExportTraceServiceRequest> {
    let mut requests = Vec::new();
    let decode = |bytes: &[u8]| {
        let request = ExportTraceServiceRequest::decode(bytes).expect("a request");
        assert_eq!(request.encode_to_vec(), bytes, "byte for byte what prost writes");
        requests.push(request);
    };
    held(op).encode(decode).expect("shown");
    requests
}

/// The same spans as the SDK hands them to its exporters, with the keys of instrumentation: written in the program.
pub(super) fn span_data(op: Op) -> Vec<SpanData> {
    let mut keys = Keys::default();
    let requests = requests(op);
    let spans = requests.iter().flat_map(|request| &request.resource_spans[0].scope_spans[0].spans);
    spans.map(|span| keys.span(span)).collect()
}

#[derive(Default)]
struct Keys(HashSet<&'static str>);

impl Keys {
    fn span(&mut self, span: &Span) -> SpanData {
        let ids = |span_id: &[u8]| SpanId::from_bytes(span_id.try_into().expect("8 bytes"));
        let trace_id = TraceId::from_bytes(span.trace_id.as_slice().try_into().expect("16 bytes"));
        let state = TraceState::default();
        let mut events = SpanEvents::default();
        events.events = span.events.iter().map(|event| self.event(event)).collect();
        SpanData {
            span_context: SpanContext::new(trace_id, ids(&span.span_id), TraceFlags::SAMPLED, false, state),
            parent_span_id: if span.parent_span_id.is_empty() { SpanId::INVALID } else { ids(&span.parent_span_id) },
            parent_span_is_remote: false,
            span_kind: if span.kind == span::SpanKind::Client as i32 { SpanKind::Client } else { SpanKind::Internal },
            name: span.name.clone().into(),
            start_time: time(span.start_time_unix_nano),
            end_time: time(span.end_time_unix_nano),
            attributes: self.attributes(&span.attributes),
            dropped_attributes_count: 0,
            events,
            links: SpanLinks::default(),
            status: match &span.status {
                Some(status) if status.code == StatusCode::Error as i32 => Status::error(status.message.clone()),
                _ => Status::Unset,
            },
            instrumentation_scope: InstrumentationScope::builder("spanwright").with_version("0.1.0").build(),
        }
    }

    fn event(&mut self, event: &span::Event) -> Event {
        let name = event.name.clone();
        Event::new(name, time(event.time_unix_nano), self.attributes(&event.attributes), 0)
    }

    fn attributes(&mut self, attributes: &[common::KeyValue]) -> Vec<KeyValue> {
        attributes.iter().map(|one| KeyValue::new(self.key(&one.key), value(one.value.as_ref()))).collect()
    }

    fn key(&mut self, key: &str) -> Key {
        let known = self.0.get(key).copied();
        Key::from_static_str(known.unwrap_or_else(|| {
            let leaked: &'static str = key.to_owned().leak();
            self.0.insert(leaked);
            leaked
        }))
    }
}

fn value(value: Option<&common::AnyValue>) -> Value {
    match value.and_then(|value| value.value.as_ref()).expect("a value") {
        any_value::Value::StringValue(text) => Value::String(StringValue::from(text.clone())),
        any_value::Value::BoolValue(flag) => Value::Bool(*flag),
        any_value::Value::IntValue(number) => Value::I64(*number),
        any_value::Value::DoubleValue(number) => Value::F64(*number),
        any_value::Value::ArrayValue(list) => {
            let texts = list.values.iter().map(|one| self::value(Some(one)).as_str().into_owned().into());
            Value::Array(opentelemetry::Array::String(texts.collect()))
        }
        other => panic!("no attribute of a span: {other:?}"),
    }
}

fn time(nanos: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)
}
