//! What was seen already: servers and proxies may say a thing again.

use crate::Cursor;
use std::collections::VecDeque;

/// The last place seen in each of the last epochs. Within an epoch a greater offset is later, so what is not after it
/// was seen, however often the record was told again from its start.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The epoch that was met last is the last one.
    marks: VecDeque<Cursor>,
}

/// Epochs remembered: openings of one log while a client watches.
const MAX_EPOCHS: usize = 1_024;

impl Seen {
    /// The last place seen in an epoch.
    pub(super) fn last_of(&self, epoch: u64) -> Option<u64> {
        self.marks.iter().rev().find(|mark| mark.epoch == epoch).map(|mark| mark.offset)
    }

    /// Whether more was seen than up to here: this is then the place of something that was told again, and what has no
    /// place of its own shows it too.
    pub(super) fn is_past(&self, cursor: Cursor) -> bool {
        self.last_of(cursor.epoch).is_some_and(|last| cursor.offset < last)
    }

    /// Takes note of a place.
    pub(super) fn note(&mut self, cursor: Cursor) {
        if let Some(mark) = self.marks.iter_mut().rev().find(|mark| mark.epoch == cursor.epoch) {
            mark.offset = mark.offset.max(cursor.offset);
            return;
        }
        if self.marks.len() == MAX_EPOCHS {
            self.marks.pop_front();
        }
        self.marks.push_back(cursor);
    }
}
