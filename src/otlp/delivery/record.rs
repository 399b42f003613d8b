//! The log as a pump reads it: page by page from a place on, folded into finished spans.

use super::{found::Leaf, stats::Counters};
use crate::{
    Error, EventLog, ExecutionId, Recorder,
    log::{Query, Scope},
    otlp::{
        fold::{Entry, Fold, Limits},
        span::Output,
        unwound::caught,
    },
    recorder::Kept,
};
use std::{sync::Arc, time::Duration};

pub(super) struct Record {
    source: Source,
    fold: Fold,
    counters: Arc<Counters>,
    /// Everything up to this offset was taken in.
    taken_to: u64,
    /// Read, and not taken in yet.
    leaf: Leaf,
}

/// Where the record is read.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) log: Arc<dyn EventLog>,
    /// What needs not be read in the log, where the recorder is known that feeds it.
    pub(crate) kept: Option<Kept>,
}

/// Events of one look into the log.
const PAGE: usize = 512;
/// How long the log may take to answer.
pub(super) const LOG_LIMIT: Duration = Duration::from_secs(30);
/// How long it may take to write what it was given; then what it has is read there.
const WRITE_LIMIT: Duration = Duration::from_secs(5);

impl Source {
    /// # Errors
    /// `is_config` for a recorder without a log.
    pub(crate) fn of(recorder: &Recorder) -> Result<Self, Error> {
        let none = "an OTLP destination without a log, which is its queue: leave `without_log` out";
        let log = recorder.log().ok_or_else(|| Error::config(none))?.clone();
        Ok(Self { log, kept: recorder.kept() })
    }

    /// What follows a place: from memory where it has what the log has, else from the log.
    fn after(&mut self, place: u64) -> Result<Leaf, Error> {
        let newest = self.kept.as_mut().and_then(|kept| kept.after(place, PAGE, WRITE_LIMIT));
        if let Some(newest) = newest {
            return Ok(Leaf::held(&newest, place));
        }
        let page = self.log.read(Query::new(Scope::Everything, place, PAGE)).wait(LOG_LIMIT)?;
        Ok(Leaf::logged(page, place))
    }
}

impl Record {
    pub(super) fn new(
        source: Source,
        place: u64,
        (limits, with_content): (Limits, bool),
        counters: Arc<Counters>,
    ) -> Self {
        Self { source, fold: Fold::new(limits, !with_content), counters, taken_to: place, leaf: Leaf::empty(place) }
    }

    pub(super) const fn taken_to(&self) -> u64 {
        self.taken_to
    }

    /// Offset of the log's last event.
    pub(super) fn last(&self) -> Result<u64, Error> {
        let page = self.source.log.read(Query::back(Scope::Everything, i64::MAX as u64, 1)).wait(LOG_LIMIT)?;
        Ok(page.events.last().map_or(0, |event| event.cursor.offset))
    }

    /// Reads the next page where the last one is used up.
    pub(super) fn read_on(&mut self) -> Result<(), Error> {
        if self.leaf.events.as_slice().is_empty() {
            self.leaf = self.source.after(self.leaf.read_to)?;
            self.counters.read_to(self.leaf.read_to);
        }
        Ok(())
    }

    /// Takes in the page's next event, and appends what is finished by it. False at the end of the page.
    pub(super) fn take_in(&mut self, finished: &mut Vec<Output>) -> Result<bool, Error> {
        self.remember()?;
        let Some(event) = self.leaf.events.next() else {
            self.taken_to = self.leaf.read_to;
            return Ok(false);
        };
        let is_last = self.leaf.events.as_slice().is_empty();
        self.taken_to = if is_last { self.leaf.read_to } else { event.offset() };
        self.fold(event.entry(), finished);
        Ok(true)
    }

    /// Somebody means what the log has now, which may be more than the page had when it was read.
    pub(super) fn look_again(&mut self) {
        self.leaf.more = true;
        self.source.kept.iter_mut().for_each(Kept::look_again);
    }

    /// Whether the log had more at the last look than what was taken in.
    pub(super) fn has_more(&self) -> bool {
        self.leaf.more || !self.leaf.events.as_slice().is_empty()
    }

    /// Forgets everything but how far it came, after a panic in the log: what is needed is read again.
    pub(super) fn begin_again(&mut self) {
        self.fold.forget_all();
        self.leaf = Leaf::empty(self.taken_to);
    }

    /// Of an execution that began before this reader came, or was forgotten, the earlier events come first.
    fn remember(&mut self) -> Result<(), Error> {
        let Some(event) = self.leaf.events.as_slice().first() else { return Ok(()) };
        let Some(id) = event.execution_id().filter(|id| event.sequence() > 1 && !self.fold.knows(id)).cloned() else {
            return Ok(());
        };
        let before = event.offset();
        let recalled = self.recall(&id, before);
        // Half of what was before is worse than nothing of it.
        recalled.inspect_err(|_| self.fold.forget(&id)).or_else(|error| self.go_without(error))
    }

    /// What is damaged stays so: one execution is not waited for by all that come after it.
    fn go_without(&self, error: Error) -> Result<(), Error> {
        if !error.is_corrupt() {
            return Err(error);
        }
        self.counters.undecodable();
        Ok(())
    }

    /// What it had finished by then was given out by then.
    fn recall(&mut self, id: &ExecutionId, before: u64) -> Result<(), Error> {
        let (mut after, mut given) = (0, Vec::new());
        loop {
            let page = self.source.log.read(Query::new(Scope::Execution(id.clone()), after, PAGE)).wait(LOG_LIMIT)?;
            let complete = page.complete;
            after = page.read_to;
            for event in page.events.into_iter().take_while(|event| event.cursor.offset < before) {
                // What cannot be read was counted when it came.
                if let Ok(entry) = Entry::logged(&event) {
                    self.fold(Some(entry), &mut given);
                }
                given.clear();
            }
            if complete || after + 1 >= before {
                return Ok(());
            }
        }
    }

    /// An event that cannot be read, or by a fault of ours not taken in, is left out: the same whenever it is read.
    fn fold(&mut self, entry: Option<Entry<'_>>, finished: &mut Vec<Output>) {
        if entry.and_then(|entry| caught(|| self.fold.apply(entry, finished))).is_none() {
            self.counters.undecodable();
        }
    }
}
