//! What a client is told.

use crate::{Cursor, Error, StreamEvent};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// What [`Events`](super::Events) gives out.
#[derive(Debug)]
#[non_exhaustive]
pub enum Update {
    /// Something happened, in an execution or to the stream itself.
    Event(Event),
    /// Something came that is no event. The stream goes on.
    Unreadable(Unreadable),
    /// The line is lost; the client comes back by itself. `data-connected` is the next event when it is there.
    Reconnecting(Reconnecting),
}

impl Update {
    /// The event, where there is one.
    pub fn event(self) -> Option<StreamEvent> {
        if let Self::Event(event) = self { Some(event.event) } else { None }
    }
}

/// An event, and how far the stream has come with it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// Where another stream goes on without loss. An event of the stream itself (a gap, a lag) has no place of its own
    /// and shows that of the last one before it; none where there was none yet.
    pub cursor: Option<Cursor>,
    /// What happened. A kind of a later version is [`Body::Unknown`](crate::event::Body::Unknown) and kept as it came.
    pub event: StreamEvent,
}

/// Something that came in the stream and is no event.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unreadable {
    /// How far the stream has come with it.
    pub cursor: Option<Cursor>,
    /// The type that it came with.
    pub tag: String,
    /// What is wrong with it.
    pub error: Error,
}

/// Why and how a client comes back.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reconnecting {
    /// Why the line was lost, or could not be had.
    pub why: Error,
    /// After how long it is tried again.
    pub pause: Duration,
    /// Which try that is since the last event, from 1.
    pub attempt: u32,
}

/// What became of what came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Events that were given out.
    pub events: u64,
    /// Events that came again and were dropped.
    pub duplicates: u64,
    /// Events that are not of the agent, kinds or mode asked for, where the client has to look itself.
    pub filtered: u64,
    /// What came and was no event.
    pub unreadable: u64,
    /// Times that the line was lost, or could not be had.
    pub reconnects: u64,
}

/// The counts while they change.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) events: AtomicU64,
    pub(super) duplicates: AtomicU64,
    pub(super) filtered: AtomicU64,
    pub(super) unreadable: AtomicU64,
    pub(super) reconnects: AtomicU64,
}

impl Tally {
    pub(super) fn one_more(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }

    pub(super) fn read(&self) -> Counts {
        Counts {
            events: self.events.load(Relaxed),
            duplicates: self.duplicates.load(Relaxed),
            filtered: self.filtered.load(Relaxed),
            unreadable: self.unreadable.load(Relaxed),
            reconnects: self.reconnects.load(Relaxed),
        }
    }
}
