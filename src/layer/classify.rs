//! What a span is: known from its call site, from its fields, or only later.

use super::{
    AgentLayer,
    contract::{Slot, SpanKind},
    fields::Fields,
    rules::Known,
    shape::Shape,
};
use crate::Timestamp;
use std::{sync::atomic::Ordering, time::Instant};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// On a span that has fields to say what it is and has not used them yet.
pub(super) struct Candidate {
    fields: Fields,
    started: Instant,
    started_at: Timestamp,
}

/// Judges a span by its call site and the values known so far, the surest word first. `last` when it must be judged by
/// what there is: something begins inside, or it is over.
pub(super) fn judge(shape: &Shape, metadata: &Metadata<'_>, fields: &Fields, last: bool) -> Option<SpanKind> {
    let by_crate = match shape.known {
        Known::ByRule(kind) => return kind,
        Known::ByCrate(kind) => Some(kind),
        Known::Nothing => None,
    };
    let operation = fields.str(Slot::Operation);
    let told = operation.and_then(SpanKind::of_operation).or_else(|| by_observation(fields)).or(by_crate);
    let told = told.or_else(|| by_protocol(fields)).or_else(|| by_title(metadata, fields));
    let unsaid = |slot| shape.declares(slot) && !fields.has(slot);
    let patient = !last && [Slot::Operation, Slot::ObservationKind, Slot::McpMethod].into_iter().any(unsaid);
    told.or_else(|| by_identity(fields).filter(|_| operation.is_none() && !patient))
}

fn by_observation(fields: &Fields) -> Option<SpanKind> {
    fields.str(Slot::ObservationKind).and_then(SpanKind::of_observation)
}

/// Of MCP's methods only a tool call is something that an agent does.
fn by_protocol(fields: &Fields) -> Option<SpanKind> {
    (fields.str(Slot::McpMethod) == Some("tools/call")).then_some(SpanKind::Tool)
}

/// A span without a name of its own (adk's tools) has a title, which begins with the operation.
fn by_title(metadata: &Metadata<'_>, fields: &Fields) -> Option<SpanKind> {
    let title = fields.str(Slot::OtelName).filter(|_| metadata.name().is_empty())?;
    SpanKind::of_operation(title.split(' ').next()?)
}

/// A span that names a tool is its call, and one that names a model is a call of that: under the convention's own
/// names, since `model` and `tool` may be anybody's.
fn by_identity(fields: &Fields) -> Option<SpanKind> {
    let any = |slots: [Slot; 2]| slots.into_iter().any(|slot| fields.has_by_its_name(slot));
    let tool = any([Slot::ToolName, Slot::ToolCallId]).then_some(SpanKind::Tool);
    tool.or_else(|| any([Slot::RequestModel, Slot::ResponseModel]).then_some(SpanKind::Llm))
}

/// Whether spans of this call site can turn out to be agent spans: others are not looked at.
pub(super) fn can_tell(shape: &Shape, metadata: &Metadata<'_>) -> bool {
    shape.known != Known::Nothing
        || shape.slots().any(|(slot, rank)| match slot {
            Slot::RequestModel | Slot::ResponseModel | Slot::ToolName | Slot::ToolCallId => rank == 0,
            Slot::OtelName => metadata.name().is_empty(),
            slot => slot.is_telling(),
        })
}

impl AgentLayer {
    /// Remembers a span that may yet say what it is.
    pub(super) fn await_word<S>(&self, fields: Fields, span: &SpanRef<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        self.candidates.fetch_add(1, Ordering::Relaxed);
        let candidate = Candidate { fields, started: Instant::now(), started_at: Timestamp::now() };
        span.extensions_mut().replace(candidate);
    }

    /// Judges a candidate again, with what was recorded just now. Once it is known what it is, it takes its place in what
    /// is known around it; what began inside before that stays where it was put.
    pub(super) fn reconsider<S>(&self, span: &SpanRef<'_, S>, newer: Option<Fields>, last: bool)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if self.candidates.load(Ordering::Relaxed) == 0 {
            return;
        }
        let Some(shape) = Shape::under(&self.contract, span.metadata()) else { return };
        let judged = {
            let mut extensions = span.extensions_mut();
            let Some(candidate) = extensions.get_mut::<Candidate>() else { return };
            if let Some(newer) = newer {
                candidate.fields.merge(newer);
            }
            judge(&shape, span.metadata(), &candidate.fields, last)
        };
        // Its lock is given back by now: the spans around it are looked at next.
        if let Some(kind) = judged
            && let Some(candidate) = self.forget(span)
        {
            self.begin(kind, candidate.fields, &shape, span, Some((candidate.started, candidate.started_at)));
        }
    }

    /// Takes a candidate off its span: it is known what it is, it is taken for something else, or it is over.
    pub(super) fn forget<S>(&self, span: &SpanRef<'_, S>) -> Option<Candidate>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if self.candidates.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let candidate = span.extensions_mut().remove::<Candidate>()?;
        self.candidates.fetch_sub(1, Ordering::Relaxed);
        Some(candidate)
    }
}
