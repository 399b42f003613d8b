//! What a span is called and what is told of it. (The head and its name only; the whole comes with the mapping tables.)

use super::{
    sink::{Head, SpanKind, SpanSink},
    span::Span,
};

/// Which of several ways to say the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dialect;

pub(crate) fn write(span: &Span, _: &Dialect, _: usize, sink: &mut impl SpanSink) {
    sink.begin(&Head {
        trace_id: span.run.trace_id,
        span_id: span.span_id,
        parent: span.parent,
        name: span.opener.tag(),
        kind: SpanKind::Internal,
        start: span.start,
        end: span.end,
    });
    sink.end();
}
