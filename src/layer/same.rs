//! One call that two crates see: the inner span is the same call, and what it knows goes to the outer one.

use super::{
    AgentLayer,
    contract::{Slot, SpanKind},
    fields::Fields,
    open::OpenSpan,
    place::{Elsewhere, ancestors},
    rules::OURS,
    shape::Shape,
};
use tracing::Subscriber;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// On a span that is a call for which a span around it stands already.
pub(super) struct SameCall {
    emitter: &'static str,
    /// Whether one inside it was taken for the same call in turn.
    has_same: bool,
}

/// What an open call knows of calls directly inside it that are like it.
#[derive(Default)]
pub(super) struct Inner {
    /// Whether the first of them was taken for the same call.
    has_same: bool,
    /// Whether there were others, calls of their own.
    others: bool,
    /// Whether one of those said what it used.
    used: bool,
    /// Whether what it tells of tokens is what that same call used, and no sum over all of them.
    pub(super) tells_own: bool,
    /// What the same call said of what it used and of how it failed.
    told: Fields,
}

/// What a call used.
const USAGE: &[Slot] = &[
    Slot::InputTokens,
    Slot::OutputTokens,
    Slot::TotalTokens,
    Slot::CacheReadTokens,
    Slot::CacheCreationTokens,
    Slot::ReasoningTokens,
    Slot::AudioInputTokens,
    Slot::AudioOutputTokens,
    Slot::Cost,
];

/// How it failed.
const FAILURE: &[Slot] =
    &[Slot::ErrorType, Slot::ErrorText, Slot::StatusCode, Slot::StatusDescription, Slot::ToolOutcome];

/// What a span says of itself and not of the call.
const OF_SPAN: &[Slot] = &[
    Slot::Operation,
    Slot::ObservationKind,
    Slot::McpMethod,
    Slot::OtelName,
    Slot::EntityName,
    Slot::AgentName,
    Slot::CallableName,
    Slot::ExecutionId,
    Slot::Fields,
    Slot::Outcome,
];

impl AgentLayer {
    /// Whether a new span is a call that a span around it stands for. If so it is marked, and what it knows is taken in.
    pub(super) fn is_same_call<S>(
        &self,
        kind: SpanKind,
        fields: &Fields,
        shape: &Shape,
        span: &SpanRef<'_, S>,
        late: bool,
    ) -> bool
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if !matches!(kind, SpanKind::Llm | SpanKind::Embedding | SpanKind::Tool) {
            return false;
        }
        let emitter = shape.emitter;
        let Some(call) = self.same_around(&Newcomer { kind, fields, emitter }, span) else { return false };
        let mut extensions = span.extensions_mut();
        let Some(newest) = self.claim(&mut extensions, late) else { return true };
        extensions.replace(SameCall { emitter, has_same: false });
        drop(extensions);
        self.take_in(&call, fields);
        self.take_in(&call, &newest);
        true
    }

    /// The open call around a new span that is the same, if the new span is the first in it.
    fn same_around<'a, S>(&self, new: &Newcomer<'_>, span: &SpanRef<'a, S>) -> Option<SpanRef<'a, S>>
    where
        S: Subscriber + for<'b> LookupSpan<'b>,
    {
        for ancestor in ancestors(span) {
            self.decide(&ancestor);
            let mut extensions = ancestor.extensions_mut();
            if extensions.get_mut::<Elsewhere>().is_some() {
                return None;
            }
            if let Some(same) = extensions.get_mut::<SameCall>() {
                let (outer, first) = (same.emitter, !same.has_same);
                drop(extensions);
                return self.same_in_turn(new, outer, first, &ancestor);
            }
            if let Some(open) = extensions.get_mut::<OpenSpan>() {
                let (outer, first) = (open.emitter, !open.inner.has_same);
                let fits = open.is_joined_by(new, outer, first);
                open.inner.has_same |= fits;
                drop(extensions);
                return fits.then_some(ancestor);
            }
        }
        None
    }

    /// As above, where the nearest call is itself one that another span stands for.
    fn same_in_turn<'a, S>(
        &self,
        new: &Newcomer<'_>,
        outer: &str,
        first: bool,
        same: &SpanRef<'a, S>,
    ) -> Option<SpanRef<'a, S>>
    where
        S: Subscriber + for<'b> LookupSpan<'b>,
    {
        let call = self.call_of(same)?;
        call.extensions_mut().get_mut::<OpenSpan>()?.is_joined_by(new, outer, first).then_some(())?;
        same.extensions_mut().get_mut::<SameCall>()?.has_same = true;
        Some(call)
    }

    /// The span that stands for this one's call, if another one does.
    pub(super) fn call_of<'a, S>(&self, span: &SpanRef<'a, S>) -> Option<SpanRef<'a, S>>
    where
        S: Subscriber + for<'b> LookupSpan<'b>,
    {
        span.extensions().get::<SameCall>()?;
        ancestors(span).find(|ancestor| ancestor.extensions().get::<OpenSpan>().is_some())
    }

    /// Gives a call what another span knows of it.
    pub(super) fn take_in<S>(&self, call: &SpanRef<'_, S>, fields: &Fields)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let mut extensions = call.extensions_mut();
        let Some(open) = extensions.get_mut::<OpenSpan>() else { return };
        open.take_in(fields);
        self.changed(call, extensions);
    }

    /// A call that ends inside one like it, as a call of its own, tells it whether tokens are accounted for.
    pub(super) fn tell_outer<S>(&self, ended: &OpenSpan, span: &SpanRef<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if !matches!(ended.kind(), SpanKind::Llm | SpanKind::Embedding) {
            return;
        }
        for ancestor in ancestors(span) {
            let mut extensions = ancestor.extensions_mut();
            let Some(open) = extensions.get_mut::<OpenSpan>() else { continue };
            if open.kind() == ended.kind() {
                open.inner.others = true;
                open.inner.used |= ended.inner.used || USAGE.iter().any(|slot| ended.fields.has(*slot));
            }
            return;
        }
    }
}

