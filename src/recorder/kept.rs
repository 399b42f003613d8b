//! `Kept`: what the log has and memory still has too, for a reader of the log that is spared reading it there.

use super::{
    HUB, Recorder, Shared,
    item::{Item, Waiter},
};
use crate::{event::Batch, hub::Hub};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// A reader's view of the newest events: those that are in the log as well, and no others.
#[derive(Clone)]
pub(crate) struct Kept {
    hub: Hub,
    shared: Arc<Shared>,
    /// Up to this offset the log has written what it was given.
    sure_to: u64,
}

/// What follows a place, in order.
pub(crate) struct Newest {
    /// Each may begin before the place and reach past `to`.
    pub(crate) batches: Vec<Arc<Batch>>,
    /// Everything up to this offset is in them.
    pub(crate) to: u64,
    /// Whether the log has more.
    pub(crate) more: bool,
}

impl Recorder {
    /// None for a recorder without a live side or without a log.
    pub(crate) fn kept(&self) -> Option<Kept> {
        let is_shown = self.0.shared.wanted.load(Ordering::Relaxed) & HUB != 0;
        (is_shown && self.log().is_some()).then(|| Kept {
            hub: self.0.hub.clone(),
            shared: self.0.shared.clone(),
            sure_to: 0,
        })
    }
}

impl Kept {
    /// Batches with what follows this offset, about `limit` events. None where only the log can say it: memory does not
    /// reach back so far, or the log has not everything that memory has. May wait this long for the log to write.
    pub(crate) fn after(&mut self, offset: u64, limit: usize, patience: Duration) -> Option<Newest> {
        let newest = self.hub.newest().offset;
        if newest > offset && self.sure_to <= offset {
            self.sure_to = self.write(patience).filter(|sure_to| *sure_to > offset)?;
        }
        // Asked after the log has answered: what it lost before that is known by then.
        if self.shared.lost_to.load(Ordering::Acquire) > offset {
            return None;
        }
        let batches = self.hub.held_after(offset, limit)?;
        let reaches = batches.last().map_or(offset, |batch| batch.end().saturating_sub(1));
        let to = reaches.min(self.sure_to).max(offset);
        Some(Newest { batches, to, more: to < self.sure_to })
    }

    /// The next look is at what the log has by then: what was sure before may be less.
    pub(crate) const fn look_again(&mut self) {
        self.sure_to = 0;
    }

    /// Has the log write what it was given, and says how far that goes.
    fn write(&self, patience: Duration) -> Option<u64> {
        let written = self.shared.ask(|answer| Item::Flush(Waiter::Reader(answer)));
        written.wait(patience).ok().map(|cursor| cursor.offset)
    }
}
