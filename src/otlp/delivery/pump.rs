//! Reads the log on from a place, and moves the place when what was read is settled at the other side.
//!
//! One thread for each destination and signal, which needs no runtime: one that is down holds up no other. The log is the
//! queue: while sending fails, nothing is read, and nothing is held but the batch under way and what was read with it.

use super::{
    control::{Control, Orders, same},
    outlet::{Outlet, Sent},
    place,
    record::{LOG_LIMIT, Record, Source},
    stats::Counters,
};
use crate::{
    Error, EventLog, Text,
    otlp::{fold::Limits, unwound::caught},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// So many offsets are worth a word to the log by themselves.
const FAR: u64 = 4_096;

/// What a pump is told at its start.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Under which the log keeps its place.
    pub(crate) name: Text,
    /// The same as it is told: an address in it may have a token in its path.
    pub(crate) told: Text,
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
    record: Record,
    outlet: Box<dyn Outlet>,
    counters: Arc<Counters>,
    control: Arc<Control>,
    orders: Orders,
    /// Everything up to this offset is settled, as the log has it.
    place: u64,
    /// Whether the log could not keep the last place that it was told.
    is_unkept: bool,
    failures: u32,
    /// Not to be sent again before, and whether that was asked for by the other side.
    not_before: Option<(Instant, bool)>,
    why: Option<String>,
}

impl Pump {
    /// Asks the log for the place.
    ///
    /// # Errors
    /// What the log says.
    pub(crate) fn new(
        source: Source,
        settings: Settings,
        outlet: Box<dyn Outlet>,
        counters: Arc<Counters>,
        control: Arc<Control>,
    ) -> Result<Self, Error> {
        let log = source.log.clone();
        let (place, is_unkept) = place::known(&*log, &settings, &counters)?;
        counters.at(place);
        counters.read_to(place);
        Ok(Self {
            record: Record::new(source, place, (settings.limits, settings.with_content), counters.clone()),
            log,
            settings,
            outlet,
            counters,
            control,
            orders: Orders::default(),
            place,
            is_unkept,
            failures: 0,
            not_before: None,
            why: None,
        })
    }

    /// Runs until it is told to stop, or the log has shut down.
    ///
    /// # Errors
    /// Why something is left that the log has.
    pub(crate) fn run(mut self) -> Result<(), Error> {
        // However it ends: nobody waits for it any more.
        let _ending = self.control.clone().ending();
        loop {
            self.listen();
            let step = caught(|| self.step()).unwrap_or_else(|| Err(self.panicked()));
            if let Some(end) = self.answer(&step) {
                self.rest();
                return end;
            }
            if !matches!(step, Ok(true)) {
                self.control.wait(self.next_look());
            }
        }
    }

    /// New orders mean what the log has now.
    fn listen(&mut self) {
        if let Some(asked) = self.control.news(&self.orders) {
            // A log that cannot say it says what is wrong when it is read.
            let goal = caught(|| self.record.last()).and_then(Result::ok).unwrap_or(u64::MAX);
            self.orders.add(asked, goal);
            self.record.look_again();
        }
    }

    /// Some way on: events of a page taken in, or a batch sent. False where everything that the last look found is settled:
    /// what came since then waits for the next look, or a busy program would be sent in crumbs, and metrics without a pause.
    fn step(&mut self) -> Result<bool, Error> {
        let more = self.fill()?;
        if self.outlet.is_empty() {
            return if more { Ok(true) } else { self.keep_again().map(|()| false) };
        }
        let is_due = !more || self.outlet.is_full() || self.orders.wait_for(self.record.taken_to());
        if is_due && !self.may_send() {
            return Err(self.still_waits());
        }
        if is_due {
            self.send()?;
        }
        Ok(more)
    }

    /// Gives the outlet what the log's next page has, until it is full. False where the log has no more.
    fn fill(&mut self) -> Result<bool, Error> {
        if self.outlet.is_full() {
            return Ok(true);
        }
        self.counters.of_log(self.record.read_on())?;
        let mut finished = Vec::new();
        while !self.outlet.is_full() && self.counters.of_log(self.record.take_in(&mut finished))? {
            for output in finished.drain(..) {
                if caught(|| self.outlet.take(output)).is_none() {
                    self.counters.dropped(1, "a panic of ours while it was put into words; stderr has more");
                }
            }
        }
        Ok(self.record.has_more())
    }

