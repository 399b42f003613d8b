//! What waits in the queue: events, and questions that must be answered in their place among them.

use super::{
    intake::{Admitted, Delegated, Tally},
    queue::{Merge, Waiting},
};
use crate::{
    Cursor, Error, ExecutionId, StreamEvent, Text,
    event::{Body, Class},
    pending::Answer,
};
use std::sync::Arc;

pub(super) enum Item {
    /// An event, and whether its emitter's mode lets it be shown.
    Event(StreamEvent, bool),
    /// An event that somebody else made.
    Delegated(Box<Delegated>),
    /// Asks for everything before it to be durable.
    Flush(Waiter),
    /// Asks for everything before it to be visible.
    Settle(Answer<Cursor>),
}

/// The queue is allocated from the start: nothing that is rare may make each of its places larger.
const _: () = assert!(size_of::<Item>() <= size_of::<(StreamEvent, bool)>());

/// Who waits for the disk.
pub(super) enum Waiter {
    Flush(Answer<Cursor>),
    Intake(Answer<Admitted>, Arc<Tally>),
    /// A reader of ours, which sees by itself what was lost: that is left to be told to the others.
    #[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "only deliveries read so"))]
    Reader(Answer<Cursor>),
}

impl Waiter {
    pub(super) fn give(self, answer: Result<Cursor, Error>) {
        match self {
            Self::Flush(waiting) | Self::Reader(waiting) => waiting.give(answer),
            Self::Intake(waiting, tally) => waiting.give(answer.map(|cursor| tally.admitted(cursor))),
        }
    }

    /// Whether it is to hear of what could not be kept.
    pub(super) const fn is_told_of_losses(&self) -> bool {
        !matches!(self, Self::Reader(_))
    }
}

impl Item {
    pub(super) fn event(&self) -> Option<&StreamEvent> {
        match self {
            Self::Event(event, _) => Some(event),
            Self::Delegated(delegated) => Some(&delegated.event),
            Self::Flush(_) | Self::Settle(_) => None,
        }
    }

    fn execution_id(&self) -> Option<Option<&ExecutionId>> {
        self.event().map(|event| event.execution_id.as_ref())
    }
}

impl Waiting for Item {
    fn class(&self) -> Option<Class> {
        self.event().map(StreamEvent::class)
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Event(event, _) => event.heap_bytes(),
            Self::Delegated(delegated) => size_of::<Delegated>() + delegated.event.heap_bytes(),
            Self::Flush(_) | Self::Settle(_) => 0,
        }
    }

    fn merge(&mut self, next: Self) -> Merge<Self> {
        let questions = self.event().is_none() || next.event().is_none();
        if !questions && self.execution_id() != next.execution_id() {
            return Merge::Unrelated(next);
        }
        // Those of others are counted one by one.
        let (Self::Event(earlier, earlier_shown), Self::Event(event, shown)) = (&mut *self, &next) else {
            return Merge::InOrder(next);
        };
        match merged(&earlier.body, &event.body) {
            Some(body) if earlier_shown == shown && earlier.step_id == event.step_id => {
                earlier.body = body;
                Merge::Merged
            }
            _ => Merge::InOrder(next),
        }
    }
}

/// How long a merged piece may become, in bytes: each merge copies it, under the lock that every producer may need.
const MAX_MERGED_BYTES: usize = 16 << 10;

/// Two pieces of one text as one piece.
fn merged(earlier: &Body, next: &Body) -> Option<Body> {
    if earlier.heap_bytes() + next.heap_bytes() > MAX_MERGED_BYTES {
        return None;
    }
    let mut both = earlier.clone();
    match (&mut both, next) {
        (Body::TextDelta(a), Body::TextDelta(b)) if a.id == b.id => a.delta = joined(&a.delta, &b.delta),
        (Body::ReasoningDelta(a), Body::ReasoningDelta(b)) if a.id == b.id => a.delta = joined(&a.delta, &b.delta),
        (Body::ToolInputDelta(a), Body::ToolInputDelta(b)) if a.tool_call_id == b.tool_call_id => {
            a.input_text_delta = joined(&a.input_text_delta, &b.input_text_delta);
        }
        _ => return None,
    }
    Some(both)
}

fn joined(a: &Text, b: &Text) -> Text {
    Text::from(format!("{a}{b}"))
}
