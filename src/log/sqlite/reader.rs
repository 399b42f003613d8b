//! The thread that reads: pages of events, executions; what is damaged is left out and counted.

use super::{Shared, epochs::Epochs, fault, opening, rows::Rows};
use crate::{
    Error, ExecutionId, Text,
    log::{ExecutionRow, LoggedEvent, Page, Query, Scope},
};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Params, types::Value};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, Sender},
    },
};

/// Something to be asked of the reading thread.
pub(super) type Question = Box<dyn FnOnce(&mut Reader) + Send>;

/// The reading connection, and what it knows of the file without asking.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) db: Connection,
    path: PathBuf,
    shared: Arc<Shared>,
    rows: Rows,
}

/// A scope as SQL: `?1` the offset to go on after, `?2` how many rows, `?3` and `?4` whose.
struct Selection {
    sql: &'static str,
    whose: Vec<Value>,
    /// No further than this is looked.
    until: Option<u64>,
}

/// Offsets that are looked through for a page of one tenant, which may have little of much.
const MAX_PAGE_OFFSETS: u64 = 32_768;

/// A page ends here too, so that one reader's page keeps nobody waiting for long.
const MAX_PAGE_BYTES: usize = 8 << 20;

macro_rules! select_events {
    ($where:literal) => {
        concat!(
            "SELECT event_offset, execution, sequence, pieces, kind, shown, step_id, time_ns, fields FROM events WHERE ",
            $where
        )
    };
}

const OF_EVERYONE: &str = select_events!("event_offset > ?1 ORDER BY event_offset LIMIT ?2");
const OF_EXECUTION: &str = select_events!("execution = ?3 AND event_offset > ?1 ORDER BY event_offset LIMIT ?2");
/// As the others, but up to `?1`, and backwards.
const LAST_OF_EXECUTION: &str =
    select_events!("execution = ?3 AND event_offset <= ?1 ORDER BY event_offset DESC LIMIT ?2");
const OF_SESSION: &str = select_events!(
    "event_offset IN (
        SELECT e.event_offset FROM executions x JOIN events e ON e.execution = x.id AND e.event_offset > ?1
        WHERE x.session_id = ?3 AND x.last_offset > ?1 ORDER BY e.event_offset LIMIT ?2
    ) ORDER BY event_offset"
);

/// The events are looked through in their order, and of each is asked whose it is: a tenant may have very many
/// executions. (A `+` keeps the planner from another order.)
const OF_TENANT: &str = select_events!(
    "event_offset > ?1 AND event_offset <= ?4
     AND EXISTS (SELECT 1 FROM executions x WHERE x.id = events.execution AND +x.tenant_id = ?3)
     ORDER BY event_offset LIMIT ?2"
);
const OF_TENANTS_SESSION: &str = select_events!(
    "event_offset IN (
        SELECT e.event_offset FROM executions x JOIN events e ON e.execution = x.id AND e.event_offset > ?1
        WHERE x.session_id = ?3 AND +x.tenant_id = ?4 AND x.last_offset > ?1 ORDER BY e.event_offset LIMIT ?2
    ) ORDER BY event_offset"
);

macro_rules! select_execution {
    ($where:literal) => {
        concat!(
            "SELECT id, execution_id, name, session_id, tenant_id, user_id, status, started_ns, ended_ns, events, \
             pieces, last_offset FROM executions ",
            $where
        )
    };
}

pub(super) const SELECT_EXECUTION: &str = select_execution!("WHERE execution_id = ?1");
pub(super) const SELECT_EXECUTION_OF_ROW: &str = select_execution!("WHERE id = ?1");
pub(super) const SELECT_EXECUTIONS: &str = select_execution!("");

impl Reader {
    pub(super) fn open(path: &Path, epochs: Arc<Epochs>, shared: Arc<Shared>) -> Result<Self, Error> {
        let db = opening::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        db.set_prepared_statement_cache_capacity(32);
        Ok(Self { db, path: path.to_path_buf(), rows: Rows::new(epochs, shared.clone()), shared })
    }