/// A call that begins in another one.
struct Newcomer<'a> {
    kind: SpanKind,
    fields: &'a Fields,
    emitter: &'static str,
}

impl OpenSpan {
    /// Whether a call that begins directly inside is this one, seen again by `outer`'s neighbour. Two spans of ours are
    /// two things that their author wanted to see.
    fn is_joined_by(&mut self, new: &Newcomer<'_>, outer: &str, first: bool) -> bool {
        let same = self.kind() == new.kind
            && match new.kind {
                SpanKind::Tool => new.is_protocol() || (outer != new.emitter && self.is_same_tool(new.fields)),
                _ => !(outer == OURS && new.emitter == OURS),
            };
        self.inner.others |= same && !first;
        same && first
    }

    /// By the id of the call where both know one, else by the tool's name.
    fn is_same_tool(&self, other: &Fields) -> bool {
        let both = |slot| self.fields.text(slot).zip(other.text(slot)).map(|(own, other)| own == other);
        both(Slot::ToolCallId).or_else(|| both(Slot::ToolName)).unwrap_or(false)
    }

    fn take_in(&mut self, others: &Fields) {
        self.fields.take_in(&others.where_slot(|slot| !OF_SPAN.contains(&slot) && !FAILURE.contains(&slot)));
        self.inner.told.merge(others.where_slot(|slot| USAGE.contains(&slot) || FAILURE.contains(&slot)));
    }

    /// What it used and how it ended, with what the calls inside have told. A failure inside is its own, unless it says
    /// that it ended well or there was another try.
    pub(super) fn settle_inner(&mut self) {
        let own = self.inner.told.only(USAGE);
        self.inner.tells_own = self.inner.used && !own.is_empty();
        if self.inner.tells_own {
            self.fields.forget(USAGE);
            self.fields.merge(own);
        }
        let outcome = self.fields.str(Slot::Outcome);
        if !self.inner.others && matches!(outcome, None | Some(crate::semconv::outcome::ERROR)) {
            self.fields.take_in(&self.inner.told.only(FAILURE));
        }
    }
}

impl Newcomer<'_> {
    fn is_protocol(&self) -> bool {
        self.fields.has(Slot::McpMethod)
    }
}
