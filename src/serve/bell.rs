//! One wake-up for all streams: whoever publishes calls the server once, and the server wakes its streams itself.
//!
//! To wake a task of a runtime from another thread costs a system call each (tokio writes to an eventfd); to wake it
//! from within is a push to a queue. With a thousand readers that would be a thousand system calls for an event, on the
//! recorder's thread.

use std::{
    future::poll_fn,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Streams that are to be woken, and who does it. Where nobody attends, as in a router in someone else's server, each
/// is woken at once.
#[derive(Debug, Default)]
pub(super) struct Bell(Mutex<Calls>);

#[derive(Debug, Default)]
struct Calls {
    attended: bool,
    /// Woken when there is a first call. Gone until it has answered.
    attendant: Option<Waker>,
    /// Each at most once, so as many as there are streams.
    called: Vec<Arc<Rope>>,
}

/// What a stream is woken by.
#[derive(Debug)]
pub(super) struct Rope {
    bell: Arc<Bell>,
    task: Mutex<Option<Waker>>,
    /// It is among the calls already.
    pulled: AtomicBool,
}

/// Nothing panics under these locks. Wakers are others' code: none is woken or dropped there.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bell {
    pub(super) fn rope(self: &Arc<Self>) -> Arc<Rope> {
        Arc::new(Rope { bell: self.clone(), task: Mutex::default(), pulled: AtomicBool::new(false) })
    }

    /// Wakes those who were called, for as long as it is polled; never ready.
    pub(super) async fn attend(&self) {
        let _leaves = Leaves(self);
        poll_fn(|cx| self.poll_called(cx)).await
    }

    fn poll_called(&self, cx: &mut Context<'_>) -> Poll<()> {
        let attendant = Some(cx.waker().clone());
        let (called, _old) = {
            let mut calls = lock(&self.0);
            calls.attended = true;
            (mem::take(&mut calls.called), mem::replace(&mut calls.attendant, attendant))
        };
        called.iter().for_each(|rope| rope.wake_task());
        Poll::Pending
    }

    fn call(&self, rope: Arc<Rope>) {
        let (attendant, rope) = {
            let mut calls = lock(&self.0);
            if calls.attended {
                calls.called.push(rope);
                (calls.attendant.take(), None)
            } else {
                (None, Some(rope))
            }
        };
        if let Some(rope) = rope {
            rope.wake_task();
        }
        if let Some(attendant) = attendant {
            attendant.wake();
        }
    }
}

/// From here on each stream is woken at once; those who were called already are not forgotten.
struct Leaves<'a>(&'a Bell);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        let calls = mem::take(&mut *lock(&self.0.0));
        calls.called.iter().for_each(|rope| rope.wake_task());
    }
}

impl Rope {
    /// From now on it wakes this task.
    pub(super) fn tie(&self, task: &Waker) {
        if lock(&self.task).as_ref().is_some_and(|tied| tied.will_wake(task)) {
            return;
        }
        let task = Some(task.clone());
        let _old = mem::replace(&mut *lock(&self.task), task);
    }

    fn wake_task(&self) {
        // Before the task is woken: what comes after that is another call.
        self.pulled.store(false, Ordering::SeqCst);
        let task = lock(&self.task).clone();
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        if !self.pulled.swap(true, Ordering::SeqCst) {
            self.bell.clone().call(self);
        }
    }
}