    /// What ends [`run`](Reader::run) from another thread, amid a page even.
    pub(super) fn stopper(&self, questions: Sender<Question>) -> impl FnOnce() + Send + use<> {
        let (shared, interrupt) = (self.shared.clone(), self.db.get_interrupt_handle());
        move || {
            shared.closed.store(true, Ordering::Release);
            interrupt.interrupt();
            let _ = questions.send(Box::new(|_| ()));
        }
    }

    /// Answers until it is stopped. Questions that are left over then are answered by being dropped.
    pub(super) fn run(mut self, questions: Receiver<Question>) {
        for question in questions {
            if self.shared.closed.load(Ordering::Acquire) {
                return;
            }
            question(&mut self);
        }
    }

    pub(super) fn page(&mut self, query: &Query) -> Result<Page, Error> {
        // Before the look at the file: what is committed in between may be on the page, but nothing up to here is not.
        let committed = self.shared.read_to.load(Ordering::Acquire);
        self.rows.refresh();
        let mut page = Page { read_to: query.after, complete: true, events: Vec::with_capacity(query.limit.min(256)) };
        if let Some(selection) = self.select(query)? {
            page.complete = self.fill(&mut page, &selection, query.limit)?;
            if let Some(until) = selection.until.filter(|until| page.complete && *until < committed) {
                (page.read_to, page.complete) = (page.read_to.max(until), false);
            }
        }
        if page.complete {
            page.read_to = page.read_to.max(committed);
        }
        Ok(page)
    }

    /// A damaged row is no answer: it is not known what it said.
    pub(super) fn last_before(&mut self, id: &ExecutionId, offset: u64) -> Result<Option<LoggedEvent>, Error> {
        self.rows.refresh();
        let Some(row) = self.row_of(id)? else { return Ok(None) };
        let selection = Selection { sql: LAST_OF_EXECUTION, whose: vec![row.into()], until: None };
        let mut page = Page { read_to: offset, complete: true, events: Vec::new() };
        let mut left = 1;
        self.scan(&mut page, &selection, &mut left).map_err(|source| self.fault(source))?;
        match (page.events.pop(), left) {
            (None, 0) => Err(Error::corrupt(format!("log {}: event at {}", self.path.display(), page.read_to))),
            (last, _) => Ok(last),
        }
    }

    /// None where the record has nobody of this name.
    fn select(&self, query: &Query) -> Result<Option<Selection>, Error> {
        let text = |text: &Text| Value::from(text.to_string());
        let until = query.after.saturating_add(MAX_PAGE_OFFSETS);
        let (sql, whose, until) = match (&query.scope, &query.tenant_id) {
            (Scope::Everything, None) => (OF_EVERYONE, Vec::new(), None),
            (Scope::Everything, Some(tenant)) => (OF_TENANT, vec![text(tenant), place(until).into()], Some(until)),
            (Scope::Session(id), None) => (OF_SESSION, vec![text(id)], None),
            (Scope::Session(id), Some(tenant)) => (OF_TENANTS_SESSION, vec![text(id), text(tenant)], None),
            (Scope::Execution(id), tenant) => match self.row_of_tenants(id, tenant.as_ref())? {
                Some(row) => (OF_EXECUTION, vec![row.into()], None),
                None => return Ok(None),
            },
        };
        Ok(Some(Selection { sql, whose, until }))
    }

    fn row_of_tenants(&self, id: &ExecutionId, tenant: Option<&Text>) -> Result<Option<i64>, Error> {
        let Some(tenant) = tenant else { return self.row_of(id) };
        let find = || {
            let sql = "SELECT id FROM executions WHERE execution_id = ?1 AND +tenant_id = ?2";
            let mut select = self.db.prepare_cached(sql)?;
            select.query_row([id.to_string().as_str(), tenant.as_str()], |row| row.get(0)).optional()
        };
        find().map_err(|source| self.fault(source))
    }

    pub(super) fn row_of(&self, id: &ExecutionId) -> Result<Option<i64>, Error> {
        let find = || {
            let mut select = self.db.prepare_cached("SELECT id FROM executions WHERE execution_id = ?1")?;
            select.query_row([id.to_string()], |row| row.get(0)).optional()
        };
        find().map_err(|source| self.fault(source))
    }

