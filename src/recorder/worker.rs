//! The recorder's thread: takes what waits, numbers it, shows it, has it kept.

use super::{Shared, executions::Executions, item::Item};
use crate::{
    Cursor, Error, EventLog, Pending, StreamEvent, Timestamp,
    event::{Batch, OpenThings, Recorded, StreamLagged},
    hub::Hub,
    pending::Answer,
};
use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
    time::Duration,
};

/// Items taken in one go: one batch.
const TAKE: usize = 512;
/// How long the worker waits for more before it looks again, while events come: a burst costs its producers no wake-up.
const LINGER: Duration = Duration::from_millis(1);
/// Looks that find nothing before it goes to sleep.
const LOOKS: u32 = 4;
/// Asleep it is woken by the next event; this bounds what a missed wake-up could cost, and there is none by design.
const NAP: Duration = Duration::from_millis(250);
/// Bytes that the log may be behind before the queue has to wait for it.
const MAX_UNKEPT_BYTES: usize = 32 << 20;
/// How long the queue waits for a log that far behind before events are recorded without being kept, and counted.
const LOG_PATIENCE: Duration = Duration::from_secs(1);

/// How long a log may take to close.
const CLOSE_LIMIT: Duration = Duration::from_secs(600);

pub(super) struct Worker {
    shared: Arc<Shared>,
    hub: Hub,
    shows: bool,
    log: Option<Arc<dyn EventLog>>,
    executions: Executions,
    next: Cursor,
    /// Given to the log, not kept yet: bytes and answer, in order.
    unkept: VecDeque<(usize, Pending<()>)>,
    unkept_bytes: usize,
    flushes: Vec<Flush>,
    told_shed: u64,
    waker: Waker,
}

