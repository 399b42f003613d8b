//! What the gate remembers of each execution: its numbers, its conversation, whose it is, what it has spent, and the
//! texts that are being written.

use super::{
    intake::{Admission, Delegated},
    spent::last_usage,
    texts::Texts,
};
use crate::{
    Error, EventLog, ExecutionId, StreamEvent, Text,
    event::{Body, Concept, ExecutionStart, Kind, Life, Recorded, Roots},
    ledger::{Account, Prices},
    log::{ExecutionRow, Status},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

pub(super) struct Executions {
    places: HashMap<ExecutionId, usize>,
    known: Vec<Execution>,
    /// Places in `known` whose execution is forgotten.
    free: Vec<usize>,
    /// The execution that was looked for last: most events are of the one that the event before was of.
    last: Option<(ExecutionId, usize)>,
    /// Executions that the gate took note of so far.
    total: u64,
    /// Those that came, each with its number, and those that ended, oldest first: for the bounds on how many are
    /// remembered. One that was forgotten and came back stands here twice, and only its last number counts.
    came: VecDeque<(u64, ExecutionId)>,
    ended: VecDeque<ExecutionId>,
    /// When the newest of those that were made since the start and are forgotten was made, in Unix ms.
    forgotten_ms: u128,
    /// Whether any was forgotten since the log was flushed: what it has of that one may be on its way there.
    unflushed: bool,
    /// Until when a log that did not answer is not asked for others' events, each of which would hold up everybody's
    /// anew. They are sent again; what runs here is not, and would have wrong numbers for good.
    silent_until: Option<Instant>,
    log: Option<Arc<dyn EventLog>>,
    prices: Prices,
    started_ms: u128,
}

#[derive(Default)]
struct Execution {
    /// Which one it was that the gate took note of.
    number: u64,
    sequence: u64,
    pieces: u64,
    session_id: Option<Text>,
    /// Said by the first start that names one, or by whoever took its first event in; never another's after that.
    tenant_id: Option<Text>,
    /// Whether its first event was taken in from another process. Not known any more of one that goes on from the log,
    /// which was told.
    elsewhere: bool,
    closed: bool,
    roots: Roots,
    texts: Texts,
    account: Account,
    /// Of one that an earlier process recorded: up to where, as long as its sums have not been asked for.
    recorded_to: Option<u64>,
}

/// Ended executions that are remembered, for late events.
const MAX_ENDED: usize = 4_096;
/// So many of them are forgotten at a time: the log is flushed once for all of them, not once for each.
const FORGOTTEN_AT_ONCE: usize = 1_024;
/// Executions that are remembered at all; one that is forgotten before its end goes on with what the log knows of it.
const MAX_KNOWN: usize = 65_536;
/// Clocks of one machine may differ by this much, in ms: a day.
const CLOCKS_MS: u128 = 24 * 3_600 * 1_000;
/// How long the log may take to say how far an execution had come.
pub(super) const LOG_LIMIT: Duration = Duration::from_secs(5);

impl Executions {
    pub(super) fn new(log: Option<Arc<dyn EventLog>>, prices: Prices) -> Self {
        Self {
            places: HashMap::new(),
            known: Vec::new(),
            free: Vec::new(),
            last: None,
            total: 0,
            came: VecDeque::new(),
            ended: VecDeque::new(),
            forgotten_ms: 0,
            unflushed: false,
            silent_until: None,
            log,
            prices,
            started_ms: now_ms(),
        }
    }

    /// Pieces were shed: of every text that is being written some may be missing.
    pub(super) fn lost_pieces(&mut self) {
        self.known.iter_mut().for_each(|execution| execution.texts.lost_pieces());
    }

    /// Gives the event its numbers; a text's end gets the whole of its text.
    pub(super) fn record(&mut self, mut event: StreamEvent, shown: bool) -> Recorded {
        let Some(id) = &event.execution_id else { return Recorded::new(event, 0, 0, shown) };
        let place = self.place(id);
        let ends = event.kind().life() == Life::Closes(Concept::Execution);
        let ended = ends.then(|| id.clone());
        let execution = &mut self.known[place];
        if event.kind() == Kind::TokenUsage {
            execution.continue_sums(id, self.log.as_ref());
        }
        execution.account.complete(&mut event, &self.prices);
        execution.apply(&mut event, shown);
        let Execution { sequence, pieces, elsewhere, ref session_id, ref tenant_id, .. } = *execution;
        let (session_id, tenant_id) = (session_id.clone(), tenant_id.clone());
        let goes_on = ends && !execution.roots.is_empty();
        let recorded = Recorded { event, sequence, pieces, shown, session_id, tenant_id, elsewhere, goes_on };
        if let Some(id) = ended.filter(|_| !goes_on) {
            self.end(id, place);
        }
        recorded
    }

    /// Whether the event, which was not recorded yet, ends what its execution called in another process, and nothing else.
    pub(super) fn ends_a_part(&mut self, event: &StreamEvent) -> bool {
        let ends = event.kind().life() == Life::Closes(Concept::Execution);
        let Some(id) = event.execution_id.as_ref().filter(|_| ends) else { return false };
        self.find(id).is_some_and(|place| self.known[place].roots.is_part(event.step_id.as_ref()))
    }

    /// Whether an event that somebody else made may be recorded. A new execution becomes its tenant's. One of which the log
    /// cannot say whose it is may be anyone's, and is asked for again with the next event.
    pub(super) fn admit(&mut self, delegated: &Delegated) -> Admission {
        let Some(id) = &delegated.event.execution_id else { return Admission::Denied };
        let tenant_id = &delegated.tally.tenant_id;
        let place = match self.find(id) {
            Some(place) => place,
            None => match self.ask_for_others(id) {
                Ok(row) => {
                    let new = || Execution { tenant_id: tenant_id.clone(), elsewhere: true, ..Execution::default() };
                    self.insert(id, row.map_or_else(new, Execution::going_on))
                }
                Err(_) => return Admission::Undecided,
            },
        };
        match tenant_id.is_none() || self.known[place].tenant_id == *tenant_id {
            true => Admission::Admitted,
            false => Admission::Denied,
        }
    }

    /// The log has this one, whenever its id says that it was made.
    pub(super) fn recall(&mut self, id: &ExecutionId) {
        if let Ok(Some(row)) = self.ask(id) {
            self.insert(id, Execution::going_on(row));
        }
    }

    fn place(&mut self, id: &ExecutionId) -> usize {
        match self.find(id) {
            Some(place) => place,
            None => {
                let found = self.look_up(id);
                self.insert(id, found)
            }
        }
    }

    fn find(&mut self, id: &ExecutionId) -> Option<usize> {
        if let Some((last, place)) = &self.last
            && last == id
        {
            return Some(*place);
        }
        let place = *self.places.get(id)?;
        self.last = Some((id.clone(), place));
        Some(place)
    }

    fn insert(&mut self, id: &ExecutionId, found: Execution) -> usize {
        self.total += 1;
        let found = Execution { number: self.total, ..found };
        let place = self.free.pop().unwrap_or(self.known.len());
        match self.known.get_mut(place) {
            Some(free) => *free = found,
            None => self.known.push(found),
        }
        self.places.insert(id.clone(), place);
        self.came.push_back((self.total, id.clone()));
        self.bound();
        self.last = Some((id.clone(), place));
        place
    }

    /// Those that are still remembered are counted, not those that ever came: one that runs for days stays.
    fn bound(&mut self) {
        while self.places.len() > MAX_KNOWN
            && let Some((number, oldest)) = self.came.pop_front()
        {
            if self.is_remembered(number, &oldest) {
                self.forget(&oldest);
            }
        }
        if self.came.len() > 2 * MAX_KNOWN {
            let mut came = std::mem::take(&mut self.came);
            came.retain(|(number, id)| self.is_remembered(*number, id));
            self.came = came;
        }
    }

    fn is_remembered(&self, number: u64, id: &ExecutionId) -> bool {
        self.places.get(id).is_some_and(|place| self.known[*place].number == number)
    }

    /// An execution that this recorder does not remember may be an old one that goes on, or a late event of one. One
    /// whose id was made since this recorder began, and after all that it has forgotten, can only be new: it is the only
    /// writer. (The upper bound keeps out trace ids of other systems, whose digits are no time.)
    fn look_up(&mut self, id: &ExecutionId) -> Execution {
        let new = self.made_ms(id).is_some_and(|ms| ms > self.forgotten_ms);
        let row = if new { None } else { self.ask(id).ok().flatten() };
        row.map_or_else(Execution::default, Execution::going_on)
    }

    /// An id that others made says nothing of when it was first seen here: their clocks are their own.
    fn ask_for_others(&mut self, id: &ExecutionId) -> Result<Option<ExecutionRow>, Error> {
        match self.silent_until.is_some_and(|until| Instant::now() < until) {
            true => Err(Error::timed_out("the log did not answer a moment ago")),
            false => self.ask(id),
        }
    }

    /// What the log knows of an execution; with what is on its way there, where something of it may be.
    fn ask(&mut self, id: &ExecutionId) -> Result<Option<ExecutionRow>, Error> {
        let Some(log) = &self.log else { return Ok(None) };
        let flushed = if self.unflushed { log.flush().wait(LOG_LIMIT).map(|_| ()) } else { Ok(()) };
        self.unflushed = flushed.is_err();
        let found = log.execution(id.clone()).wait(LOG_LIMIT);
        let errors = [flushed.as_ref().err(), found.as_ref().err()];
        let is_silent = errors.into_iter().flatten().any(Error::is_timed_out);
        self.silent_until = is_silent.then(|| crate::time::deadline(LOG_LIMIT));
        match found? {
            // What could not be flushed is not there to be found.
            None => flushed.map(|()| None),
            found => Ok(found),
        }
    }

    /// When an id was made, if that was since the start.
    fn made_ms(&self, id: &ExecutionId) -> Option<u128> {
        id.created_ms().filter(|ms| (self.started_ms..now_ms() + CLOCKS_MS).contains(ms))
    }

    fn end(&mut self, id: ExecutionId, place: usize) {
        if std::mem::replace(&mut self.known[place].closed, true) {
            return;
        }
        self.ended.push_back(id);
        if self.ended.len() > MAX_ENDED {
            let oldest: Vec<_> = self.ended.drain(..FORGOTTEN_AT_ONCE).collect();
            for id in oldest {
                // One that went on has not ended.
                if self.places.get(&id).is_some_and(|place| self.known[*place].closed) {
                    self.forget(&id);
                }
            }
        }
    }

    fn forget(&mut self, id: &ExecutionId) {
        if let Some(place) = self.places.remove(id) {
            self.unflushed = true;
            self.forgotten_ms = self.forgotten_ms.max(self.made_ms(id).unwrap_or(0));
            self.known[place] = Execution::default();
            self.free.push(place);
            self.last = None;
        }
    }
}

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

impl Execution {
    /// One that the log knows.
    fn going_on(row: ExecutionRow) -> Self {
        Self {
            sequence: row.events,
            pieces: row.pieces,
            session_id: row.session_id,
            tenant_id: row.tenant_id,
            recorded_to: Some(row.cursor.offset),
            texts: Texts::going_on(),
            ..Self::default()
        }
    }

    /// What an earlier process counted is looked for once, when it is needed first.
    fn continue_sums(&mut self, id: &ExecutionId, log: Option<&Arc<dyn EventLog>>) {
        let (Some(offset), Some(log)) = (self.recorded_to.take(), log) else { return };
        match last_usage(log, id, offset) {
            Ok(Some(last)) => self.account.continue_after(&last),
            Ok(None) => {}
            Err(_) => self.account.continue_after_unknown(),
        }
    }

    fn apply(&mut self, event: &mut StreamEvent, shown: bool) {
        let kind = event.kind();
        match kind.life() {
            // What its emitter's mode hides is missed by nobody.
            Life::Continues(_) => self.pieces += u64::from(shown),
            _ if kind.event_type().is_some() => self.sequence += 1,
            _ => {}
        }
        if let Body::ExecutionStart(start) = &mut event.body {
            self.begin(start);
        }
        if Status::after(kind).is_some() {
            self.roots.apply(event);
        }
        match kind {
            Kind::ExecutionStart | Kind::ExecutionResumed => self.closed = false,
            _ if kind.life() == Life::Closes(Concept::Execution) && self.roots.is_empty() => {
                self.texts = Texts::default();
            }
            _ => self.texts.apply(event),
        }
    }

    /// A start always says whose the execution is, also where it said something else.
    fn begin(&mut self, start: &mut ExecutionStart) {
        if start.session_id.is_some() {
            self.session_id.clone_from(&start.session_id);
        }
        if self.tenant_id.is_none() {
            self.tenant_id.clone_from(&start.tenant_id);
        }
        start.tenant_id.clone_from(&self.tenant_id);
    }
}
