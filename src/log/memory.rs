//! A log that forgets: for tests, and for programs that want the record only while they run.

use super::{EventLog, ExecutionRow, LoggedEvent, Page, Query, Resolved, Scope, fields_of_unknown};
use crate::{
    Cursor, Error, ExecutionId, Pending,
    event::{Batch, Kind, OpenThings, Recorded},
};
use std::{
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
    executions: HashMap<ExecutionId, ExecutionRow>,
    read_to: u64,
    closed: bool,
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
        let mut kept = self.kept();
        if kept.closed {
            return Pending::ready(Err(Error::closed("the log is closed")));
        }
        Pending::ready(Ok(question(&mut kept)))
    }
}

impl Kept {
    fn append(&mut self, batch: &Batch) {
        for (cursor, recorded) in batch.iter().filter(|(_, recorded)| recorded.is_logged()) {
            let event = &recorded.event;
            let (Some(id), Some(time)) = (&event.execution_id, event.time) else { continue };
            let row = self.executions.entry(id.clone()).or_insert_with(|| ExecutionRow::new(id.clone(), time, cursor));
            row.apply(cursor, recorded);
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
        }
        self.read_to = batch.end().saturating_sub(1);
    }

    fn in_scope(&self, scope: &Scope, event: &LoggedEvent) -> bool {
        let id = &event.context.execution_id;
        match scope {
            Scope::Everything => true,
            Scope::Execution(wanted) => wanted == id,
            Scope::Session(wanted) => {
                self.executions.get(id).is_some_and(|row| row.session_id.as_ref() == Some(wanted))
            }
        }
    }

    fn read(&self, query: &Query) -> Page {
        match query.before {
            Some(before) => self.read_back(query, before),
            None => self.read_on(query),
        }
    }

    fn read_back(&self, query: &Query, before: u64) -> Page {
        let end = self.events.partition_point(|event| event.cursor.offset < before);
        let start = self.events.partition_point(|event| event.cursor.offset <= query.after).min(end);
        let mut rest = self.events[start..end].iter().rev().filter(|event| self.in_scope(&query.scope, event));
        let mut events: Vec<_> = rest.by_ref().take(query.limit).cloned().collect();
        let complete = rest.next().is_none();
        let read_from = events.last().map_or(0, |event| event.cursor.offset).max(query.after + 1);
        events.reverse();
        Page { events, read_to: before.saturating_sub(1), read_from, complete }
    }

    fn read_on(&self, query: &Query) -> Page {
        let start = self.events.partition_point(|event| event.cursor.offset <= query.after);
        let mut rest = self.events[start..].iter().filter(|event| self.in_scope(&query.scope, event));
        let events: Vec<_> = rest.by_ref().take(query.limit).cloned().collect();
        let complete = rest.next().is_none();
        let last = events.last().map_or(query.after, |event| event.cursor.offset);
        Page { read_to: if complete { self.read_to.max(last) } else { last }, read_from: 0, events, complete }
    }
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
        self.answer(|kept| {
            let end = kept.events.partition_point(|event| event.cursor.offset <= offset);
            kept.events[..end].iter().rfind(|event| event.context.execution_id == id).cloned()
        })
    }

    fn resolve(&self, cursor: Cursor) -> Pending<Resolved> {
        let known = cursor.epoch == self.epoch;
        self.answer(|_| if known { Resolved::At(cursor.offset) } else { Resolved::Unknown })
    }

    fn executions(&self, limit: usize) -> Pending<Vec<ExecutionRow>> {
        self.answer(|kept| {
            let mut rows: Vec<_> = kept.executions.values().cloned().collect();
            rows.sort_by_key(|row| std::cmp::Reverse(row.started_at));
            rows.truncate(limit);
            rows
        })
    }

    fn execution(&self, id: ExecutionId) -> Pending<Option<ExecutionRow>> {
        self.answer(|kept| kept.executions.get(&id).cloned())
    }

    fn close(&self) -> Pending<()> {
        self.answer(|kept| kept.closed = true)
    }
}
