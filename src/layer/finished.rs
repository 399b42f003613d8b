//! Spans that are over and were recorded elsewhere: the same contract, read from attributes instead of `tracing`'s fields.

use super::{
    classify::judge_by,
    contract::{Slot, SpanKind},
    fields::Fields,
    open::{OpenSpan, Role, Run},
    rules::{self, Contract, Known},
};
use crate::{ExecutionId, StepId, StreamEvent, Text, Timestamp};
use std::{
    cell::RefCell,
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) use super::fields::Value as FieldValue;

/// What a span says of itself, and so what it is.
#[derive(Debug)]
pub(crate) struct FinishedSpan {
    name: Text,
    fields: Fields,
    kind: Option<SpanKind>,
}

/// Where and when a span was.
#[derive(Debug, Clone)]
pub(crate) struct Whereabouts {
    pub(crate) step_id: StepId,
    /// None for what nothing is around.
    pub(crate) parent: Option<StepId>,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

/// A bit in the ranks of values from an event of the span: they come after every name of the span's own, and keep the
/// order that they have among each other.
const FROM_EVENT: u8 = 64;

impl FinishedSpan {
    /// Names of attributes by which instrumentations of `tracing` say where a span is from, the best first.
    pub(crate) const TARGETS: [&'static str; 3] = ["target", "code.module.name", "code.namespace"];

    /// `target`: the module or the instrumentation that it is from.
    pub(crate) fn new<'a>(
        name: &str,
        target: &str,
        attributes: impl IntoIterator<Item = (&'a str, FieldValue)>,
    ) -> Self {
        let mut fields = Fields::default();
        for (key, value) in attributes {
            if let Some((slot, rank)) = Slot::of(key) {
                fields.set(slot, rank, value);
            }
        }
        fields.unpack_usage();
        let known = match Contract::STANDARD.known_as(target, name) {
            Known::ByCrate(kind) | Known::ByRule(Some(kind)) => Some(kind),
            Known::ByRule(None) | Known::Nothing => None,
        };
        // A title stands in the place of a name then, and nobody knows that there was none: but these crates do so.
        let is_title = rules::is_of_known_crate(target) && !fields.has(Slot::OtelName);
        if is_title {
            fields.set(Slot::OtelName, 0, FieldValue::Text(name.into()));
        }
        let kind = judge_by(known, if is_title { "" } else { name }, &fields, false);
        Self { name: name.into(), fields, kind }
    }

    /// Whether the layer would have shown it.
    #[cfg(feature = "otlp-bridge")]
    pub(crate) fn is_agent_span(&self) -> bool {
        self.kind.is_some()
    }

    /// Takes in an attribute of an event in it. False where it means nothing there.
    pub(crate) fn learn(&mut self, key: &str, value: FieldValue) -> bool {
        // No bare names, as in the layer.
        let slot = Slot::of(key).filter(|(slot, _)| slot.comes_in_events() && key.contains('.'));
        if let Some((slot, rank)) = slot {
            self.fields.set(slot, rank | FROM_EVENT, value);
        }
        slot.is_some()
    }

    /// It failed, as a status or an exception says; the span's own word counts first.
    pub(crate) fn failed(&mut self, description: Option<&str>, error_type: Option<&str>) {
        self.fields.set(Slot::StatusCode, FROM_EVENT, FieldValue::Text(Text::from_static("ERROR")));
        self.describe(description, error_type);
    }

    /// How it ended in words, for one that did not end well.
    pub(crate) fn describe(&mut self, description: Option<&str>, error_type: Option<&str>) {
        for (slot, text) in [(Slot::StatusDescription, description), (Slot::ErrorType, error_type)] {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                self.fields.set(slot, FROM_EVENT, FieldValue::Text(text.into()));
            }
        }
    }

    /// The execution's id, if it says one.
    pub(crate) fn execution_id(&self) -> Option<ExecutionId> {
        self.fields.str(Slot::ExecutionId).and_then(|text| ExecutionId::parse(text).ok())
    }

    /// What it tells when it begins, and what when it ends. What the contract has no word for is a step.
    pub(crate) fn tell(self, id: &ExecutionId, at: Whereabouts) -> (Vec<StreamEvent>, Vec<StreamEvent>) {
        let kind = self.kind.unwrap_or(SpanKind::Step);
        let role = match (&at.parent, kind) {
            (Some(_), kind) => Role::Inner(kind),
            (None, SpanKind::Agent) => Role::Root,
            (None, kind) => Role::Alone(kind),
        };
        let run = Arc::new(Run::with_id(id.clone(), None));
        let mut open = OpenSpan::new(run, role, self.fields, self.name);
        (open.step_id, open.parent_step_id, open.started_at) = (at.step_id, at.parent, at.start);
        let lasted = at.end.since(at.start).min(LONGEST);
        open.ended = open.started.checked_add(lasted).or_else(|| Some(Instant::now()));
        let (starts, ends) = (RefCell::default(), RefCell::default());
        open.announce(&starts);
        open.end(&ends);
        (starts.into_inner(), ends.into_inner())
    }
}

/// A century: clocks that count further may not be there.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);
