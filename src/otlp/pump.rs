//! Reads the log on from a place, and moves the place when what was read is settled at the other side.
//!
//! One thread for each destination and signal, which needs no runtime: one that is down holds up no other. The log is the
//! queue: while sending fails, nothing is read, and nothing is held but the batch under way.

use super::{
    control::{Control, Orders},
    fold::{Fold, Limits},
    outlet::{Outlet, Sent},
    stats::Counters,
};
use crate::{
    Error, EventLog, ExecutionId, Text,
    log::{LoggedEvent, Query, Scope},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// What a pump is told at its start.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Under which the log keeps its place.
    pub(crate) name: Text,
    /// Between two looks into the log; what a look finds is sent at once.
    pub(crate) interval: Duration,
    /// The shortest and the longest wait after a failure.
    pub(crate) backoff: (Duration, Duration),
    pub(crate) with_content: bool,
    /// Where it begins when the log has no place for it: at the record's beginning, or with this opening of the log.
    pub(crate) from_beginning: bool,
    pub(crate) limits: Limits,
}

pub(crate) struct Pump {
    log: Arc<dyn EventLog>,
    settings: Settings,
    outlet: Box<dyn Outlet>,
    fold: Fold,
    counters: Arc<Counters>,
    control: Arc<Control>,
    /// Everything up to this offset is settled, as the log has it.
    place: u64,
    /// Everything up to this offset was given to the outlet, as far as it finished anything.
    fed: u64,
    /// Read and not fed yet.
    page: std::vec::IntoIter<LoggedEvent>,
    /// How far the page reaches.
    read_to: u64,
    failures: u32,
    /// Not to be sent again before, and whether that was asked for by the other side.
    not_before: Option<(Instant, bool)>,
    why: Option<String>,
}

/// Events of one look into the log.
const PAGE: usize = 512;
/// How long the log may take to answer.
const LOG_LIMIT: Duration = Duration::from_secs(30);

impl Pump {
    /// Asks the log for the place.
    ///
    /// # Errors
    /// What the log says.
    pub(crate) fn new(
        log: Arc<dyn EventLog>,
        settings: Settings,
        outlet: Box<dyn Outlet>,
        counters: Arc<Counters>,
        control: Arc<Control>,
    ) -> Result<Self, Error> {
        let place = match log.place(settings.name.clone()).wait(LOG_LIMIT)? {
            Some(place) => place,
            None => {
                let place = if settings.from_beginning { 0 } else { log.opened_at().offset };
                // At once: what happens from now on is sent, if this process comes to it or not.
                log.keep_place(settings.name.clone(), place).wait(LOG_LIMIT)?;
                place
            }
        };
        counters.at(place);
        Ok(Self {
            fold: Fold::new(settings.limits, !settings.with_content),
            log,
            settings,
            outlet,
            counters,
            control,
            place,
            fed: place,
            page: Vec::new().into_iter(),
            read_to: place,
            failures: 0,
            not_before: None,
            why: None,
        })
    }

    /// Runs until it is told to stop, or the log has shut down.
    pub(crate) fn run(mut self) {
        // However it ends: nobody waits for it any more.
        let _ending = self.control.clone().ending();
        loop {
            let orders = self.control.take();
            let end = self.work(&orders);
            let stop = orders.stop;
            orders.answer(&end);
            if stop || end.is_err_and(|error| error.is_closed()) {
                return self.rest();
            }
            self.control.wait(self.next_look());
        }
    }

    /// Where nothing waits, the next process need not read again what finished nothing.
    fn rest(&mut self) {
        if self.outlet.is_empty() && self.fed > self.place {
            let _ = self.settle();
        }
    }

    /// Goes on until everything is read and settled. An error where something is left.
    fn work(&mut self, orders: &Orders) -> Result<(), Error> {
        loop {
            let all_read = self.fill()?;
            if !self.outlet.is_empty() {
                match self.may_send(orders) {
                    true => self.send()?,
                    false => return self.still_waits(),
                }
            } else if all_read {
                return Ok(());
            }
        }
    }

