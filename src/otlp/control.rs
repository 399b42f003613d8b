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
struct Asked {
    flushes: Vec<Share>,
    stop: bool,
    ended: bool,
}

/// What was asked up to a moment. What is read from the log after that moment has all that was logged before the asking.
#[derive(Debug)]
pub(super) struct Orders {
    flushes: Vec<Share>,
    pub(super) stop: bool,
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

    /// The pump tries once more to settle what the log has, and ends.
    pub(crate) fn stop(&self) {
        self.asked().stop = true;
        self.bell.notify_all();
    }

    pub(super) fn take(&self) -> Orders {
        let mut asked = self.asked();
        Orders { flushes: std::mem::take(&mut asked.flushes), stop: asked.stop }
    }

    /// The end, when it goes.
    pub(super) fn ending(self: Arc<Self>) -> Ending {
        Ending(self)
    }

    /// Until something is asked, or this moment.
    pub(super) fn wait(&self, until: Instant) {
        let mut asked = self.asked();
        while asked.flushes.is_empty() && !asked.stop {
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
    pub(super) fn is_urgent(&self) -> bool {
        self.stop || !self.flushes.is_empty()
    }

    pub(super) fn answer(self, end: &Result<(), Error>) {
        for share in self.flushes {
            share.give(match end {
                Ok(()) => Ok(()),
                Err(error) if error.is_closed() => Err(Error::closed(error.to_string())),
                Err(error) => Err(Error::io(error.to_string())),
            });
        }
    }
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
