//! One wake-up for all streams: whoever publishes calls the server once, and the server wakes its streams itself.
//!
//! To wake a task of a runtime from another thread costs a system call each (tokio writes to an eventfd); to wake it
//! from within is a push to a queue. With a thousand readers that would be a thousand system calls for an event, on the
//! recorder's thread.

use crossbeam_queue::SegQueue;
use std::{
    future::poll_fn,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Streams that are to be woken, and who does it. Where nobody attends, as in a router in someone else's server, each
/// is woken at once.
#[derive(Debug, Default)]
pub(super) struct Bell {
    /// Each at most once, so as many as there are streams.
    called: SegQueue<Arc<Rope>>,
    attended: AtomicBool,
    /// The attendant was told of a call and has not looked since.
    rings: AtomicBool,
    attendant: Mutex<Option<Waker>>,
}

/// What a stream is woken by.
#[derive(Debug)]
pub(super) struct Rope {
    bell: Arc<Bell>,
    task: Mutex<Option<Waker>>,
    /// It is among the calls.
    queued: AtomicBool,
    /// Since the stream last looked.
    pulled: AtomicBool,
}

/// Exchanges the waker for another one. Wakers are others' code: the old one is dropped when the lock is given back.
fn replace(place: &Mutex<Option<Waker>>, waker: &Waker) {
    let same = lock(place).as_ref().is_some_and(|old| old.will_wake(waker));
    if !same {
        let new = Some(waker.clone());
        let _old = mem::replace(&mut *lock(place), new);
    }
}

fn wake(place: &Mutex<Option<Waker>>) {
    let waker = lock(place).clone();
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn lock(place: &Mutex<Option<Waker>>) -> MutexGuard<'_, Option<Waker>> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bell {
    pub(super) fn rope(self: &Arc<Self>) -> Arc<Rope> {
        let (queued, pulled) = (AtomicBool::new(false), AtomicBool::new(true));
        Arc::new(Rope { bell: self.clone(), task: Mutex::default(), queued, pulled })
    }

    /// Wakes those who were called, for as long as it is polled; never ready.
    pub(super) async fn attend(&self) {
        let _leaves = Leaves(self);
        poll_fn(|cx| self.poll_called(cx)).await
    }

    fn poll_called(&self, cx: &mut Context<'_>) -> Poll<()> {
        replace(&self.attendant, cx.waker());
        self.attended.store(true, SeqCst);
        self.answer();
        // Who calls from here on rings; who called before it and did not ring is answered here.
        self.rings.store(false, SeqCst);
        self.answer();
        Poll::Pending
    }

    fn answer(&self) {
        while let Some(rope) = self.called.pop() {
            // First: what comes after the stream was woken is another call.
            rope.queued.store(false, SeqCst);
            wake(&rope.task);
        }
    }

    fn call(&self, rope: Arc<Rope>) {
        self.called.push(rope);
        // Asked after the push: the attendant that leaves says so first, and looks for calls then.
        if !self.attended.load(SeqCst) {
            self.answer();
        } else if !self.rings.swap(true, SeqCst) {
            wake(&self.attendant);
        }
    }
}

/// From here on each stream is woken at once; those who were called already are not forgotten.
struct Leaves<'a>(&'a Bell);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.attended.store(false, SeqCst);
        self.0.answer();
    }
}

impl Rope {
    /// From now on it wakes this task.
    pub(super) fn tie(&self, task: &Waker) {
        replace(&self.task, task);
    }

    /// Whether there was a call since this was last asked; the first time there was.
    pub(super) fn was_pulled(&self) -> bool {
        self.pulled.swap(false, SeqCst)
    }

    /// There is more without a call.
    pub(super) fn pull(&self) {
        self.pulled.store(true, SeqCst);
    }
}

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        self.pull();
        if !self.queued.swap(true, SeqCst) {
            self.bell.clone().call(self);
        }
    }
}
