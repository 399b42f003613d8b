//! The one queue in front of the recorder: bounded in events and bytes, never blocking, in order.
//!
//! Two parts. The *ring* is lock-free and enough while the recorder keeps up. When it is full, or the bytes that wait
//! pass their bound, pushes go to the *overflow* behind a mutex, where pieces of one text are merged and what is past
//! the bound is shed by class. Everything pushed while the overflow is in use goes there too, so that an event never
//! overtakes one that was pushed before it: the recorder empties the ring first, then the overflow.

use super::sync::{AtomicBool, AtomicUsize, Mutex, MutexGuard, Ordering, Ring};
use crate::event::Class;
use std::collections::VecDeque;

/// What can wait in the queue.
pub(super) trait Waiting: Sized {
    /// None for what must not be shed: questions, whose number is bounded by those who wait for an answer.
    fn class(&self) -> Option<Class>;

    /// Bytes held outside of the item itself.
    fn heap_bytes(&self) -> usize;

    /// Takes `next` into this item where the two are pieces of one text.
    fn merge(&mut self, next: Self) -> Merge<Self>;
}

/// What became of two neighbours.
pub(super) enum Merge<T> {
    /// One item now.
    Merged,
    /// They are of different executions: an earlier neighbour may still fit.
    Unrelated(T),
    /// They must stay in this order.
    InOrder(T),
}

/// Bounds of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) ring: usize,
    pub(super) overflow: usize,
    pub(super) bytes: usize,
}

pub(super) struct Queue<T> {
    ring: Ring<T>,
    overflow: Mutex<VecDeque<T>>,
    overflowing: AtomicBool,
    bytes: AtomicUsize,
    bounds: Bounds,
}

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits in the ring.
    Queued,
    /// It waits in the overflow: the recorder should hurry.
    Overflowed,
    /// It was merged into one that waits.
    Merged,
    /// There was no room for an event of its class.
    Shed(Class),
}

/// How far back a neighbour is looked for.
const MERGE_REACH: usize = 32;

