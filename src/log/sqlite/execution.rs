//! An execution as the writer knows it: how far it is, and how much of that the file does not say yet.

use super::{epochs::Epochs, reader::SELECT_EXECUTION, rows::read_execution};
use crate::{
    Cursor, Text, Timestamp,
    event::{Kind, Recorded},
    log::{ExecutionRow, Status},
};
use rusqlite::{OptionalExtension, Transaction, params};

#[derive(Debug)]
pub(super) struct Execution {
    pub(super) id: i64,
    row: ExecutionRow,
    /// Whether the file has a row of it.
    stored: bool,
    change: Change,
}

/// How much of an execution's row is to be written; what is indexed only where it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    None,
    Advanced,
    Altered,
    New,
}

const INSERT_EXECUTION: &str = "INSERT INTO executions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
const ALTER_EXECUTION: &str = "UPDATE executions SET name = ?2, session_id = ?3, tenant_id = ?4, user_id = ?5, \
     status = ?6, ended_ns = ?7, events = ?8, pieces = ?9, last_offset = ?10 WHERE id = ?1";
const ADVANCE_EXECUTION: &str = "UPDATE executions SET events = ?2, pieces = ?3, last_offset = ?4 WHERE id = ?1";

impl Execution {
    /// The execution of this id as the file has it. One whose row is damaged goes on like a new one, in its row.
    pub(super) fn find(db: &Transaction<'_>, epochs: &Epochs, new: &ExecutionRow) -> rusqlite::Result<Option<Self>> {
        let mut select = db.prepare_cached(SELECT_EXECUTION)?;
        let read = |row: &rusqlite::Row<'_>| {
            let found = read_execution(row, epochs).unwrap_or_else(|_| new.clone());
            Ok(Self { id: row.get(0)?, row: found, stored: true, change: Change::None })
        };
        select.query_row([new.execution_id.to_string()], read).optional()
    }

    pub(super) const fn new(id: i64, row: ExecutionRow) -> Self {
        Self { id, row, stored: false, change: Change::None }
    }

    /// Whether the file does not say all of it yet.
    pub(super) fn is_changed(&self) -> bool {
        self.change != Change::None
    }

    /// The file says it all.
    pub(super) const fn settle(&mut self) {
        (self.stored, self.change) = (true, Change::None);
    }

    /// True when an execution that readers may know has got a name.
    pub(super) fn apply(&mut self, cursor: Cursor, recorded: &Recorded) -> bool {
        let kind = recorded.event.kind();
        let starts = kind == Kind::ExecutionStart || (self.row.tenant_id.is_none() && recorded.tenant_id.is_some());
        let change = match starts || Status::after(kind).is_some() {
            _ if !self.stored => Change::New,
            true => Change::Altered,
            false => Change::Advanced,
        };
        self.change = self.change.max(change);
        self.row.apply(cursor, recorded);
        starts && self.stored
    }

    pub(super) fn write(&self, db: &Transaction<'_>) -> rusqlite::Result<()> {
        let row = &self.row;
        let [name, session, tenant, user] =
            [&row.name, &row.session_id, &row.tenant_id, &row.user_id].map(|text| text.as_ref().map(Text::as_str));
        let (status, ended) = (row.status.as_str(), row.ended_at.map(Timestamp::unix_nanos));
        let [events, pieces, last] = [row.events, row.pieces, row.cursor.offset].map(u64::cast_signed);
        let (id, started) = (self.id, row.started_at.unix_nanos());
        match self.change {
            Change::None => Ok(0),
            Change::Advanced => db.prepare_cached(ADVANCE_EXECUTION)?.execute(params![id, events, pieces, last]),
            Change::Altered => db
                .prepare_cached(ALTER_EXECUTION)?
                .execute(params![id, name, session, tenant, user, status, ended, events, pieces, last]),
            Change::New => db.prepare_cached(INSERT_EXECUTION)?.execute(params![
                id,
                row.execution_id.to_string(),
                name,
                session,
                tenant,
                user,
                status,
                started,
                ended,
                events,
                pieces,
                last
            ]),
        }?;
        Ok(())
    }
}
