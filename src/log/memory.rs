//! A log that forgets: for tests, and for programs that want the record only while they run.

use super::{
    EventLog, ExecutionRow, ExecutionsQuery, LoggedEvent, Page, Query, Resolved, Scope, SessionRow, SessionsQuery,
    fields_of_unknown, place,
};
use crate::{
    Cursor, Error, ExecutionId, Pending, Text, Timestamp,
    event::{Batch, Kind, OpenThings, Recorded},
};
use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A record in memory, without bound. Durable is what is in it.
#[derive(Debug)]
pub struct MemoryLog {
    epoch: u64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    events: Vec<LoggedEvent>,
    /// In the order in which they came.
    executions: Vec<Execution>,
    places: HashMap<ExecutionId, usize>,
    read_to: u64,
    /// By the readers' names, how far each had come.
    settled: HashMap<Text, u64>,
    closed: bool,
}

/// An execution: who reads one goes through its own events and no others.
#[derive(Debug)]
struct Execution {
    row: ExecutionRow,
    /// The time of its last event.
    last: Timestamp,
    /// Where its events are.
    events: Vec<usize>,
}

impl MemoryLog {
    /// An empty record.
    #[expect(clippy::new_without_default, reason = "each has an epoch of its own")]
    pub fn new() -> Self {
        Self { epoch: fastrand::u64(1..), kept: Mutex::default() }
    }

    /// A thread that panicked here left a whole record behind: each change is one push.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer<T>(&self, question: impl FnOnce(&mut Kept) -> T) -> Pending<T> {
        self.try_answer(|kept| Ok(question(kept)))
    }

    fn try_answer<T>(&self, question: impl FnOnce(&mut Kept) -> Result<T, Error>) -> Pending<T> {
        let mut kept = self.kept();
        if kept.closed {
            return Pending::ready(Err(Error::closed("the log is closed")));
        }
        Pending::ready(question(&mut kept))
    }
}

impl Kept {
    fn append(&mut self, batch: &Batch) {
        for (cursor, recorded) in batch.iter().filter(|(_, recorded)| recorded.is_logged()) {
            let event = &recorded.event;
            let (Some(id), Some(time)) = (&event.execution_id, event.time) else { continue };
            let place = self.place_of(id, time, cursor);
            let Execution { row, last, .. } = &mut self.executions[place];
            row.apply(cursor, recorded);
            *last = time;
            let mut fields = String::new();
            event.body.write_object(&mut fields);
            if event.kind() == Kind::Unknown {
                fields = fields_of_unknown(event.body.tag(), &fields);
            }
            let context = row.context(event.step_id.clone());
            let Recorded { sequence, pieces, shown, .. } = *recorded;
            self.events.push(LoggedEvent {
                cursor,
                sequence,
                pieces,
                context,
                shown,
                time,
                kind: event.kind(),
                fields,
            });
            self.executions[place].events.push(self.events.len() - 1);
        }
        self.read_to = batch.end().saturating_sub(1);
    }

    fn place_of(&mut self, id: &ExecutionId, time: Timestamp, cursor: Cursor) -> usize {
        let Self { executions, places, .. } = self;
        *places.entry(id.clone()).or_insert_with(|| {
            let row = ExecutionRow::new(id.clone(), time, cursor);
            executions.push(Execution { row, last: time, events: Vec::new() });
            executions.len() - 1
        })
    }

    fn known(&self, id: &ExecutionId) -> Option<&Execution> {
        self.places.get(id).map(|place| &self.executions[*place])
    }

    fn execution(&self, id: &ExecutionId) -> Option<&ExecutionRow> {
        self.known(id).map(|execution| &execution.row)
    }

