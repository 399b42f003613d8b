//! A finished span to names and values: the one place where the words of back ends are written. `docs/otlp.md` has the
//! tables. Knows no bytes: where it writes is a sink.

mod attributes;
mod concept;
mod content;
mod cut;
mod dialect;
mod failure;
mod happenings;
mod langfuse;
mod messages;
mod openinference;
mod params;
mod pen;
mod records;
mod subject;
#[cfg(test)]
mod tests;
mod usage;

use super::{
    sink::{SpanSink, Value},
    span::{Fact, LinkKind, Span},
};
use crate::semconv;
use pen::Pen;
use std::borrow::Cow;
use subject::Subject;

pub(crate) use concept::Concept;
pub(crate) use dialect::Dialect;
pub(crate) use failure::Failure;
pub(crate) use usage::Usage;

/// Tells one span to the sink. No value is longer than `max_value_bytes` (256 at least): a longer one is cut so that it
/// stays what it was, JSON or text, and says how long it had been.
pub(crate) fn write(span: &Span, dialect: &Dialect, max_value_bytes: usize, sink: &mut impl SpanSink) {
    let subject = Subject::of(span);
    let usage = Usage::of(&subject);
    let mut pen = Pen::new(sink, dialect, cut::at_least(max_value_bytes));
    pen.begin(&subject);
    pen.attributes(&subject, &usage);
    if dialect.has_openinference() {
        pen.openinference(&subject, &usage);
    }
    if dialect.langfuse {
        pen.langfuse(&subject);
    }
    pen.unnamed_content(&subject);
    pen.happenings(&subject);
    pen.links(span);
    if let Some(failure) = &subject.failure {
        pen.error(failure);
    }
    sink.end();
}

/// Tells what happened once to the sink, as one event and nothing around it.
pub(crate) fn write_fact(fact: &Fact, dialect: &Dialect, max_value_bytes: usize, sink: &mut impl SpanSink) {
    Pen::new(sink, dialect, cut::at_least(max_value_bytes)).happening(fact);
}

impl<S: SpanSink> Pen<'_, S> {
    fn links(&mut self, span: &Span) {
        for link in &span.links {
            let why = match link.why {
                LinkKind::Handoff => "handoff",
                LinkKind::Resumed => "resumed",
            };
            self.sink().link(span.run.trace_id, link.span_id, &[(semconv::LINK, Value::Text(why))]);
        }
    }

    /// "The description SHOULD NOT be a copy of `error.type`" (GenAI conventions, recording errors).
    fn error(&mut self, failure: &Failure<'_>) {
        let message = cut::text(failure.message, self.max);
        self.sink().error(&message);
    }
}

/// What a span is, for the signals that are made of it.
pub(crate) fn concept_of(span: &Span) -> Concept {
    Concept::of(span)
}

/// What a span used, for the signals that are made of it.
pub(crate) fn usage_of(span: &Span) -> Usage<'_> {
    Usage::of(&Subject::of(span))
}

/// A text of at most `max_value_bytes` (256 at least), as it would be on a span.
pub(crate) fn shortened(text: &str, max_value_bytes: usize) -> Cow<'_, str> {
    cut::text(text, cut::at_least(max_value_bytes))
}