impl<T: Waiting> Queue<T> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            ring: Ring::new(bounds.ring),
            overflow: Mutex::new(VecDeque::new()),
            overflowing: AtomicBool::new(false),
            bytes: AtomicUsize::new(0),
            bounds,
        }
    }

    /// Never blocks for longer than another push takes.
    #[inline(always)]
    pub(super) fn push(&self, item: T) -> Pushed {
        let heap_bytes = item.heap_bytes();
        if self.overflowing.load(Ordering::Acquire) || !self.has_room(heap_bytes) {
            return self.push_overflow(item, heap_bytes);
        }
        match self.push_ring(item, heap_bytes) {
            Ok(()) => Pushed::Queued,
            Err(item) => self.push_overflow(item, heap_bytes),
        }
    }

    /// The bytes are added before the item can be seen: the recorder never takes off what is not there yet.
    #[inline(always)]
    fn push_ring(&self, item: T, heap_bytes: usize) -> Result<(), T> {
        self.add_bytes(heap_bytes);
        let pushed = self.ring.push(item);
        if pushed.is_err() {
            self.remove_bytes(heap_bytes);
        }
        pushed
    }

    /// Short texts sit in the item itself: the counter, which all producers share, is left alone for them.
    fn add_bytes(&self, heap_bytes: usize) {
        if heap_bytes > 0 {
            self.bytes.fetch_add(heap_bytes, Ordering::Relaxed);
        }
    }

    fn remove_bytes(&self, heap_bytes: usize) {
        if heap_bytes > 0 {
            self.bytes.fetch_sub(heap_bytes, Ordering::Relaxed);
        }
    }

    fn has_room(&self, heap_bytes: usize) -> bool {
        heap_bytes == 0 || self.bytes.load(Ordering::Relaxed) + heap_bytes <= self.bounds.bytes / 2
    }

    #[cold]
    fn push_overflow(&self, item: T, heap_bytes: usize) -> Pushed {
        let mut overflow = self.lock();
        // The recorder may have emptied the overflow since the flag was read; then the ring is the end of the line.
        let item = match overflow.is_empty() && self.has_room(heap_bytes) {
            true => match self.push_ring(item, heap_bytes) {
                Ok(()) => return Pushed::Queued,
                Err(item) => item,
            },
            false => item,
        };
        self.overflowing.store(true, Ordering::Release);
        let class = item.class();
        if let Some(class) = class
            && !self.admits_bytes(class, heap_bytes)
        {
            return Pushed::Shed(class);
        }
        // A piece that becomes part of another needs no place.
        let item = match merge_back(&mut overflow, item) {
            Ok(grown) => {
                self.add_bytes(grown);
                return Pushed::Merged;
            }
            Err(item) => item,
        };
        if let Some(class) = class
            && overflow.len() >= share(self.bounds.overflow, class)
        {
            return Pushed::Shed(class);
        }
        self.add_bytes(heap_bytes);
        overflow.push_back(item);
        Pushed::Overflowed
    }

    fn admits_bytes(&self, class: Class, heap_bytes: usize) -> bool {
        self.bytes().saturating_add(heap_bytes) <= share(self.bounds.bytes, class)
    }

    /// Takes up to `limit` items, in order. For one consumer only.
    pub(super) fn take(&self, limit: usize, out: &mut Vec<T>) {
        self.take_ring(limit, out);
        if out.len() < limit && self.overflowing.load(Ordering::Acquire) {
            self.take_overflow(limit, out);
        }
        // Bytes are added before their item can be seen: where none wait, none were taken.
        if self.bytes() > 0 {
            self.remove_bytes(out.iter().map(Waiting::heap_bytes).sum());
        }
    }

    fn take_ring(&self, limit: usize, out: &mut Vec<T>) {
        while out.len() < limit
            && let Some(item) = self.ring.pop()
        {
            out.push(item);
        }
    }

    /// Under the lock the ring is emptied once more: a producer that did not see the flag may have pushed there before
    /// another one, which it told about it, pushed here.
    fn take_overflow(&self, limit: usize, out: &mut Vec<T>) {
        let mut overflow = self.lock();
        self.take_ring(limit, out);
        if out.len() == limit {
            return;
        }
        let count = overflow.len().min(limit - out.len());
        out.extend(overflow.drain(..count));
        if overflow.is_empty() {
            self.overflowing.store(false, Ordering::Release);
        }
    }

    /// True when nothing waits. Only a hint while producers are at work.
    pub(super) fn is_empty(&self) -> bool {
        self.ring.len() == 0 && !self.overflowing.load(Ordering::Acquire)
    }

    /// True while pushes go to the overflow: whoever can wait should. A hint, as for [`is_empty`](Queue::is_empty).
    #[cfg(feature = "serve")]
    pub(super) fn is_pressed(&self) -> bool {
        self.overflowing.load(Ordering::Acquire)
    }

    /// Bytes that wait outside of the items themselves.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// A producer that panicked under the lock (only an allocation could) left a whole deque behind.
    fn lock(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.overflow.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Pieces may use eight tenths of a bound, structural events nine, control events all.
const fn share(bound: usize, class: Class) -> usize {
    let tenths = match class {
        Class::Bulk => 8,
        Class::Structural => 9,
        Class::Control | Class::Transport => 10,
    };
    bound.saturating_mul(tenths) / 10
}

/// Merges a piece into the last one of its text, if nothing of its execution came between, and tells by how many bytes
/// that one has grown. Gives the piece back if not.
fn merge_back<T: Waiting>(overflow: &mut VecDeque<T>, item: T) -> Result<usize, T> {
    if item.class() != Some(Class::Bulk) {
        return Err(item);
    }
    let mut item = item;
    for earlier in overflow.iter_mut().rev().take(MERGE_REACH) {
        let before = earlier.heap_bytes();
        match earlier.merge(item) {
            Merge::Merged => return Ok(earlier.heap_bytes() - before),
            Merge::InOrder(back) => return Err(back),
            Merge::Unrelated(back) => item = back,
        }
    }
    Err(item)
}

#[cfg(all(test, spanwright_loom))]
mod model {
    //! Every interleaving of few producers and the consumer: nothing is lost, and what one thread pushed first, or
    //! pushed before it told another, comes out first.

    use super::*;
    use loom::{sync::Arc, thread};

    #[derive(Debug, PartialEq)]
    struct Item(u32);

    impl Waiting for Item {
        fn class(&self) -> Option<Class> {
            Some(Class::Structural)
        }

        fn heap_bytes(&self) -> usize {
            1
        }

        fn merge(&mut self, next: Self) -> Merge<Self> {
            Merge::Unrelated(next)
        }
    }

    fn small() -> Arc<Queue<Item>> {
        Arc::new(Queue::new(Bounds { ring: 1, overflow: 10, bytes: 100 }))
    }

    fn check(model: impl Fn() + Sync + Send + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(model);
    }

    fn push_all(queue: &Queue<Item>, numbers: &[u32]) {
        numbers.iter().for_each(|n| assert!(!matches!(queue.push(Item(*n)), Pushed::Shed(_))));
    }

    /// All that comes out, taken while producers are at work and then to the end.
    fn drain(queue: &Queue<Item>, wait: impl FnOnce()) -> Vec<u32> {
        let mut out = Vec::new();
        let mut take = || {
            let mut items = Vec::new();
            queue.take(10, &mut items);
            out.extend(items.into_iter().map(|item| item.0));
        };
        take();
        take();
        wait();
        take();
        assert_eq!(queue.bytes(), 0, "what came out waits no more");
        out
    }

    #[test]
    fn what_each_thread_pushed_comes_out_in_its_order() {
        check(|| {
            let queue = small();
            let other = {
                let queue = queue.clone();
                thread::spawn(move || push_all(&queue, &[10, 11]))
            };
            let one = {
                let queue = queue.clone();
                thread::spawn(move || push_all(&queue, &[1, 2]))
            };
            let out = drain(&queue, || {
                one.join().expect("one");
                other.join().expect("other");
            });
            assert_eq!(out.len(), 4, "{out:?}");
            let place = |n| out.iter().position(|item| *item == n);
            assert!(place(1) < place(2) && place(10) < place(11), "{out:?}");
            assert!(queue.is_empty());
        });
    }

    #[test]
    fn an_event_that_happened_before_another_on_any_thread_comes_out_before_it() {
        check(|| {
            let queue = small();
            let told = Arc::new(AtomicBool::new(false));
            let first = {
                let (queue, told) = (queue.clone(), told.clone());
                thread::spawn(move || {
                    push_all(&queue, &[1, 2]);
                    told.store(true, Ordering::Release);
                })
            };
            let second = {
                let (queue, told) = (queue.clone(), told.clone());
                thread::spawn(move || {
                    let after = told.load(Ordering::Acquire);
                    push_all(&queue, &[if after { 3 } else { 30 }]);
                })
            };
            let out = drain(&queue, || {
                first.join().expect("first");
                second.join().expect("second");
            });
            assert_eq!(out.len(), 3, "{out:?}");
            let place = |n| out.iter().position(|item| *item == n);
            assert!(place(1) < place(2), "{out:?}");
            assert!(place(3).is_none() || place(2) < place(3), "{out:?}");
        });
    }
}