    /// Feeds the outlet until it is full or everything was read, which is the answer.
    fn fill(&mut self) -> Result<bool, Error> {
        while !self.outlet.is_full() {
            match self.page.as_slice().first() {
                Some(event) if event.sequence > 1 && !self.fold.knows(&event.context.execution_id) => {
                    let (id, before) = (event.context.execution_id.clone(), event.cursor.offset);
                    // Half of what was before is worse than nothing of it.
                    self.recall(&id, before).inspect_err(|_| self.fold.forget(&id))?;
                }
                _ => {}
            }
            match self.page.next() {
                Some(event) => self.feed(event),
                None if self.turn_page()? => {}
                None => return Ok(true),
            }
        }
        Ok(false)
    }

    /// False when there was nothing more.
    fn turn_page(&mut self) -> Result<bool, Error> {
        self.fed = self.read_to;
        let page = self.log.read(Query::new(Scope::Everything, self.read_to, PAGE)).wait(LOG_LIMIT)?;
        let news = !page.events.is_empty() || !page.complete;
        (self.read_to, self.page) = (page.read_to.max(self.read_to), page.events.into_iter());
        self.counters.read_to(self.read_to);
        if !news {
            self.fed = self.read_to;
        }
        Ok(news)
    }

    fn feed(&mut self, event: LoggedEvent) {
        let offset = event.cursor.offset;
        match event.decode() {
            Ok(event) => {
                let mut finished = Vec::new();
                self.fold.apply(event, &mut finished);
                finished.into_iter().for_each(|output| self.outlet.take(output));
            }
            Err(_) => self.counters.undecodable(),
        }
        self.fed = offset;
    }

    /// An execution that began before this reader came, or was forgotten: what it had finished by then was settled by then.
    fn recall(&mut self, id: &ExecutionId, before: u64) -> Result<(), Error> {
        let (mut after, mut settled) = (0, Vec::new());
        loop {
            let query = Query::new(Scope::Execution(id.clone()), after, PAGE);
            let page = self.log.read(query).wait(LOG_LIMIT)?;
            let complete = page.complete;
            after = page.read_to;
            for event in page.events.into_iter().take_while(|event| event.cursor.offset < before) {
                if let Ok(event) = event.decode() {
                    self.fold.apply(event, &mut settled);
                }
                settled.clear();
            }
            if complete || after + 1 >= before {
                return Ok(());
            }
        }
    }

    fn send(&mut self) -> Result<(), Error> {
        match self.outlet.send() {
            Sent::Settled => {
                (self.failures, self.not_before, self.why) = (0, None, None);
                self.settle()
            }
            Sent::Again { after, why } => {
                self.counters.failed(&why);
                let wait = after.unwrap_or_else(|| self.pause());
                self.failures = self.failures.saturating_add(1);
                self.not_before = Some((crate::time::deadline(wait), after.is_some()));
                self.why = Some(why);
                self.still_waits()
            }
        }
    }

    /// Exponential, with full jitter: a back end that comes up again is not met by everyone at once.
    fn pause(&self) -> Duration {
        let (shortest, longest) = self.settings.backoff;
        let ceiling =
            shortest.saturating_mul(1_u32.checked_shl(self.failures.min(31)).unwrap_or(u32::MAX)).min(longest);
        shortest.min(ceiling) + ceiling.saturating_sub(shortest).mul_f64(fastrand::f64())
    }

    /// Without the log's word the place stays: then what is sent again after a crash is there twice, and nothing is lost.
    fn settle(&mut self) -> Result<(), Error> {
        self.log.keep_place(self.settings.name.clone(), self.fed).wait(LOG_LIMIT)?;
        self.place = self.fed;
        self.counters.at(self.place);
        Ok(())
    }

    /// Who waits for a flush, or ends, does not wait for our own patience; for what the other side asked, everyone does.
    fn may_send(&self, orders: &Orders) -> bool {
        let waits = |(moment, asked): (Instant, bool)| moment > Instant::now() && (asked || !orders.is_urgent());
        !self.not_before.is_some_and(waits)
    }

    fn still_waits(&self) -> Result<(), Error> {
        let why = self.why.as_deref().unwrap_or("not tried yet");
        Err(Error::io(format!("{}: not everything is delivered, and will be tried again: {why}", self.settings.name)))
    }

    fn next_look(&self) -> Instant {
        let usual = crate::time::deadline(self.settings.interval);
        self.not_before.map_or(usual, |(moment, _)| moment)
    }
}
