//! What is written against what `opentelemetry-proto` makes of the same: any span, in both forms, byte for byte.

use super::super::{Envelope, Form, Item, SpanWriter, json::Json};
use crate::{
    Text, Timestamp,
    otlp::{
        settings::Encoding,
        sink::{Head, SpanKind, SpanSink, Value},
        transport::Signal,
    },
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use prost::Message;

/// A value that owns what it holds.
#[derive(Debug, Clone)]
enum Held {
    Text(String),
    Int(i64),
    Double(f64),
    Bool(bool),
    Texts(Vec<Text>),
}

type Attributes = Vec<(String, Held)>;

#[derive(Debug, Clone)]
struct Told {
    ids: (u128, u64, Option<u64>),
    name: String,
    times: (i64, i64),
    attributes: Attributes,
    events: Vec<(String, i64, Attributes)>,
    dropped: u32,
    links: Vec<(u128, u64, Attributes)>,
    error: Option<String>,
    is_remote: bool,
}

impl Held {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text),
            Self::Int(value) => Value::Int(*value),
            Self::Double(value) => Value::Double(*value),
            Self::Bool(value) => Value::Bool(*value),
            Self::Texts(texts) => Value::Texts(texts),
        }
    }

    fn message(&self) -> AnyValue {
        let text = |text: &str| any_value::Value::StringValue(text.to_owned());
        let any = |value| AnyValue { value: Some(value) };
        any(match self {
            Self::Text(value) => text(value),
            Self::Int(value) => any_value::Value::IntValue(*value),
            Self::Double(value) => any_value::Value::DoubleValue(*value),
            Self::Bool(value) => any_value::Value::BoolValue(*value),
            Self::Texts(texts) => {
                let values = texts.iter().map(|one| any(text(one))).collect();
                any_value::Value::ArrayValue(ArrayValue { values })
            }
        })
    }
}

fn values(attributes: &Attributes) -> Vec<(&str, Value<'_>)> {
    attributes.iter().map(|(key, held)| (key.as_str(), held.value())).collect()
}

fn messages(attributes: &Attributes) -> Vec<KeyValue> {
    let one =
        |(key, held): &(String, Held)| KeyValue { key: key.clone(), value: Some(held.message()), ..Default::default() };
    attributes.iter().map(one).collect()
}

fn nanos(time: i64) -> u64 {
    u64::try_from(time).unwrap_or(0)
}

impl Told {
    fn tell(&self, sink: &mut impl SpanSink) {
        let time = Timestamp::from_unix_nanos;
        sink.begin(&Head {
            trace_id: self.ids.0,
            span_id: self.ids.1,
            parent: self.ids.2,
            name: &self.name,
            kind: SpanKind::Client,
            start: time(self.times.0),
            end: time(self.times.1),
        });
        self.attributes.iter().for_each(|(key, held)| sink.attribute(key, held.value()));
        self.events.iter().for_each(|(name, at, attributes)| sink.event(name, time(*at), &values(attributes)));
        sink.dropped_events(self.dropped);
        self.links.iter().for_each(|(trace, span, attributes)| sink.link(*trace, *span, &values(attributes)));
        self.error.iter().for_each(|description| sink.error(description));
        sink.end();
    }

    fn message(&self) -> Span {
        let event = |(name, time, attributes): &(String, i64, Attributes)| span::Event {
            time_unix_nano: nanos(*time),
            name: name.clone(),
            attributes: messages(attributes),
            dropped_attributes_count: 0,
        };
        let link = |(trace_id, span_id, attributes): &(u128, u64, Attributes)| span::Link {
            trace_id: trace_id.to_be_bytes().to_vec(),
            span_id: span_id.to_be_bytes().to_vec(),
            attributes: messages(attributes),
            flags: 0x101,
            ..Default::default()
        };
        Span {
            trace_id: self.ids.0.to_be_bytes().to_vec(),
            span_id: self.ids.1.to_be_bytes().to_vec(),
            parent_span_id: self.ids.2.map(|id| id.to_be_bytes().to_vec()).unwrap_or_default(),
            flags: if self.is_remote { 0x301 } else { 0x101 },
            name: self.name.clone(),
            kind: 3,
            start_time_unix_nano: nanos(self.times.0),
            end_time_unix_nano: nanos(self.times.1),
            attributes: messages(&self.attributes),
            events: self.events.iter().map(event).collect(),
            dropped_events_count: self.dropped,
            links: self.links.iter().map(link).collect(),
            status: self.error.clone().map(|message| Status { message, code: 2 }),
            ..Default::default()
        }
    }
}

impl Item for Told {
    fn write(&self, form: &mut impl Form) {
        self.tell(&mut SpanWriter::new(form, self.is_remote));
    }
}

/// Texts of all lengths around what one, two and three bytes of length can say.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "\\PC{0,12}",
        2 => any::<String>(),
        1 => (100_usize..140).prop_map(|length| "x".repeat(length)),
        1 => (16_300_usize..16_500).prop_map(|length| "\u{e9}\"\n".repeat(length / 4)),
    ]
}

fn held() -> impl Strategy<Value = Held> {
    prop_oneof![
        text().prop_map(Held::Text),
        any::<i64>().prop_map(Held::Int),
        select(&[0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, -1][..]).prop_map(Held::Int),
        any::<f64>().prop_map(Held::Double),
        Just(Held::Double(0.0)),
        any::<bool>().prop_map(Held::Bool),
        vec("\\PC{0,8}", 0..4).prop_map(|texts| Held::Texts(texts.iter().map(Text::from).collect())),
    ]
}

