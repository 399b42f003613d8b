//! Where a mapped span is written: the protobuf writer, the JSON writer, the bridge to another's exporter.

use crate::{Text, Timestamp};

/// The value of an attribute: what every back end understands. Structures are JSON texts, since Phoenix and others read
/// the messages of a span only so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Int(i64),
    Double(f64),
    Bool(bool),
    Texts(&'a [Text]),
}

/// OpenTelemetry's kinds of spans, by their numbers in OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpanKind {
    Internal = 1,
    Client = 3,
}

/// What every span has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Head<'a> {
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    pub(crate) parent: Option<u64>,
    pub(crate) name: &'a str,
    pub(crate) kind: SpanKind,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

/// Takes one span after the other, each in the order of OTLP's fields: its head, attributes, events, links, status, end.
/// A key is given once for each span.
pub(crate) trait SpanSink {
    fn begin(&mut self, head: &Head<'_>);

    fn attribute(&mut self, key: &str, value: Value<'_>);

    fn event(&mut self, name: &str, time: Timestamp, attributes: &[(&str, Value<'_>)]);

    /// How many events are not told, where some are not.
    fn dropped_events(&mut self, count: u32);

    fn link(&mut self, trace_id: u128, span_id: u64, attributes: &[(&str, Value<'_>)]);

    /// Only of what failed: "status code MUST stay unset on success" (GenAI conventions, recording errors).
    fn error(&mut self, description: &str);

    fn end(&mut self);
}
