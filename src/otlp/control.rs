//! What others ask of a pump: flush, stop.

use crate::{Answer, Error, Pending};
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

#[derive(Debug, Default)]
pub(crate) struct Control {
    asked: Mutex<Asked>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Asked {
    flushes: Vec<Answer<()>>,
    stop: bool,
    ended: bool,
}

/// What was asked up to a moment. What is read from the log after that moment has all that was logged before the asking.
#[derive(Debug)]
pub(super) struct Orders {
    flushes: Vec<Answer<()>>,
    pub(super) stop: bool,
}

impl Control {
    /// Answered when everything that the log has now is settled, or could not be.
    pub(crate) fn flush(&self) -> Pending<()> {
        let (answer, pending) = Pending::asked();
        let mut asked = self.asked();
        match asked.ended {
            true => drop(asked),
            false => {
                asked.flushes.push(answer);
                drop(asked);
                self.bell.notify_all();
            }
        }
        pending
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

    pub(super) fn ended(&self) {
        let mut asked = self.asked();
        asked.ended = true;
        let late = std::mem::take(&mut asked.flushes);
        drop(asked);
        drop(late);
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
        for answer in self.flushes {
            answer.give(match end {
                Ok(()) => Ok(()),
                Err(error) if error.is_closed() => Err(Error::closed(error.to_string())),
                Err(error) => Err(Error::io(error.to_string())),
            });
        }
    }
}
