//! The recorder's thread: takes what waits, numbers it, shows it, has it kept.

use super::{
    Shared,
    executions::Executions,
    intake::{Admission, Delegated},
    item::Item,
    keeper::Keeper,
    stats::Stats,
};
use crate::{
    Cursor, Error, EventLog, StreamEvent, Timestamp,
    event::{Batch, Class, OpenThings, Recorded, StreamLagged},
    hub::Hub,
    ledger::Prices,
    policy::Pieces,
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// Items taken in one go: one batch.
pub(super) const TAKE: usize = 512;
/// How long the worker waits for more before it looks again, while events come: a burst costs its producers no wake-up.
const LINGER: Duration = Duration::from_millis(1);
/// Looks that find nothing before it goes to sleep.
const LOOKS: u32 = 4;
/// Asleep it is woken by the next event; this bounds what a missed wake-up could cost, and there is none by design.
const NAP: Duration = Duration::from_millis(250);

pub(super) struct Worker {
    shared: Arc<Shared>,
    hub: Hub,
    shows: bool,
    keeper: Option<Keeper>,
    executions: Executions,
    pieces: Pieces,
    next: Cursor,
    told_shed: Stats,
}

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        hub: Hub,
        shows: bool,
        log: Option<Arc<dyn EventLog>>,
        opened_at: Cursor,
        prices: Prices,
    ) -> Self {
        Self {
            executions: Executions::new(log.clone(), prices),
            pieces: Pieces::new(shared.redactor.clone()),
            keeper: log.map(|log| Keeper::new(log, shared.clone())),
            next: Cursor::new(opened_at.epoch, opened_at.offset + 1),
            told_shed: Stats::default(),
            shared,
            hub,
            shows,
        }
    }

    pub(super) fn run(mut self, unfinished: Vec<OpenThings>) -> Result<(), Error> {
        self.close_as_lost(unfinished);
        let mut items = Vec::with_capacity(TAKE);
        let mut empty_looks = 0;
        loop {
            self.shared.queue.take(TAKE, &mut items);
            self.keeper.iter_mut().for_each(Keeper::poll_flushes);
            if !items.is_empty() {
                empty_looks = 0;
                self.record_all(&mut items);
                self.linger();
            } else if self.shared.closing.load(Ordering::Acquire) && self.shared.queue.is_empty() {
                self.release_all();
                return self.keeper.map_or(Ok(()), Keeper::finish);
            } else {
                empty_looks += 1;
                self.rest(empty_looks);
            }
        }
    }

    /// Waits for more to come, unless much has come already.
    fn linger(&self) {
        if self.shared.queue.is_empty() && !self.keeper.as_ref().is_some_and(Keeper::is_flushing) {
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
        unfinished.iter().for_each(|open| self.executions.recall(open.execution_id()));
        let ends = unfinished.iter().flat_map(|open| open.lost(now));
        let events: Vec<_> = ends.map(|event| self.executions.record(event, true)).collect();
        self.publish(events);
    }

    fn record_all(&mut self, items: &mut Vec<Item>) {
        let mut events = Vec::with_capacity(items.len() + 1);
        let (mut settles, mut flushes) = (Vec::new(), Vec::new());
        self.tell_shed(&mut events);
        for item in items.drain(..) {
            // Of the last event before the question.
            let cursor = Cursor::new(self.next.epoch, self.next.offset + events.len() as u64 - 1);
            match item {
                Item::Event(event, shown) => self.record(event, shown, &mut events),
                Item::Delegated(delegated) => self.record_delegated(*delegated, &mut events),
                Item::Settle(answer) => settles.push((answer, cursor)),
                Item::Flush(answer) => flushes.push((answer, cursor)),
            }
        }
        self.publish(events);
        settles.into_iter().for_each(|(answer, cursor)| answer.give(Ok(cursor)));
        match &mut self.keeper {
            Some(keeper) => keeper.flush(flushes),
            None => flushes.into_iter().for_each(|(answer, cursor)| answer.give(Ok(cursor))),
        }
    }

    /// Before anything is made of the event, it is asked whose it is: what is denied leaves no trace.
    fn record_delegated(&mut self, delegated: Delegated, events: &mut Vec<Recorded>) {
        let admission = if delegated.is_sound() { self.executions.admit(&delegated) } else { Admission::Denied };
        delegated.tally.count(admission);
        if admission != Admission::Admitted {
            self.shared.counters.denied.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let ended = delegated.event.execution_id.clone().filter(|_| delegated.ends_execution());
        self.record(delegated.event, true, events);
        // Where it began here too, it can be steered no more: before its end is told.
        if let Some(id) = ended.filter(|_| events.last().is_some_and(|end| !end.goes_on)) {
            self.shared.running.end(&id);
        }
    }

    /// Content is treated here, before hub and log can see it. A piece is treated before it joins its text, so that the
    /// whole is made of what was let through; anything else after it was given its whole.
    fn record(&mut self, mut event: StreamEvent, mut shown: bool, events: &mut Vec<Recorded>) {
        if event.class() == Class::Bulk {
            match self.pieces.admit(&mut event, &mut shown) {
                true => events.push(self.executions.record(event, shown)),
                false => drop(self.shared.counters.withheld.fetch_add(1, Ordering::Relaxed)),
            }
            return;
        }
        let rests = if self.executions.ends_a_part(&event) { Vec::new() } else { self.pieces.rest_before(&event) };
        for (rest, shown) in rests {
            events.push(self.executions.record(rest, shown));
        }
        let mut recorded = self.executions.record(event, shown);
        self.shared.redactor.treat_event(&mut recorded.event);
        events.push(recorded);
    }

    /// Texts that nobody has ended are not followed any more: what was held back of them is shown.
    fn release_all(&mut self) {
        let now = Timestamp::now();
        let rests = self.pieces.rest().into_iter();
        let events = rests.map(|(rest, shown)| self.executions.record(rest.at(now), shown)).collect();
        self.publish(events);
    }

    /// What was shed since the last batch is told before what comes after it.
    fn tell_shed(&mut self, events: &mut Vec<Recorded>) {
        let now = self.shared.counters.read(0);
        let shed = now.shed() - self.told_shed.shed();
        if shed == 0 {
            return;
        }
        if now.shed_bulk > self.told_shed.shed_bulk {
            self.executions.lost_pieces();
            self.pieces.lost_pieces();
        }
        self.told_shed = now;
        events.push(Recorded::new(StreamEvent::new(StreamLagged::new(shed)).at(Timestamp::now()), 0, 0, true));
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
        if let Some(keeper) = &mut self.keeper {
            keeper.keep(batch);
        }
    }
}
