//! What the gate did, in exact numbers.

use super::queue::Pushed;
use crate::event::Class;
use std::sync::atomic::{AtomicU64, Ordering};

/// What became of everything that was emitted and wanted by someone. Each event is in exactly one of `recorded`,
/// `merged`, `withheld`, `shed_*`, `refused` and `denied`, once the queue is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Numbered and given to hub and log.
    pub recorded: u64,
    /// Pieces that became part of another piece, under pressure. Nothing of their text is lost.
    pub merged: u64,
    /// Pieces that the content policy did not let through by themselves: what may be shown of them goes with a later one.
    pub withheld: u64,
    /// Pieces for which there was no room.
    pub shed_bulk: u64,
    /// Structural events for which there was no room.
    pub shed_structural: u64,
    /// Control events for which there was no room, in spite of their reserve.
    pub shed_control: u64,
    /// Emitted after the recorder had shut down.
    pub refused: u64,
    /// Taken in on behalf of a tenant whose they are not: see [`Admitted::denied`](crate::Admitted::denied).
    pub denied: u64,
    /// Recorded, but not kept: the log failed for too long, or the event has no execution.
    pub unlogged: u64,
    /// Times that code of the user's panicked while a span was read (a `Debug`, a `Display`): what that told is lost.
    pub callback_panics: u64,
    /// Bytes that wait in the queue now, outside of the events themselves.
    pub waiting_bytes: u64,
}

impl Stats {
    /// Events that were lost at the gate, whatever their class.
    pub const fn shed(&self) -> u64 {
        self.shed_bulk + self.shed_structural + self.shed_control
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) recorded: AtomicU64,
    merged: AtomicU64,
    pub(super) withheld: AtomicU64,
    shed_bulk: AtomicU64,
    shed_structural: AtomicU64,
    shed_control: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) denied: AtomicU64,
    pub(super) unlogged: AtomicU64,
    pub(super) callback_panics: AtomicU64,
}

impl Counters {
    /// Only what is out of the ordinary is counted here: the ordinary way of an event touches no shared counter.
    #[cold]
    pub(super) fn pushed(&self, pushed: Pushed) {
        let counter = match pushed {
            Pushed::Queued | Pushed::Overflowed => return,
            Pushed::Merged => &self.merged,
            Pushed::Shed(Class::Bulk) => &self.shed_bulk,
            Pushed::Shed(Class::Structural) => &self.shed_structural,
            Pushed::Shed(Class::Control | Class::Transport) => &self.shed_control,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self, waiting_bytes: usize) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            recorded: get(&self.recorded),
            merged: get(&self.merged),
            withheld: get(&self.withheld),
            shed_bulk: get(&self.shed_bulk),
            shed_structural: get(&self.shed_structural),
            shed_control: get(&self.shed_control),
            refused: get(&self.refused),
            denied: get(&self.denied),
            unlogged: get(&self.unlogged),
            callback_panics: get(&self.callback_panics),
            waiting_bytes: waiting_bytes as u64,
        }
    }
}
