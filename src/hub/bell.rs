//! One wake-up for all streams: whoever publishes calls the server once, and the server wakes its streams itself.
//!
//! To wake a task of a runtime from another thread costs a system call each (tokio writes to an eventfd); to wake it
//! from within is a push to a queue. With a thousand readers that would be a thousand system calls for an event, on the
//! recorder's thread.

use std::{
    future::poll_fn,
    mem,
    sync::{Arc, PoisonError},
    task::{Context, Poll, Wake, Waker},
};
use sync::{AtomicBool, Mutex, MutexGuard, Queue, SeqCst};

/// The standard primitives, or loom's when the model is checked.
#[cfg(not(all(test, spanwright_loom)))]
mod sync {
    pub(super) use crossbeam_queue::SegQueue as Queue;
    pub(super) use std::sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering::SeqCst},
    };
}

#[cfg(all(test, spanwright_loom))]
mod sync {
    pub(super) use loom::sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering::SeqCst},
    };

    /// The same to its callers: what the model checks is how the queue is used, not crossbeam's own code.
    #[derive(Debug)]
    pub(super) struct Queue<T>(Mutex<std::collections::VecDeque<T>>);

    impl<T> Default for Queue<T> {
        fn default() -> Self {
            Self(Mutex::new(std::collections::VecDeque::new()))
        }
    }

    impl<T> Queue<T> {
        pub(super) fn push(&self, item: T) {
            self.0.lock().expect("lock").push_back(item);
        }

        pub(super) fn pop(&self) -> Option<T> {
            self.0.lock().expect("lock").pop_front()
        }
    }
}

/// Streams that are to be woken, and who does it. Where nobody attends, as in a router in someone else's server, each
/// is woken at once.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    /// Each at most once, so as many as there are streams.
    called: Queue<Arc<Rope>>,
    attended: AtomicBool,
    /// The attendant was told of a call and has not looked since.
    rings: AtomicBool,
    attendant: Mutex<Option<Waker>>,
}

/// What a stream is woken by.
#[derive(Debug)]
pub(crate) struct Rope {
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
    pub(crate) fn rope(self: &Arc<Self>) -> Arc<Rope> {
        let (queued, pulled) = (AtomicBool::new(false), AtomicBool::new(true));
        Arc::new(Rope { bell: self.clone(), task: Mutex::default(), queued, pulled })
    }

    /// Wakes those who were called, for as long as it is polled; never ready.
    pub(crate) async fn attend(&self) {
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
    pub(crate) fn tie(&self, task: &Waker) {
        replace(&self.task, task);
    }

    /// Whether there was a call since this was last asked; the first time there was.
    pub(crate) fn was_pulled(&self) -> bool {
        self.pulled.swap(false, SeqCst)
    }

    /// There is more without a call.
    pub(crate) fn pull(&self) {
        // An exchange as well, though nobody asks for the old value: all that touch it stand in one order then, in loom's
        // eyes too. (To a processor a store in that order costs the same.)
        self.pulled.swap(true, SeqCst);
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

#[cfg(all(test, spanwright_loom))]
mod model {
    //! Every interleaving of those who publish, a stream and the attendant: whoever is woken looks, and then everything
    //! that was published has been read.

    use super::*;
    use loom::thread;
    use std::{future::Future, pin::Pin};

    /// Whether somebody is to be polled.
    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, SeqCst);
        }
    }

    impl Woken {
        fn take(&self) -> bool {
            self.0.swap(false, SeqCst)
        }
    }

    /// What is published, and a stream that waits for it as those of a server do.
    struct Stage {
        bell: Arc<Bell>,
        rope: Arc<Rope>,
        published: Mutex<u32>,
        read: Mutex<u32>,
        stream: Arc<Woken>,
        attendant: Arc<Woken>,
    }

    type Attendance = Pin<Box<dyn Future<Output = ()>>>;

    impl Stage {
        /// The stream has read what there was, nothing, and waits.
        fn new() -> Arc<Self> {
            let bell = Arc::<Bell>::default();
            let (published, read) = (Mutex::new(0), Mutex::new(0));
            let (stream, attendant) = Default::default();
            let stage = Arc::new(Self { rope: bell.rope(), bell, published, read, stream, attendant });
            stage.poll_stream();
            stage
        }

        fn publish(&self) {
            *self.published.lock().expect("lock") += 1;
            Waker::from(self.rope.clone()).wake();
        }

        fn poll_stream(&self) {
            self.stream.take();
            self.rope.tie(&Waker::from(self.stream.clone()));
            if self.rope.was_pulled() {
                *self.read.lock().expect("lock") = *self.published.lock().expect("lock");
            }
        }

        fn attendance(&self) -> Attendance {
            let bell = self.bell.clone();
            Box::pin(async move { bell.attend().await })
        }

        fn poll(&self, attendance: &mut Attendance) {
            // What woke it before this is done with.
            self.attendant.take();
            let waker = Waker::from(self.attendant.clone());
            assert!(attendance.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }

        /// As a runtime does, until nobody is woken any more.
        fn settle(&self, mut attendance: Option<&mut Attendance>) -> u32 {
            loop {
                match &mut attendance {
                    Some(attendance) if self.attendant.take() => self.poll(attendance),
                    _ if self.stream.take() => self.poll_stream(),
                    _ => return *self.read.lock().expect("lock"),
                }
            }
        }
    }

    fn check(model: impl Fn() + Sync + Send + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(model);
    }

    fn publisher(stage: &Arc<Stage>, times: u32) -> thread::JoinHandle<()> {
        let stage = stage.clone();
        thread::spawn(move || (0..times).for_each(|_| stage.publish()))
    }

    #[test]
    fn what_is_published_while_an_attendant_comes_is_read() {
        check(|| {
            let stage = Stage::new();
            let (one, other) = (publisher(&stage, 1), publisher(&stage, 1));
            let mut attendance = stage.attendance();
            stage.poll(&mut attendance);
            one.join().expect("one");
            other.join().expect("other");
            assert_eq!(stage.settle(Some(&mut attendance)), 2);
        });
    }

    #[test]
    fn what_is_published_while_an_attendant_goes_is_read() {
        check(|| {
            let stage = Stage::new();
            let mut attendance = stage.attendance();
            stage.poll(&mut attendance);
            let (one, other) = (publisher(&stage, 1), publisher(&stage, 1));
            drop(attendance);
            one.join().expect("one");
            other.join().expect("other");
            assert_eq!(stage.settle(None), 2);
        });
    }

    #[test]
    fn what_is_published_while_the_attendant_wakes_a_stream_that_looks_by_itself_is_read() {
        check(|| {
            let stage = Stage::new();
            let mut attendance = stage.attendance();
            stage.poll(&mut attendance);
            let one = publisher(&stage, 2);
            let looking = {
                let stage = stage.clone();
                thread::spawn(move || stage.poll_stream())
            };
            stage.poll(&mut attendance);
            one.join().expect("one");
            looking.join().expect("looking");
            assert_eq!(stage.settle(Some(&mut attendance)), 2);
        });
    }
}
