//! The primitives under the queue: the standard ones, or loom's when its model is checked.

#[cfg(all(test, spanwright_loom))]
pub(super) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
#[cfg(not(all(test, spanwright_loom)))]
pub(super) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// A bounded lock-free queue.
#[cfg(not(all(test, spanwright_loom)))]
pub(super) use crossbeam_queue::ArrayQueue as Ring;

/// The same to its callers: what the model checks is how the queue is used, not crossbeam's own code.
#[cfg(all(test, spanwright_loom))]
pub(super) struct Ring<T>(Mutex<std::collections::VecDeque<T>>, usize);

#[cfg(all(test, spanwright_loom))]
impl<T> Ring<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self(Mutex::new(std::collections::VecDeque::new()), capacity)
    }

    pub(super) fn push(&self, item: T) -> Result<(), T> {
        let mut items = self.0.lock().expect("lock");
        if items.len() == self.1 {
            return Err(item);
        }
        items.push_back(item);
        Ok(())
    }

    pub(super) fn pop(&self) -> Option<T> {
        self.0.lock().expect("lock").pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().expect("lock").len()
    }
}
