//! Spans as what requests are made of.

use crate::otlp::{
    delivery::Elements,
    encode::{Envelope, Form, Item, SpanWriter},
    fold::remote_parent,
    map::{self, Dialect},
    settings::Encoding,
    span::{Output, Span},
    transport::Signal,
};

pub(crate) struct Spans {
    dialect: Dialect,
    envelope: Envelope,
}

/// A span in a dialect.
struct Spoken<'a> {
    span: &'a Span,
    dialect: &'a Dialect,
    max_value_bytes: usize,
}

impl Spans {
    /// `resource`: who says it, in this order.
    pub(crate) fn new(encoding: Encoding, dialect: Dialect, resource: &[(String, String)]) -> Self {
        Self { dialect, envelope: Envelope::new(encoding, Signal::Traces, resource) }
    }

    /// Appends a span, as [`Elements::encode`] does.
    pub(crate) fn append(&mut self, span: &Span, max_value_bytes: usize, out: &mut Vec<u8>) {
        let spoken = Spoken { span, dialect: &self.dialect, max_value_bytes };
        self.envelope.encode(&spoken, out);
    }
}

impl Item for Spoken<'_> {
    fn write(&self, form: &mut impl Form) {
        let mut writer = SpanWriter::new(form, has_remote_parent(self.span));
        map::write(self.span, self.dialect, self.max_value_bytes, &mut writer);
    }
}

impl Elements for Spans {
    type Item = Box<Span>;

    const SIGNAL: Signal = Signal::Traces;

    /// What comes after everything it could belong to is no span: it goes with the log events, and is counted.
    fn items(&mut self, output: Output, items: &mut Vec<Box<Span>>) {
        if let Output::Finished(span) = output {
            items.push(span);
        }
    }

    fn encode(&mut self, span: &Box<Span>, max_value_bytes: usize, out: &mut Vec<u8>) {
        self.append(span, max_value_bytes, out);
    }

    fn wrap(&self, items: &[&[u8]], out: &mut Vec<u8>) {
        self.envelope.wrap(items, out);
    }
}

/// Whether the parent is a step of another process, which an execution goes on from.
pub(in crate::otlp) fn has_remote_parent(span: &Span) -> bool {
    let mut bodies = std::iter::once(&span.opener).chain(span.facts.first().map(|fact| &fact.body));
    span.parent.is_some() && bodies.any(|body| remote_parent(body) == span.parent)
}
