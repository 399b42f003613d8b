//! Where a reader begins, and what is known then of the executions that it will read.

use super::{From, Shared, account::Unseen, known::Known, marks::Marks, ring::Ring};
use crate::{Cursor, ExecutionId, log::Scope};
use std::sync::MutexGuard;

/// What a reader begins with.
pub(super) struct Beginning {
    pub(super) reader: u64,
    /// Offset of the first event to look at; that of the next to come where it is not known yet.
    pub(super) next: u64,
    /// What has to be looked up first.
    pub(super) resolve: Option<Cursor>,
    pub(super) seen: Known,
    pub(super) unseen: Unseen,
}

impl Beginning {
    pub(super) fn of(hub: &Shared, scope: &Scope, from: From) -> Self {
        let mut ring = hub.ring();
        let (reader, first, end) = (ring.new_reader(), ring.first_offset(), ring.next_offset());
        let here = |cursor: Cursor| cursor.epoch == hub.epoch && cursor.offset < end;
        let (next, resolve) = match from {
            From::Live => (end, None),
            From::Start => (if hub.log.is_some() { 1 } else { first }, None),
            From::After(cursor) if here(cursor) => (cursor.offset + 1, None),
            From::After(cursor) => (end, Some(cursor)),
        };
        let begins = Self { reader, next, resolve, seen: Known::default(), unseen: Unseen::Unknown };
        match (from, scope) {
            (From::Start, _) if hub.log.is_some() => Self { unseen: Unseen::FromStart, ..begins },
            (From::Start, _) => begins,
            _ if resolve.is_some() => begins,
            (_, Scope::Execution(id)) => begins.of_one(ring, hub, id),
            (From::Live, _) => {
                let unseen = if ring.known().is_whole() { of_unpublished(hub) } else { Unseen::Unknown };
                Self { seen: ring.known().hand_out(), unseen, ..begins }
            }
            _ => begins,
        }
    }

    /// What is known of the one execution before the first event to look at. What the ring has let go of has to be
    /// asked of the log, and is when it comes to that.
    fn of_one(mut self, ring: MutexGuard<'_, Ring>, hub: &Shared, id: &ExecutionId) -> Self {
        let newest = ring.known().of(id);
        if newest.is_none() && ring.known().is_whole() {
            self.unseen = of_unpublished(hub);
        } else if self.next >= ring.first_offset() {
            let segments = ring.segments_for(self.next, Marks::wanted(Some(id), None));
            // Looked through after the lock is given back.
            drop(ring);
            let before = segments.iter().find_map(|segment| segment.numbers_before(self.next, id)).or(newest);
            if let Some(numbers) = before {
                self.seen.note(id, numbers, false);
            }
        }
        self
    }
}

/// Who was not published here begins with nothing, unless the log knows it from an earlier process.
fn of_unpublished(hub: &Shared) -> Unseen {
    if hub.log.is_some() { Unseen::Known } else { Unseen::FromStart }
}
