//! One span as a slice: when, what, and what is known of it. Its words are those of the map.

use super::{field, micros};
use crate::{
    Timestamp,
    json::{WriteJson, write_str},
    otlp::sink::{Head, SpanSink, Value},
    semconv,
};

/// Times are whole microseconds of Unix time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Slice {
    pub(super) span_id: u64,
    pub(super) parent: Option<u64>,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) name: String,
    /// `gen_ai.operation.name`, by which a viewer filters and colours.
    pub(super) category: String,
    /// Members of a JSON object, each with a comma before it.
    pub(super) arguments: String,
    pub(super) moments: Vec<Moment>,
    /// Spans that an arrow comes from, and what it says.
    pub(super) links: Vec<(u64, String)>,
}

/// Something that happened in a slice.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Moment {
    pub(super) time: i64,
    pub(super) name: String,
    /// As a slice's.
    pub(super) arguments: String,
}

/// What an execution had used up to a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    pub(super) time: i64,
    pub(super) tokens: u64,
    pub(super) cost_usd: Option<f64>,
}

#[derive(Debug, Default)]
pub(super) struct SliceSink {
    pub(super) slice: Slice,
}

impl SpanSink for SliceSink {
    fn begin(&mut self, head: &Head<'_>) {
        let slice = &mut self.slice;
        (slice.span_id, slice.parent) = (head.span_id, head.parent);
        (slice.start, slice.end) = (micros(head.start), micros(head.end).max(micros(head.start)));
        slice.name = head.name.to_owned();
        let ids = [("trace_id", Some(format!("{:032x}", head.trace_id))), ("span_id", Some(hex(head.span_id)))];
        let parent = ("parent_span_id", head.parent.map(hex));
        for (name, id) in ids.into_iter().chain([parent]) {
            id.iter().for_each(|id| field(&mut slice.arguments, name, id.as_str()));
        }
    }

    fn attribute(&mut self, key: &str, value: Value<'_>) {
        if let (semconv::OPERATION_NAME, Value::Text(operation)) = (key, value) {
            self.slice.category = operation.to_owned();
        }
        argument(&mut self.slice.arguments, key, value);
    }

    fn event(&mut self, name: &str, time: Timestamp, attributes: &[(&str, Value<'_>)]) {
        let mut arguments = String::new();
        // It is drawn in the innermost slice of its lane, which may be another one.
        field(&mut arguments, "span_id", hex(self.slice.span_id).as_str());
        attributes.iter().for_each(|(key, value)| argument(&mut arguments, key, *value));
        self.slice.moments.push(Moment { time: micros(time), name: name.to_owned(), arguments });
    }

    fn dropped_events(&mut self, count: u32) {
        if count > 0 {
            field(&mut self.slice.arguments, "dropped_events", &u64::from(count));
        }
    }

    fn link(&mut self, _: u128, span_id: u64, attributes: &[(&str, Value<'_>)]) {
        let words = attributes.iter().find_map(|(_, value)| match value {
            Value::Text(text) => Some(*text),
            _ => None,
        });
        self.slice.links.push((span_id, words.unwrap_or("link").to_owned()));
    }

    fn error(&mut self, description: &str) {
        field(&mut self.slice.arguments, "error", description);
    }

    fn end(&mut self) {}
}

fn hex(id: u64) -> String {
    format!("{id:016x}")
}

fn argument(out: &mut String, key: &str, value: Value<'_>) {
    out.push(',');
    write_str(key, out);
    out.push(':');
    match value {
        Value::Text(text) => write_str(text, out),
        Value::Int(number) => number.write_json(out),
        Value::Double(number) => number.write_json(out),
        Value::Bool(yes) => yes.write_json(out),
        Value::Texts(texts) => texts.to_vec().write_json(out),
    }
}
