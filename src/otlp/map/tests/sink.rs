//! A sink that writes text, and holds what every sink may rely on.

use crate::{
    Timestamp,
    otlp::{
        map::{self, Dialect},
        sink::{Head, SpanKind, SpanSink, Value},
        span::Span,
    },
};
use std::{collections::BTreeSet, fmt::Write};

#[derive(Default)]
pub(super) struct TextSink {
    pub(super) text: String,
    keys: BTreeSet<String>,
    start: Option<Timestamp>,
    longest: usize,
    /// How far OTLP's order of fields has come.
    place: u8,
}

pub(super) const MAX: usize = 4096;

pub(super) fn write(span: &Span, dialect: &Dialect) -> String {
    write_within(span, dialect, MAX)
}

pub(super) fn write_within(span: &Span, dialect: &Dialect, max: usize) -> String {
    let mut sink = TextSink { longest: max, ..TextSink::default() };
    map::write(span, dialect, max, &mut sink);
    assert_eq!(sink.place, 6, "the span is ended");
    sink.text
}

/// The value of one attribute, if it is written.
pub(super) fn attribute(span: &Span, dialect: &Dialect, key: &str) -> Option<String> {
    let text = write(span, dialect);
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(key)?.strip_prefix(" = "))?;
    Some(line.to_owned())
}

/// The same of a text.
pub(super) fn text(span: &Span, dialect: &Dialect, key: &str) -> String {
    let quoted = attribute(span, dialect, key).unwrap_or_else(|| panic!("{key}: {}", write(span, dialect)));
    serde_json::from_str(&quoted).expect(key)
}

impl TextSink {
    fn come_to(&mut self, place: u8) {
        assert!(self.place <= place, "in the order of OTLP's fields");
        self.place = place;
    }

    fn value(&mut self, key: &str, value: Value<'_>) -> String {
        match value {
            Value::Text(text) => {
                assert!(!text.is_empty(), "{key} says nothing");
                assert!(text.len() <= self.longest, "{key} has {} bytes", text.len());
                serde_json::to_string(text).expect("text")
            }
            Value::Int(number) => number.to_string(),
            Value::Double(number) => format!("{number:?}"),
            Value::Bool(flag) => flag.to_string(),
            Value::Texts(texts) => format!("{texts:?}"),
        }
    }

    fn attributes(&mut self, attributes: &[(&str, Value<'_>)]) {
        let keys: BTreeSet<&str> = attributes.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys.len(), attributes.len(), "a key twice: {attributes:?}");
        for (key, value) in attributes {
            let value = self.value(key, *value);
            writeln!(self.text, "      {key} = {value}").expect("text");
        }
    }
}

impl SpanSink for TextSink {
    fn begin(&mut self, head: &Head<'_>) {
        let kind = if head.kind == SpanKind::Client { "CLIENT" } else { "INTERNAL" };
        let millis = head.end.since(head.start).as_millis();
        writeln!(self.text, "{} ({kind}, {millis} ms)", head.name).expect("text");
        self.start = Some(head.start);
        self.come_to(1);
    }

    fn attribute(&mut self, key: &str, value: Value<'_>) {
        self.come_to(1);
        assert!(self.keys.insert(key.to_owned()), "{key} is written twice");
        let value = self.value(key, value);
        writeln!(self.text, "  {key} = {value}").expect("text");
    }

    fn event(&mut self, name: &str, time: Timestamp, attributes: &[(&str, Value<'_>)]) {
        self.come_to(2);
        let millis = time.since(self.start.expect("begun")).as_millis();
        writeln!(self.text, "  event {name}, after {millis} ms").expect("text");
        self.attributes(attributes);
    }

    fn dropped_events(&mut self, count: u32) {
        self.come_to(3);
        writeln!(self.text, "  {count} events dropped").expect("text");
    }

    fn link(&mut self, _: u128, span_id: u64, attributes: &[(&str, Value<'_>)]) {
        self.come_to(4);
        writeln!(self.text, "  link to {span_id:016x}").expect("text");
        self.attributes(attributes);
    }

    fn error(&mut self, description: &str) {
        self.come_to(5);
        writeln!(self.text, "  status: error, {description:?}").expect("text");
    }

    fn end(&mut self) {
        self.come_to(6);
    }
}
