//! What a span is called and what is told of it. (The head and its name only; the whole comes with the mapping tables.)

use super::{
    settings::{Naming, OpenInference},
    sink::{Head, SpanKind, SpanSink},
    span::Span,
};
use std::{borrow::Cow, marker::PhantomData};

/// Which of several ways to say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Dialect {
    pub(crate) naming: Naming,
    pub(crate) openinference: OpenInference,
    pub(crate) langfuse: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concept {
    Agent,
    Workflow,
    Step,
    Model,
    Tool,
    MemorySearch,
    MemoryCreate,
    MemoryUpdate,
    MemoryDelete,
    Guardrail,
    Retrieval,
    Embedding,
    Evaluation,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Usage<'a> {
    pub(crate) input: Option<u64>,
    pub(crate) output: Option<u64>,
    pub(crate) cache_read: Option<u64>,
    pub(crate) cache_write: Option<u64>,
    pub(crate) reasoning: Option<u64>,
    pub(crate) audio_input: Option<u64>,
    pub(crate) audio_output: Option<u64>,
    pub(crate) cost_usd: Option<f64>,
    pub(crate) cost_source: Option<&'a str>,
    pub(crate) is_aggregate: bool,
}

pub(crate) struct Failure<'a> {
    pub(crate) error_type: Cow<'a, str>,
    pub(crate) message: &'a str,
    pub(crate) of: PhantomData<&'a ()>,
}

impl<'a> Failure<'a> {
    pub(crate) fn of(_: &'a Span) -> Option<Self> {
        None
    }
}

pub(crate) fn concept_of(_: &Span) -> Concept {
    Concept::Step
}

pub(crate) fn usage_of(_: &Span) -> Usage<'_> {
    Usage::default()
}

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

pub(crate) mod cut {
    use std::borrow::Cow;

    pub(crate) fn text(text: &str, _: usize) -> Cow<'_, str> {
        Cow::Borrowed(text)
    }
}
