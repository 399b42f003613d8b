//! What others ask of a pump: flush, stop.

use super::joint::Share;
use crate::Error;
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

#[derive(Debug, Default)]
pub(crate) struct Control {
    asked: Mutex<Asked>,
    bell: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct Asked {
    flushes: Vec<Share>,
    /// To be over by then.
    stop: Option<Instant>,
    ended: bool,
}

/// What is asked of a pump and not answered yet. Each has its goal: the offset of the log's last event when it was asked.
/// With what comes later it has nothing to do, so that a busy log does not keep it waiting.
#[derive(Debug, Default)]
pub(super) struct Orders {
    flushes: Vec<(u64, Share)>,
    stop: Option<Stop>,
}

#[derive(Debug, Clone, Copy)]
struct Stop {
    goal: u64,
    deadline: Instant,
}

impl Control {
    /// The share is given when everything that the log has now is settled, or could not be.
    pub(crate) fn flush(&self, share: Share) {
        let mut asked = self.asked();
        // Dropped after the lock is given back: whoever waits is woken by that.
        let late = match asked.ended {
            true => Some(share),
            false => {
                asked.flushes.push(share);
                None
            }
        };
        drop(asked);
        drop(late);
        self.bell.notify_all();
    }

    /// The pump tries once more to settle what the log has now, and ends; also with something left when this moment is
    /// over. Of several the first counts.
    pub(crate) fn stop(&self, deadline: Instant) {
        self.asked().stop.get_or_insert(deadline);
        self.bell.notify_all();
    }

    /// What was asked since the last look; none where nothing was.
    pub(super) fn news(&self, known: &Orders) -> Option<Asked> {
        let mut asked = self.asked();
        let stop = asked.stop.filter(|_| known.stop.is_none());
        let flushes = std::mem::take(&mut asked.flushes);
        (stop.is_some() || !flushes.is_empty()).then_some(Asked { flushes, stop, ended: false })
    }

    /// The end, when it goes.
    pub(super) fn ending(self: Arc<Self>) -> Ending {
        Ending(self)
    }

    /// Until something is asked, or this moment.
    pub(super) fn wait(&self, until: Instant) {
        let mut asked = self.asked();
        while asked.flushes.is_empty() && asked.stop.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            asked = self.bell.wait_timeout(asked, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A thread that panicked here left whole values behind.
    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Orders {
    pub(super) fn add(&mut self, asked: Asked, goal: u64) {
        self.flushes.extend(asked.flushes.into_iter().map(|share| (goal, share)));
        self.stop = self.stop.or(asked.stop.map(|deadline| Stop { goal, deadline }));
    }

    pub(super) fn is_urgent(&self) -> bool {
        self.stop.is_some() || !self.flushes.is_empty()
    }

    /// Whether somebody waits for what was read up to this offset, and for nothing after it.
    pub(super) fn wait_for(&self, offset: u64) -> bool {
        let goals = self.flushes.iter().map(|(goal, _)| *goal).chain(self.stop.map(|stop| stop.goal));
        goals.min().is_some_and(|goal| goal <= offset)
    }

    /// Answers those who waited for no more than this.
    pub(super) fn settled_to(&mut self, offset: u64) {
        self.flushes.extract_if(.., |(goal, _)| *goal <= offset).for_each(|(_, share)| share.give(Ok(())));
    }

    /// Answers everyone.
    pub(super) fn answer(&mut self, end: &Result<(), Error>) {
        for (_, share) in self.flushes.drain(..) {
            share.give(end.as_ref().copied().map_err(same));
        }
    }

    pub(super) const fn is_to_stop(&self) -> bool {
        self.stop.is_some()
    }

    /// Whether what there was when it was told to stop is settled.
    pub(super) fn stops_at(&self, offset: u64) -> bool {
        self.stop.is_some_and(|stop| stop.goal <= offset)
    }

    pub(super) fn is_late(&self) -> bool {
        self.stop.is_some_and(|stop| stop.deadline <= Instant::now())
    }
}

/// An error for one more who asks: its words, and whether all is over.
pub(super) fn same(error: &Error) -> Error {
    let words = error.to_string();
    if error.is_closed() { Error::closed(words) } else { Error::io(words) }
}

pub(super) struct Ending(Arc<Control>);

impl Drop for Ending {
    /// Answered after the lock is given back.
    fn drop(&mut self) {
        let mut asked = self.0.asked();
        asked.ended = true;
        let late = std::mem::take(&mut asked.flushes);
        drop(asked);
        drop(late);
    }
}