/// Keys, too, come to where one byte of length is not enough.
fn attributes() -> impl Strategy<Value = Attributes> {
    vec((prop_oneof![4 => "[a-z_.]{1,40}", 1 => "[a-z_.]{100,140}"], held()), 0..6)
}

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), Just(-1), any::<i64>(), 1_700_000_000_000_000_000..1_800_000_000_000_000_000_i64]
}

prop_compose! {
    fn told()(
        ids in (any::<u128>(), any::<u64>(), option::of(any::<u64>())),
        name in text(),
        times in (time(), time()),
        attributes in attributes(),
        events in vec((text(), time(), attributes()), 0..4),
        dropped in prop_oneof![Just(0), any::<u32>()],
        links in vec((any::<u128>(), any::<u64>(), attributes()), 0..3),
        error in option::of(text()),
        is_remote in any::<bool>(),
    ) -> Told {
        Told { ids, name, times, attributes, events, dropped, links, error, is_remote }
    }
}

fn resource() -> Vec<(String, String)> {
    vec![("service.name".to_owned(), "a \"service\"".to_owned()), ("empty".to_owned(), String::new())]
}

/// The whole request, as somebody else puts it together.
fn request(told: &[Told]) -> ExportTraceServiceRequest {
    let attribute = |(key, value): (String, String)| KeyValue {
        key,
        value: Some(Held::Text(value).message()),
        ..Default::default()
    };
    let scope = InstrumentationScope {
        name: "spanwright".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..Default::default()
    };
    let spans = ScopeSpans {
        scope: Some(scope),
        spans: told.iter().map(Told::message).collect(),
        schema_url: "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev".to_owned(),
    };
    let attributes = resource().into_iter().map(attribute).collect();
    let resource = Resource { attributes, ..Default::default() };
    let of_resource = ResourceSpans { resource: Some(resource), scope_spans: vec![spans], schema_url: String::new() };
    ExportTraceServiceRequest { resource_spans: vec![of_resource] }
}

fn wrapped(encoding: Encoding, told: &[Told]) -> Vec<u8> {
    let mut envelope = Envelope::new(encoding, Signal::Traces, &resource());
    let items: Vec<Vec<u8>> = told.iter().map(|one| encoded(&mut envelope, one)).collect();
    let items: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
    let mut out = Vec::new();
    envelope.wrap(&items, &mut out);
    out
}

fn encoded(envelope: &mut Envelope, item: &impl Item) -> Vec<u8> {
    let mut out = Vec::new();
    envelope.encode(item, &mut out);
    out
}

fn is_finite(attributes: &Attributes) -> bool {
    attributes.iter().all(|(_, held)| !matches!(held, Held::Double(value) if !value.is_finite()))
}

/// `opentelemetry-proto` reads no other numbers in an attribute.
fn has_only_finite_numbers(told: &Told) -> bool {
    let events = told.events.iter().all(|(_, _, attributes)| is_finite(attributes));
    events && is_finite(&told.attributes) && told.links.iter().all(|(_, _, attributes)| is_finite(attributes))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn a_request_of_any_spans_is_byte_for_byte_what_prost_makes_of_them(told in vec(told(), 0..4)) {
        prop_assert!(wrapped(Encoding::Protobuf, &told) == request(&told).encode_to_vec());
    }

    #[test]
    fn a_request_in_json_reads_back_as_the_one_in_protobuf(told in vec(told(), 0..4)) {
        prop_assume!(told.iter().all(has_only_finite_numbers));
        let json = wrapped(Encoding::Json, &told);
        let read: ExportTraceServiceRequest = serde_json::from_slice(&json).expect("OTLP JSON");
        prop_assert_eq!(read, request(&told));
    }
}

#[test]
fn a_message_of_any_length_has_its_length_in_as_few_bytes_as_it_needs() {
    for length in [
        0, 1, 90, 100, 117, 118, 119, 120, 121, 122, 123, 124, 127, 128, 129, 400, 16_200, 16_383, 16_384, 2_097_000,
        2_097_152,
    ] {
        let told = Told {
            ids: (1, 2, None),
            name: "n".repeat(length),
            times: (0, 0),
            attributes: [0, 1, length].map(|key| ("k".repeat(key), Held::Text("v".repeat(length)))).to_vec(),
            events: Vec::new(),
            dropped: 0,
            links: Vec::new(),
            error: None,
            is_remote: false,
        };
        let told = [told];
        assert!(wrapped(Encoding::Protobuf, &told) == request(&told).encode_to_vec(), "of {length} bytes");
    }
}

#[test]
fn numbers_that_json_lacks_are_words_there() {
    let mut out = String::new();
    let mut form = Json::new(&mut out);
    let mut sink = SpanWriter::new(&mut form, false);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.5] {
        sink.attribute("k", Value::Double(value));
    }
    let values = ["\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "0.5"];
    let expected: Vec<String> =
        values.iter().map(|value| format!(r#"{{"key":"k","value":{{"doubleValue":{value}}}}}"#)).collect();
    assert_eq!(out, format!(r#""attributes":[{}"#, expected.join(",")));
}