struct Flush {
    done: Pending<()>,
    cursor: Cursor,
    answers: Vec<Answer<Cursor>>,
}

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        hub: Hub,
        shows: bool,
        log: Option<Arc<dyn EventLog>>,
        opened_at: Cursor,
    ) -> Self {
        let waker = Waker::from(Arc::new(Unpark(shared.worker.clone())));
        Self {
            shows,
            executions: Executions::new(log.clone()),
            next: Cursor::new(opened_at.epoch, opened_at.offset + 1),
            unkept: VecDeque::new(),
            unkept_bytes: 0,
            flushes: Vec::new(),
            told_shed: 0,
            shared,
            hub,
            log,
            waker,
        }
    }

    pub(super) fn run(mut self, unfinished: Vec<OpenThings>) {
        self.close_as_lost(unfinished);
        let mut items = Vec::with_capacity(TAKE);
        let mut empty_looks = 0;
        loop {
            self.shared.queue.take(TAKE, &mut items);
            self.poll_flushes();
            if !items.is_empty() {
                empty_looks = 0;
                self.record_all(&mut items);
                self.linger();
            } else if self.shared.closing.load(Ordering::Acquire) && self.shared.queue.is_empty() {
                return self.finish();
            } else {
                empty_looks += 1;
                self.rest(empty_looks);
            }
        }
    }

    /// Waits for more to come, unless much has come already.
    fn linger(&self) {
        if !self.shared.queue.is_filling() && self.shared.queue.is_empty() && self.flushes.is_empty() {
            std::thread::park_timeout(LINGER);
        }
    }

    fn rest(&self, empty_looks: u32) {
        if empty_looks < LOOKS {
            return std::thread::park_timeout(LINGER);
        }
        self.shared.sleeping.store(true, Ordering::SeqCst);
        if self.shared.queue.is_empty() && !self.shared.closing.load(Ordering::SeqCst) {
            std::thread::park_timeout(NAP);
        }
        self.shared.sleeping.store(false, Ordering::SeqCst);
    }

    /// What was open when an earlier process ended gets its end, before anything new is recorded.
    fn close_as_lost(&mut self, unfinished: Vec<OpenThings>) {
        let now = Timestamp::now();
        let ends = unfinished.iter().flat_map(|open| open.lost(now));
        let events: Vec<_> = ends.map(|event| self.executions.record(event, true)).collect();
        self.publish(events);
    }

    fn record_all(&mut self, items: &mut Vec<Item>) {
        let mut events = Vec::with_capacity(items.len() + 1);
        let (mut settles, mut flushes) = (Vec::new(), Vec::new());
        self.tell_shed(&mut events);
        for item in items.drain(..) {
            match item {
                Item::Event(event, shown) => events.push(self.executions.record(event, shown)),
                Item::Settle(answer) => settles.push(answer),
                Item::Flush(answer) => flushes.push(answer),
            }
        }
        self.publish(events);
        let cursor = Cursor::new(self.next.epoch, self.next.offset - 1);
        settles.into_iter().for_each(|answer| answer.give(Ok(cursor)));
        self.flush(flushes, cursor);
    }

    /// What was shed since the last batch is told before what comes after it.
    fn tell_shed(&mut self, events: &mut Vec<Recorded>) {
        let shed = self.shared.counters.read(0).shed();
        if shed > self.told_shed {
            let event = StreamEvent::new(StreamLagged::new(shed - self.told_shed)).at(Timestamp::now());
            events.push(Recorded::new(event, 0, 0, true));
            self.told_shed = shed;
        }
    }

    fn publish(&mut self, events: Vec<Recorded>) {
        if events.is_empty() {
            return;
        }
        self.shared.counters.recorded.fetch_add(events.len() as u64, Ordering::Relaxed);
        let batch = Arc::new(Batch::new(self.next, events));
        self.next = Cursor::new(self.next.epoch, batch.end());
        if self.shows {
            self.hub.publish(batch.clone());
        }
        self.keep(batch);
    }

    fn keep(&mut self, batch: Arc<Batch>) {
        let Some(log) = self.log.clone() else { return };
        let homeless = batch
            .events
            .iter()
            .filter(|one| one.event.execution_id.is_none() && one.event.kind().event_type().is_some());
        self.count_unlogged(homeless.count());
        if !self.make_room() {
            return self.count_unlogged(batch.events.iter().filter(|recorded| recorded.is_logged()).count());
        }
        let bytes = batch.size_bytes();
        self.unkept_bytes += bytes;
        self.unkept.push_back((bytes, log.append(batch)));
    }

    fn count_unlogged(&self, events: usize) {
        if events > 0 {
            self.shared.counters.unlogged.fetch_add(events as u64, Ordering::Relaxed);
        }
    }

    /// Lets go of what was kept meanwhile. Waits when the log is far behind: then the queue in front fills, pieces are
    /// merged there, and in the end events are shed and counted. False when it does not come on at all.
    fn make_room(&mut self) -> bool {
        while let Some((bytes, answer)) = self.unkept.front_mut() {
            if Pin::new(answer).poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                self.unkept_bytes -= *bytes;
                self.unkept.pop_front();
            } else if self.unkept_bytes < MAX_UNKEPT_BYTES {
                return true;
            } else if !self.wait_for_oldest() {
                return false;
            }
        }
        true
    }

    fn wait_for_oldest(&mut self) -> bool {
        let Some((bytes, mut answer)) = self.unkept.pop_front() else { return true };
        let mut cx = Context::from_waker(&self.waker);
        let deadline = std::time::Instant::now() + LOG_PATIENCE;
        while Pin::new(&mut answer).poll(&mut cx).is_pending() {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                self.unkept.push_front((bytes, answer));
                return false;
            }
            std::thread::park_timeout(left);
        }
        self.unkept_bytes -= bytes;
        true
    }

    fn flush(&mut self, answers: Vec<Answer<Cursor>>, cursor: Cursor) {
        if answers.is_empty() {
            return;
        }
        let done = self.log.as_ref().map_or_else(|| Pending::ready(Ok(())), |log| log.flush());
        self.flushes.push(Flush { done, cursor, answers });
        self.poll_flushes();
    }

    /// The log wakes this thread when a flush is done; nobody waits for the disk here.
    fn poll_flushes(&mut self) {
        let mut cx = Context::from_waker(&self.waker);
        self.flushes.retain_mut(|flush| match Pin::new(&mut flush.done).poll(&mut cx) {
            Poll::Pending => true,
            Poll::Ready(result) => {
                flush.give(result);
                false
            }
        });
    }

    fn finish(mut self) {
        if let Some(log) = &self.log {
            // Those who wait for this thread have a limit of their own.
            let _ = log.close().wait(CLOSE_LIMIT);
        }
        self.poll_flushes();
        self.hub.close();
    }
}

impl Flush {
    fn give(&mut self, result: Result<(), Error>) {
        let message = result.err().map(|error| error.to_string());
        for answer in self.answers.drain(..) {
            answer.give(match &message {
                None => Ok(self.cursor),
                Some(message) => Err(Error::io(message.clone())),
            });
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
