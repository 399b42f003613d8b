//! Batches that wait for their commit, and which of them go into one transaction.

use crate::{event::Batch, pending::Answer};
use std::{collections::VecDeque, sync::Arc};

/// Batches that were taken and are not committed yet, in order.
#[derive(Default)]
pub(super) struct Backlog {
    waiting: VecDeque<Waiting>,
    total: Size,
}

struct Waiting {
    batch: Arc<Batch>,
    size: Size,
    answer: Answer<()>,
}

#[derive(Clone, Copy, Default)]
struct Size {
    events: usize,
    bytes: usize,
}

/// What ends a group; the batch that fills it goes along.
const MAX_GROUP: Size = Size { events: 8192, bytes: 4 << 20 };

impl Backlog {
    pub(super) fn push(&mut self, batch: Arc<Batch>, answer: Answer<()>) {
        let size = Size { events: batch.events.len(), bytes: batch.size_bytes() };
        self.total.add(size);
        self.waiting.push_back(Waiting { batch, size, answer });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The offset of the first event that waits.
    pub(super) fn first_offset(&self) -> Option<u64> {
        self.waiting.front().map(|waiting| waiting.batch.first.offset)
    }

    /// Whether waiting for more would not make the next transaction larger.
    pub(super) const fn fills_group(&self) -> bool {
        self.total.fills(MAX_GROUP)
    }

    /// What goes into the next transaction.
    pub(super) fn group(&self) -> impl Iterator<Item = &Batch> + Clone {
        self.waiting.iter().take(self.group_len()).map(|waiting| &*waiting.batch)
    }

    /// The same, with those who wait for it: it is committed.
    pub(super) fn take_group(&mut self) -> impl Iterator<Item = (Arc<Batch>, Answer<()>)> {
        let group = self.waiting.drain(..self.group_len());
        group.map(|waiting| {
            self.total.subtract(waiting.size);
            (waiting.batch, waiting.answer)
        })
    }

    fn group_len(&self) -> usize {
        let mut total = Size::default();
        let with_room = self.waiting.iter().take_while(|waiting| {
            let room = !total.fills(MAX_GROUP);
            total.add(waiting.size);
            room
        });
        with_room.count()
    }
}

impl Size {
    const fn fills(self, limit: Self) -> bool {
        self.events >= limit.events || self.bytes >= limit.bytes
    }

    const fn add(&mut self, other: Self) {
        self.events += other.events;
        self.bytes += other.bytes;
    }

    const fn subtract(&mut self, other: Self) {
        self.events -= other.events;
        self.bytes -= other.bytes;
    }
}
