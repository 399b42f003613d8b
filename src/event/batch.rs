//! `Batch`: events in the order and with the numbers that the gate gave them; what hub and log are fed with.

use super::{Life, StreamEvent};
use crate::{Cursor, Text};

/// An event with its numbers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Recorded {
    /// What happened.
    pub event: StreamEvent,
    /// Place among what is logged of its execution: 1, 2, 3 …; for what is not logged, that of the last one before it.
    pub sequence: u64,
    /// How many bulk events its execution had so far that are shown, this one included where it is one: a reader sees by
    /// it how many it missed.
    pub pieces: u64,
    /// Whether its emitter's mode lets it be shown.
    pub shown: bool,
    /// The conversation that its execution belongs to.
    pub session_id: Option<Text>,
    /// Whose data its execution is, as far as it was said up to this event; it never becomes another's.
    pub tenant_id: Option<Text>,
    /// Whether its execution runs in another process: its first event was taken in from there. It is not over when this
    /// process is.
    pub elsewhere: bool,
    /// Whether its execution goes on though it is an end: that of what a step of the execution called in another process.
    pub goes_on: bool,
}

impl Recorded {
    /// An event with its numbers.
    pub const fn new(event: StreamEvent, sequence: u64, pieces: u64, shown: bool) -> Self {
        Self { event, sequence, pieces, shown, session_id: None, tenant_id: None, elsewhere: false, goes_on: false }
    }

    /// The same event, of this conversation.
    pub fn of_session(mut self, session_id: Option<Text>) -> Self {
        self.session_id = session_id;
        self
    }

    /// The same event, of this tenant.
    pub fn of_tenant(mut self, tenant_id: Option<Text>) -> Self {
        self.tenant_id = tenant_id;
        self
    }

    /// The same event, of an execution that runs in another process.
    pub const fn from_elsewhere(mut self) -> Self {
        self.elsewhere = true;
        self
    }

    /// Whether it is a piece of something whose whole is kept at its end.
    pub fn is_piece(&self) -> bool {
        matches!(self.event.kind().life(), Life::Continues(_))
    }

    /// Whether the log keeps it.
    pub fn is_logged(&self) -> bool {
        self.event.kind().event_type().is_some() && self.event.execution_id.is_some()
    }
}

/// Events with contiguous offsets.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Batch {
    /// Cursor of the first event; each further one has the next offset.
    pub first: Cursor,
    /// The events, in order.
    pub events: Vec<Recorded>,
}

impl Batch {
    /// Events whose first has this cursor.
    pub const fn new(first: Cursor, events: Vec<Recorded>) -> Self {
        Self { first, events }
    }

    /// Cursor of the event at this index.
    pub const fn cursor(&self, index: usize) -> Cursor {
        Cursor::new(self.first.epoch, self.first.offset + index as u64)
    }

    /// Offset after the last event.
    pub fn end(&self) -> u64 {
        self.first.offset + self.events.len() as u64
    }

    /// The events with their cursors.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Cursor, &Recorded)> {
        self.events.iter().enumerate().map(|(index, recorded)| (self.cursor(index), recorded))
    }

    /// Memory held, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        let events = self.events.iter();
        events.map(|recorded| size_of::<Recorded>() + recorded.event.heap_bytes()).sum()
    }
}