    /// Of an execution, or of everything, the events after one offset and before another.
    fn between(
        &self,
        id: Option<&ExecutionId>,
        after: u64,
        before: u64,
    ) -> Box<dyn DoubleEndedIterator<Item = &LoggedEvent> + '_> {
        let Some(id) = id else {
            return Box::new(within(&self.events, |event| event.cursor.offset, after, before).iter());
        };
        let places = self.known(id).map_or(&[][..], |execution| &execution.events);
        let offset = |place: &usize| self.events[*place].cursor.offset;
        Box::new(within(places, offset, after, before).iter().map(|place| &self.events[*place]))
    }

    fn candidates(&self, query: &Query, before: u64) -> Box<dyn DoubleEndedIterator<Item = &LoggedEvent> + '_> {
        let Scope::Execution(id) = &query.scope else { return self.between(None, query.after, before) };
        self.between(Some(id), query.after, before)
    }

    fn in_scope(&self, query: &Query, event: &LoggedEvent) -> bool {
        let id = &event.context.execution_id;
        let row = || self.execution(id);
        let in_scope = match &query.scope {
            Scope::Everything => true,
            Scope::Execution(wanted) => wanted == id,
            Scope::Session(wanted) => row().is_some_and(|row| row.session_id.as_ref() == Some(wanted)),
        };
        in_scope && (query.tenant_id.is_none() || row().is_some_and(|row| row.tenant_id == query.tenant_id))
    }

    fn read(&self, query: &Query) -> Page {
        match query.before {
            Some(before) => self.read_back(query, before),
            None => self.read_on(query),
        }
    }

    fn read_back(&self, query: &Query, before: u64) -> Page {
        let mut rest = self.candidates(query, before).rev().filter(|event| self.in_scope(query, event));
        let mut events: Vec<_> = rest.by_ref().take(query.limit).cloned().collect();
        let complete = rest.next().is_none();
        let read_from = events.last().map_or(0, |event| event.cursor.offset).max(query.after + 1);
        events.reverse();
        Page { events, read_to: before.saturating_sub(1), read_from, complete }
    }

    fn read_on(&self, query: &Query) -> Page {
        let mut rest = self.candidates(query, u64::MAX).filter(|event| self.in_scope(query, event));
        let events: Vec<_> = rest.by_ref().take(query.limit).cloned().collect();
        let complete = rest.next().is_none();
        let last = events.last().map_or(query.after, |event| event.cursor.offset);
        Page { read_to: if complete { self.read_to.max(last) } else { last }, read_from: 0, events, complete }
    }

    fn list(&self, query: &ExecutionsQuery) -> Result<Vec<ExecutionRow>, Error> {
        let mut rows: Vec<_> = self.executions.iter().map(|execution| &execution.row).enumerate().collect();
        rows.sort_by_key(|(place, row)| Reverse((row.started_at, *place)));
        let after = match &query.before {
            None => 0,
            Some(id) => {
                let known = |(_, row): &(usize, &ExecutionRow)| row.execution_id == *id && query.may_know(row);
                1 + rows.iter().position(known).ok_or_else(|| super::no_place(id))?
            }
        };
        let rest = rows.into_iter().skip(after).filter(|(_, row)| query.lists(row));
        Ok(rest.take(query.limit).map(|(_, row)| row.clone()).collect())
    }

    fn sessions(&self, query: &SessionsQuery) -> Vec<SessionRow> {
        let mut sessions: HashMap<(&Text, &Option<Text>), (u64, SessionRow)> = HashMap::new();
        for Execution { row, last, .. } in &self.executions {
            let Some(session_id) = &row.session_id else { continue };
            if query.tenant_id.is_some() && row.tenant_id != query.tenant_id {
                continue;
            }
            let (offset, session) = sessions.entry((session_id, &row.tenant_id)).or_insert_with(|| {
                let (session_id, tenant_id) = (session_id.clone(), row.tenant_id.clone());
                let (started_at, last_at) = (row.started_at, *last);
                (0, SessionRow { session_id, tenant_id, executions: 0, started_at, last_at })
            });
            session.executions += 1;
            session.started_at = session.started_at.min(row.started_at);
            if row.cursor.offset > *offset {
                (*offset, session.last_at) = (row.cursor.offset, *last);
            }
        }
        let mut newest: Vec<_> = sessions.into_values().collect();
        newest.sort_by_key(|(offset, _)| Reverse(*offset));
        newest.into_iter().take(query.limit).map(|(_, session)| session).collect()
    }
}

/// Of what is in the order of its offsets, the part after one and before another.
fn within<T>(all: &[T], offset: impl Fn(&T) -> u64, after: u64, before: u64) -> &[T] {
    let end = all.partition_point(|one| offset(one) < before);
    let start = all.partition_point(|one| offset(one) <= after).min(end);
    &all[start..end]
}

impl EventLog for MemoryLog {
    fn opened_at(&self) -> Cursor {
        Cursor::new(self.epoch, 0)
    }

    fn unfinished(&self) -> Pending<Vec<OpenThings>> {
        Pending::ready(Ok(Vec::new()))
    }

    fn append(&self, batch: Arc<Batch>) -> Pending<()> {
        self.answer(|kept| kept.append(&batch))
    }

    fn flush(&self) -> Pending<()> {
        self.answer(|_| ())
    }

    fn read(&self, query: Query) -> Pending<Page> {
        self.answer(|kept| kept.read(&query))
    }

    fn last_before(&self, id: ExecutionId, offset: u64) -> Pending<Option<LoggedEvent>> {
        self.answer(|kept| kept.between(Some(&id), 0, offset.saturating_add(1)).next_back().cloned())
    }

    fn resolve(&self, cursor: Cursor) -> Pending<Resolved> {
        let known = cursor.epoch == self.epoch;
        self.answer(|_| if known { Resolved::At(cursor.offset) } else { Resolved::Unknown })
    }

    fn executions(&self, query: ExecutionsQuery) -> Pending<Vec<ExecutionRow>> {
        self.try_answer(|kept| kept.list(&query))
    }

    fn execution(&self, id: ExecutionId) -> Pending<Option<ExecutionRow>> {
        self.answer(|kept| kept.execution(&id).cloned())
    }

    fn sessions(&self, query: SessionsQuery) -> Pending<Vec<SessionRow>> {
        self.answer(|kept| kept.sessions(&query))
    }

    fn place(&self, name: Text) -> Pending<Option<u64>> {
        self.try_answer(|kept| place::check_name(&name).map(|()| kept.settled.get(&name).copied()))
    }

    fn keep_place(&self, name: Text, offset: u64) -> Pending<()> {
        self.try_answer(|kept| {
            place::check_name(&name)?;
            place::check_offset(offset, kept.read_to)?;
            kept.settled.insert(name, offset);
            Ok(())
        })
    }

    fn close(&self) -> Pending<()> {
        self.answer(|kept| kept.closed = true)
    }
}
