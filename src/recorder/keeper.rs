//! The way from the recorder to its log: what is not kept yet, who waits for it, and what could not be kept.

use super::{Shared, item::Waiter};
use crate::{
    Cursor, Error, EventLog, Pending,
    event::{Batch, Recorded},
    pending::thread_waker,
};
use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

pub(super) struct Keeper {
    log: Arc<dyn EventLog>,
    shared: Arc<Shared>,
    /// Given to the log, not answered yet, in order.
    unkept: VecDeque<Unkept>,
    unkept_bytes: usize,
    /// The log was waited for in vain since it last kept anything: it is not waited for again until it does.
    stuck: bool,
    /// Events that could not be kept since a flush was last answered.
    lost: u64,
    flushes: Vec<Flush>,
    waker: Waker,
}

struct Unkept {
    bytes: usize,
    events: u64,
    /// Offsets of its first and its last event.
    first: u64,
    to: u64,
    answer: Pending<()>,
}

struct Flush {
    done: Pending<()>,
    answers: Vec<(Waiter, Cursor)>,
}

/// Bytes that the log may be behind before the queue has to wait for it.
const MAX_UNKEPT_BYTES: usize = 32 << 20;
/// How long the queue waits for a log that far behind before events are recorded without being kept, and counted.
const LOG_PATIENCE: Duration = Duration::from_secs(1);
/// How long a log may take to close.
const CLOSE_LIMIT: Duration = Duration::from_secs(600);

impl Keeper {
    pub(super) fn new(log: Arc<dyn EventLog>, shared: Arc<Shared>) -> Self {
        let waker = thread_waker(shared.worker.clone());
        let (unkept, flushes) = (VecDeque::new(), Vec::new());
        Self { log, shared, unkept, unkept_bytes: 0, stuck: false, lost: 0, flushes, waker }
    }

    pub(super) fn keep(&mut self, batch: Arc<Batch>) {
        let homeless = |one: &&Recorded| one.event.execution_id.is_none() && one.event.kind().event_type().is_some();
        self.lose(batch.events.iter().filter(homeless).count() as u64);
        let events = batch.events.iter().filter(|recorded| recorded.is_logged()).count() as u64;
        let (bytes, first, to) = (batch.size_bytes(), batch.first.offset, batch.end().saturating_sub(1));
        if !self.make_room() {
            return self.lose_to(to, events);
        }
        self.unkept_bytes += bytes;
        self.unkept.push_back(Unkept { bytes, events, first, to, answer: self.log.append(batch) });
    }

    fn lose(&mut self, events: u64) {
        self.lost += events;
        self.shared.counters.unlogged.fetch_add(events, Ordering::Relaxed);
    }

    /// The same of what the log was to have.
    fn lose_to(&mut self, offset: u64, events: u64) {
        self.lose(events);
        self.shared.lost_to.fetch_max(offset, Ordering::Release);
    }

    /// Lets go of what was answered meanwhile. Waits when the log is far behind: then the queue in front fills, pieces
    /// are merged there, and in the end events are shed and counted. False when the log does not come on at all.
    fn make_room(&mut self) -> bool {
        self.settle();
        while self.unkept_bytes >= MAX_UNKEPT_BYTES {
            if self.stuck || !self.wait_for_oldest() {
                self.stuck = true;
                return false;
            }
            self.settle();
        }
        true
    }

    fn settle(&mut self) {
        while let Some(oldest) = self.unkept.front_mut()
            && let Poll::Ready(answer) = poll(&mut oldest.answer, Waker::noop())
        {
            self.stuck = false;
            if let Some(Unkept { bytes, events, to, .. }) = self.unkept.pop_front() {
                self.unkept_bytes -= bytes;
                if answer.is_err() {
                    self.lose_to(to, events);
                }
            }
        }
    }

    /// Until the oldest is answered, or patience has run out. What the answer is, `settle` sees.
    fn wait_for_oldest(&mut self) -> bool {
        let deadline = Instant::now() + LOG_PATIENCE;
        let Some(oldest) = self.unkept.front_mut() else { return true };
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Poll::Ready(result) = poll(&mut oldest.answer, &self.waker) {
                oldest.answer = Pending::ready(result);
                return true;
            }
            if left.is_zero() {
                return false;
            }
            std::thread::park_timeout(left);
        }
    }

    pub(super) fn flush(&mut self, answers: Vec<(Waiter, Cursor)>) {
        if !answers.is_empty() {
            self.flushes.push(Flush { done: self.log.flush(), answers });
            self.poll_flushes();
        }
    }

    /// Whether anyone waits for the disk.
    pub(super) fn is_flushing(&self) -> bool {
        !self.flushes.is_empty()
    }

    /// The log wakes the recorder's thread when a flush is done; nobody waits for the disk there.
    pub(super) fn poll_flushes(&mut self) {
        while let Some(flush) = self.flushes.first_mut()
            && let Poll::Ready(done) = poll(&mut flush.done, &self.waker)
        {
            let Flush { answers, .. } = self.flushes.remove(0);
            self.settle();
            // Who is told that the disk failed has not been told of these.
            let told = done.is_ok() && answers.iter().any(|(waiter, _)| waiter.is_told_of_losses());
            let lost = if told { std::mem::take(&mut self.lost) } else { 0 };
            give(answers, done.map_err(|error| error.to_string()), lost, self.answered_to());
        }
    }

    /// Up to here the log has said of everything what became of it.
    fn answered_to(&self) -> u64 {
        self.unkept.front().map_or(u64::MAX, |oldest| oldest.first.saturating_sub(1))
    }

    /// Everything is kept, or it is said that it is not.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        let closed = self.log.close().wait(CLOSE_LIMIT);
        self.settle();
        let left: u64 = self.unkept.iter().map(|unkept| unkept.events).sum();
        self.lose(if closed.is_err() { left } else { 0 });
        self.poll_flushes();
        closed
    }
}

fn give(answers: Vec<(Waiter, Cursor)>, done: Result<(), String>, lost: u64, answered_to: u64) {
    for (waiter, mut cursor) in answers {
        let is_told = lost > 0 && waiter.is_told_of_losses();
        if let Waiter::Reader(_) = waiter {
            cursor.offset = cursor.offset.min(answered_to);
        }
        waiter.give(match &done {
            Err(message) => Err(Error::io(message.clone())),
            Ok(()) if is_told => Err(Error::io(format!("{lost} events before this could not be kept by the log"))),
            Ok(()) => Ok(cursor),
        });
    }
}

fn poll<T>(pending: &mut Pending<T>, waker: &Waker) -> Poll<Result<T, Error>> {
    Pin::new(pending).poll(&mut Context::from_waker(waker))
}