    /// Tells those who waited for this. The end, where it was told to end and is done or out of time, and where the log has
    /// shut down.
    fn answer(&mut self, step: &Result<bool, Error>) -> Option<Result<(), Error>> {
        let settled = if self.outlet.is_empty() { self.record.taken_to() } else { self.place };
        match step {
            Ok(true) => {
                self.orders.settled_to(settled);
                let late = || self.orders.is_late().then(|| Err(self.still_waits()));
                if self.orders.stops_at(settled) { Some(Ok(())) } else { late() }
            }
            Ok(false) => {
                self.orders.answer(&Ok(()));
                self.orders.is_to_stop().then_some(Ok(()))
            }
            Err(error) => {
                self.orders.answer(&Err(same(error)));
                (self.orders.is_to_stop() || error.is_closed()).then(|| Err(same(error)))
            }
        }
    }

    /// Where nothing waits, the next process need not read again what finished nothing.
    fn rest(&mut self) {
        if self.outlet.is_empty() && self.record.taken_to() > self.place {
            let _ = caught(|| self.settle());
        }
    }

    fn send(&mut self) -> Result<(), Error> {
        match caught(|| self.outlet.send()) {
            Some(Sent::Settled) => {
                (self.failures, self.not_before, self.why) = (0, None, None);
                self.settle()
            }
            Some(Sent::Again { after, why }) => Err(self.put_off(after, why)),
            None => Err(self.put_off(None, "a panic while it was sent; stderr has more".into())),
        }
    }

    fn put_off(&mut self, after: Option<Duration>, why: String) -> Error {
        self.counters.failed(&why);
        // Who asks for next to nothing is not asked again at once.
        let wait = after.unwrap_or_default().max(self.pause());
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some((crate::time::deadline(wait), after.is_some()));
        self.why = Some(why);
        self.still_waits()
    }

    /// The log is somebody else's code, too. What was given to the outlet stays there; the rest is read again.
    fn panicked(&mut self) -> Error {
        self.record.begin_again();
        self.put_off(None, "a panic while the log was read; stderr has more".into())
    }

    /// Exponential, with full jitter: a back end that comes up again is not met by everyone at once.
    fn pause(&self) -> Duration {
        let (shortest, longest) = self.settings.backoff;
        let ceiling =
            shortest.saturating_mul(1_u32.checked_shl(self.failures.min(31)).unwrap_or(u32::MAX)).min(longest);
        ceiling.mul_f64(fastrand::f64())
    }

    /// Without the log's word the place stays: then what is sent again after a crash is there twice, and nothing is lost.
    fn settle(&mut self) -> Result<(), Error> {
        let settled = self.record.taken_to();
        self.is_unkept = true;
        self.counters.of_log(self.log.keep_place(self.settings.name.clone(), settled).wait(LOG_LIMIT))?;
        (self.place, self.is_unkept) = (settled, false);
        self.counters.at(settled);
        Ok(())
    }

    /// Also now and then where nothing was finished: a process that is killed need not read all of that again.
    fn keep_again(&mut self) -> Result<(), Error> {
        let is_far = self.record.taken_to().saturating_sub(self.place) >= FAR;
        if self.is_unkept || is_far { self.settle() } else { Ok(()) }
    }

    /// Who waits for a flush, or ends, does not wait for our own patience; for what the other side asked, everyone does.
    fn may_send(&self) -> bool {
        let waits = |(moment, asked): (Instant, bool)| moment > Instant::now() && (asked || !self.orders.is_urgent());
        !self.not_before.is_some_and(waits)
    }

    fn still_waits(&self) -> Error {
        let why = self.why.as_deref().unwrap_or("there was no time for it");
        Error::io(format!("{}: not everything is delivered, and will be tried again: {why}", self.settings.told))
    }

    fn next_look(&self) -> Instant {
        let usual = crate::time::deadline(self.settings.interval);
        self.not_before.map_or(usual, |(moment, _)| moment)
    }
}