    /// Reads up to the limit, around what is damaged. True when nothing is left.
    fn fill(&mut self, page: &mut Page, selection: &Selection, limit: usize) -> Result<bool, Error> {
        let mut left = limit;
        loop {
            match self.scan(page, selection, &mut left) {
                Ok(complete) => return Ok(complete),
                Err(error) if is_damage(&error) => match self.after_damage(page.read_to, selection) {
                    Some(readable) => page.read_to = readable,
                    None => return Ok(true),
                },
                Err(source) => return Err(self.fault(source)),
            }
        }
    }

    fn scan(&mut self, page: &mut Page, selection: &Selection, left: &mut usize) -> rusqlite::Result<bool> {
        let Self { db, rows, .. } = self;
        let mut select = db.prepare_cached(selection.sql)?;
        let mut found = select.query(selection.after(page.read_to, left.saturating_add(1)))?;
        let mut bytes = 0;
        while let Some(row) = found.next()? {
            if *left == 0 || bytes > MAX_PAGE_BYTES {
                return Ok(false);
            }
            let offset = row.get_ref(0)?.as_i64()?.cast_unsigned();
            rows.event(db, row, offset, &mut page.events)?;
            bytes += page.events.last().map_or(0, |event| size_of::<LoggedEvent>() + event.fields.len());
            (page.read_to, *left) = (offset, *left - 1);
        }
        Ok(true)
    }

    /// The offset to go on after, past a damaged stretch that begins after this one: searched for in leaps, then
    /// halved. None where nothing is readable up to the end.
    fn after_damage(&mut self, before: u64, selection: &Selection) -> Option<u64> {
        self.rows.damaged(before.saturating_add(1));
        let end = self.shared.read_to.load(Ordering::Acquire);
        let mut leap = 1_u64;
        while !self.is_readable(before.saturating_add(leap), selection) {
            if before.saturating_add(leap) >= end {
                return None;
            }
            leap = leap.saturating_mul(2);
        }
        let (mut damaged, mut readable) = (before.saturating_add(leap / 2), before.saturating_add(leap));
        while damaged + 1 < readable {
            let middle = damaged + (readable - damaged) / 2;
            match self.is_readable(middle, selection) {
                true => readable = middle,
                false => damaged = middle,
            }
        }
        Some(readable)
    }

    fn is_readable(&self, after: u64, selection: &Selection) -> bool {
        let look = || {
            let mut select = self.db.prepare_cached(selection.sql)?;
            // The fields are looked at too: long ones lie on pages of their own.
            let mut found = select.query(selection.after(after, 1))?;
            found.next()?.map_or(Ok(()), |row| row.get_ref(8).map(|_| ()))
        };
        look().is_ok()
    }

    pub(super) fn execution(&mut self, id: &ExecutionId) -> Result<Option<ExecutionRow>, Error> {
        Ok(self.execution_rows(SELECT_EXECUTION, [id.to_string()])?.pop())
    }

    pub(super) fn execution_of_row(&mut self, row: i64) -> Result<Option<ExecutionRow>, Error> {
        Ok(self.execution_rows(SELECT_EXECUTION_OF_ROW, [row])?.pop())
    }

    pub(super) fn execution_rows(&mut self, sql: &str, arguments: impl Params) -> Result<Vec<ExecutionRow>, Error> {
        let Self { db, rows, .. } = self;
        let read = || {
            let mut select = db.prepare_cached(sql)?;
            let mut found = select.query(arguments)?;
            let mut executions = Vec::new();
            while let Some(row) = found.next()? {
                executions.extend(rows.execution(row)?);
            }
            Ok(executions)
        };
        let read: rusqlite::Result<_> = read();
        read.map_err(|source| self.fault(source))
    }

    pub(super) fn fault(&self, source: rusqlite::Error) -> Error {
        if self.shared.closed.load(Ordering::Acquire) {
            return Error::closed(format!("log {}: it is closed", self.path.display()));
        }
        fault(&self.path, "it cannot be read", source)
    }
}

impl Selection {
    /// Offsets past what SQLite can hold are past the end.
    fn after(&self, offset: u64, limit: usize) -> impl Params + use<> {
        let (offset, limit) = (place(offset), place(limit as u64));
        rusqlite::params_from_iter([Value::from(offset), Value::from(limit)].into_iter().chain(self.whose.clone()))
    }
}

pub(super) fn place(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}
