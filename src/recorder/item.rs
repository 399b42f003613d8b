//! What waits in the queue: events, and questions that must be answered in their place among them.

use super::queue::{Merge, Waiting};
use crate::{
    Cursor, StreamEvent, Text,
    event::{Body, Class},
    pending::Answer,
};

pub(super) enum Item {
    /// An event, and whether its emitter's mode lets it be shown.
    Event(StreamEvent, bool),
    /// Asks for everything before it to be durable.
    Flush(Answer<Cursor>),
    /// Asks for everything before it to be visible.
    Settle(Answer<Cursor>),
}

impl Waiting for Item {
    fn class(&self) -> Option<Class> {
        match self {
            Self::Event(event, _) => Some(event.class()),
            Self::Flush(_) | Self::Settle(_) => None,
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Event(event, _) => event.heap_bytes(),
            Self::Flush(_) | Self::Settle(_) => 0,
        }
    }

    fn merge(&mut self, next: Self) -> Merge<Self> {
        let (Self::Event(earlier, earlier_shown), Self::Event(event, shown)) = (&mut *self, &next) else {
            return Merge::InOrder(next);
        };
        if earlier.execution_id != event.execution_id {
            return Merge::Unrelated(next);
        }
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
