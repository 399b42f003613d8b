//! The stage and the output behind one lock, for the thread that draws and the threads that end runs.

use super::{Output, Size, Stage};
use crate::{ExecutionId, Timestamp};
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

pub(super) struct Shared {
    place: Mutex<Place>,
    /// A run has ended while the lock could not be had.
    unheard: AtomicBool,
}

/// The lock is held while a frame is written: only so does no clearing get into the middle of one.
struct Place {
    stage: Stage,
    output: Output,
}

/// How often a thread that ends a run asks for the lock, and how long it sleeps in between: 5 ms, then it goes on. The
/// other one may hang in a terminal that was stopped with Ctrl-S.
const TRIES: u32 = 25;
const BETWEEN_TRIES: Duration = Duration::from_micros(200);

impl Shared {
    pub(super) fn new(stage: Stage, output: Output) -> Self {
        Self { place: Mutex::new(Place { stage, output }), unheard: AtomicBool::new(false) }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.lock().output.now()
    }

    /// Writes a frame; false when that failed.
    pub(super) fn draw(&self, frame: impl FnOnce(&mut Stage, Timestamp, Size) -> String) -> bool {
        let mut place = self.lock();
        let Place { stage, output } = &mut *place;
        let now = output.now();
        if self.unheard.swap(false, Ordering::AcqRel) {
            stage.abandon(now);
        }
        output.write(|size| frame(stage, now, size))
    }

    /// Clears the screen for a program that may print next.
    pub(super) fn make_way(&self, ended: Option<&ExecutionId>) {
        let Some(mut place) = self.lock_soon() else { return self.unheard.store(true, Ordering::Release) };
        let Place { stage, output } = &mut *place;
        let now = output.now();
        // Where nothing can be written nothing is in the program's way either.
        output.write(|size| stage.clear(ended, now, size));
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        // A thread that panicked in the writer leaves a frame that may be half there; it is drawn over.
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_soon(&self) -> Option<MutexGuard<'_, Place>> {
        for _ in 0..TRIES {
            match self.place.try_lock() {
                Ok(place) => return Some(place),
                // A writer that has panicked once is not asked again on a thread of the program's.
                Err(TryLockError::Poisoned(_)) => return None,
                Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN_TRIES),
            }
        }
        None
    }
}
