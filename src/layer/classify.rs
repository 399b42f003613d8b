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
use tracing_subscriber::registry::{ExtensionsMut, LookupSpan, SpanRef};

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
    let unsaid = |slot| shape.declares(slot) && !fields.has(slot);
    let patient = !last && [Slot::Operation, Slot::ObservationKind, Slot::McpMethod].into_iter().any(unsaid);
    judge_by(by_crate, metadata.name(), fields, patient)
}

/// The same, by what is known of its call site. `patient`: whether better words than what it names may still come.
pub(super) fn judge_by(by_crate: Option<SpanKind>, name: &str, fields: &Fields, patient: bool) -> Option<SpanKind> {
    let operation = fields.str(Slot::Operation);
    let told = operation.and_then(SpanKind::of_operation).or_else(|| by_observation(fields)).or(by_crate);
    let told = told.or_else(|| by_protocol(fields)).or_else(|| by_title(name, fields));
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
fn by_title(name: &str, fields: &Fields) -> Option<SpanKind> {
    let title = fields.str(Slot::OtelName).filter(|_| name.is_empty())?;
    SpanKind::of_operation(title.split(' ').next()?)
}

/// A span that names a tool is its call, and one that names a model is a call of that: under the convention's own
/// names, since `model` and `tool` may be anybody's.
fn by_identity(fields: &Fields) -> Option<SpanKind> {
    let any = |slots: [Slot; 2]| slots.into_iter().any(|slot| fields.has_by_its_name(slot));
    let tool = any([Slot::ToolName, Slot::ToolCallId]).then_some(SpanKind::Tool);
    let tool = tool.or_else(|| fields.has(Slot::EvaluationName).then_some(SpanKind::Evaluator));
    tool.or_else(|| any([Slot::RequestModel, Slot::ResponseModel]).then_some(SpanKind::Llm))
}

/// Whether spans of a call site with these fields can turn out to be agent spans.
pub(super) fn can_tell(known: Known, metadata: &Metadata<'_>, mut slots: impl Iterator<Item = (Slot, u8)>) -> bool {
    known != Known::Nothing
        || slots.any(|(slot, rank)| match slot {
            Slot::RequestModel | Slot::ResponseModel | Slot::ToolName | Slot::ToolCallId => rank == 0,
            Slot::OtelName => metadata.name().is_empty(),
            Slot::EvaluationName => true,
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
    /// is known around it; what began inside before that stays where it was put. Gives the values back where there is no
    /// candidate.
    pub(super) fn reconsider<S>(&self, span: &SpanRef<'_, S>, newer: Fields, last: bool) -> Option<Fields>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if self.candidates.load(Ordering::Relaxed) == 0 {
            return Some(newer);
        }
        let Some(shape) = Shape::under(&self.contract, span.metadata()) else { return Some(newer) };
        let judged = {
            let mut extensions = span.extensions_mut();
            let Some(candidate) = extensions.get_mut::<Candidate>() else { return Some(newer) };
            candidate.fields.merge(newer);
            let kind = judge(&shape, span.metadata(), &candidate.fields, last);
            kind.map(|kind| (kind, candidate.fields.clone(), (candidate.started, candidate.started_at)))
        };
        // Its lock is given back by now, since the spans around it are looked at next. It stays a candidate meanwhile:
        // what other threads see of it is either that or the open span, and never neither.
        if let Some((kind, fields, began)) = judged {
            self.begin(kind, fields, &shape, span, Some(began));
        }
        None
    }

    /// By what there is: something begins in it, or it is over.
    pub(super) fn decide<S>(&self, span: &SpanRef<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        self.reconsider(span, Fields::default(), true);
    }

    /// A span takes its place. For one that was a candidate: with all that was recorded until now, and only if no other
    /// thread was faster, nor has taken it for the agent.
    pub(super) fn claim(&self, extensions: &mut ExtensionsMut<'_>, late: bool) -> Option<Fields> {
        if !late {
            return Some(Fields::default());
        }
        let candidate = extensions.remove::<Candidate>()?;
        self.candidates.fetch_sub(1, Ordering::Relaxed);
        Some(candidate.fields)
    }

    /// A candidate is none any more: it was taken for the agent, or it is over.
    pub(super) fn forget<S>(&self, span: &SpanRef<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if self.candidates.load(Ordering::Relaxed) > 0 {
            self.claim(&mut span.extensions_mut(), true);
        }
    }
}
