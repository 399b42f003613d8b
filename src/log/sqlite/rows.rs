//! Rows of the tables as what they stand for. A row that stands for nothing is damaged: it is counted, not reported.

use super::{Shared, epochs::Epochs, reader::SELECT_EXECUTION_OF_ROW};
use crate::{
    ExecutionId, StepId, Text, Timestamp,
    event::{ExecutionContext, Kind},
    log::{ExecutionRow, LoggedEvent, Status, fields_of_unknown},
};
use rusqlite::{Connection, Row};
use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::{Arc, atomic::Ordering},
};

/// What rows refer to, remembered.
#[derive(Debug)]
pub(super) struct Rows {
    epochs: Arc<Epochs>,
    shared: Arc<Shared>,
    renamed: u64,
    contexts: HashMap<i64, ExecutionContext>,
    kinds: HashMap<i64, (Kind, Text)>,
    damaged: HashSet<u64>,
}

/// Of each sort, this many are remembered.
const MAX_KNOWN: usize = 16_384;

impl Rows {
    pub(super) fn new(epochs: Arc<Epochs>, shared: Arc<Shared>) -> Self {
        let (contexts, kinds, damaged) = Default::default();
        Self { epochs, shared, renamed: 0, contexts, kinds, damaged }
    }

    /// Forgets what may not be true any more.
    pub(super) fn refresh(&mut self) {
        let renamed = self.shared.renamed.load(Ordering::Acquire);
        if renamed != self.renamed {
            self.renamed = renamed;
            self.contexts.clear();
        }
    }

    /// Counts a place of the file that cannot be read, once.
    pub(super) fn damaged(&mut self, offset: u64) {
        if self.damaged.len() < MAX_KNOWN {
            self.damaged.insert(offset);
        }
        self.shared.unreadable.store(self.damaged.len() as u64, Ordering::Relaxed);
    }

    /// The event of a row; none where it is damaged.
    pub(super) fn event(
        &mut self,
        db: &Connection,
        row: &Row<'_>,
        offset: u64,
    ) -> rusqlite::Result<Option<LoggedEvent>> {
        let event = unless_damaged(self.read_event(db, row, offset))?;
        if event.is_none() {
            self.damaged(offset);
        }
        Ok(event)
    }

    fn read_event(&mut self, db: &Connection, row: &Row<'_>, offset: u64) -> rusqlite::Result<LoggedEvent> {
        let step = row.get_ref(6)?.as_str_or_null()?;
        let step_id = step.map(StepId::parse).transpose().map_err(|_| rusqlite::Error::InvalidQuery)?;
        let fields = row.get_ref(8)?.as_str()?;
        let (kind, tag) = self.kind(db, row.get(4)?)?;
        let fields = if *kind == Kind::Unknown { fields_of_unknown(tag, fields) } else { fields.into() };
        let kind = *kind;
        let mut context = self.context(db, row.get(1)?)?.clone();
        context.step_id = step_id;
        Ok(LoggedEvent {
            cursor: self.epochs.cursor(offset),
            sequence: row.get::<_, i64>(2)?.cast_unsigned(),
            pieces: row.get::<_, i64>(3)?.cast_unsigned(),
            context,
            shown: row.get(5)?,
            time: Timestamp::from_unix_nanos(row.get(7)?),
            kind,
            fields,
        })
    }

    fn kind(&mut self, db: &Connection, id: i64) -> rusqlite::Result<&(Kind, Text)> {
        if self.kinds.len() > MAX_KNOWN {
            self.kinds.clear();
        }
        Ok(match self.kinds.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let mut select = db.prepare_cached("SELECT tag FROM kinds WHERE id = ?1")?;
                let tag: String = select.query_row([id], |row| row.get(0))?;
                place.insert((Kind::from_tag(&tag).unwrap_or(Kind::Unknown), tag.into()))
            }
        })
    }

    fn context(&mut self, db: &Connection, id: i64) -> rusqlite::Result<&ExecutionContext> {
        if self.contexts.len() > MAX_KNOWN {
            self.contexts.clear();
        }
        Ok(match self.contexts.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let mut select = db.prepare_cached(SELECT_EXECUTION_OF_ROW)?;
                let execution = select.query_row([id], |row| read_execution(row, &self.epochs))?;
                place.insert(execution.context(None))
            }
        })
    }

    /// The execution of a row; none where it is damaged, which shows as missing.
    pub(super) fn execution(&mut self, row: &Row<'_>) -> rusqlite::Result<Option<ExecutionRow>> {
        unless_damaged(read_execution(row, &self.epochs))
    }
}

/// What SQLite says is passed on; what a row says wrongly is damage.
fn unless_damaged<T>(read: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error @ rusqlite::Error::SqliteFailure(..)) => Err(error),
        Err(_) => Ok(None),
    }
}

/// Columns as [`SELECT_EXECUTION_OF_ROW`] and its siblings have them.
pub(super) fn read_execution(row: &Row<'_>, epochs: &Epochs) -> rusqlite::Result<ExecutionRow> {
    let text = |index| Ok::<_, rusqlite::Error>(row.get_ref(index)?.as_str_or_null()?.map(Text::from));
    let number = |index| row.get::<_, i64>(index).map(i64::cast_unsigned);
    let id = ExecutionId::parse(row.get_ref(1)?.as_str()?).map_err(|_| rusqlite::Error::InvalidQuery)?;
    let status = row.get_ref(6)?.as_str()?;
    let started_at = Timestamp::from_unix_nanos(row.get(7)?);
    let mut execution = ExecutionRow::new(id, started_at, epochs.cursor(number(11)?));
    (execution.name, execution.session_id) = (text(2)?, text(3)?);
    (execution.tenant_id, execution.user_id) = (text(4)?, text(5)?);
    execution.status =
        Status::ALL.into_iter().find(|known| known.as_str() == status).ok_or(rusqlite::Error::InvalidQuery)?;
    execution.ended_at = row.get::<_, Option<i64>>(8)?.map(Timestamp::from_unix_nanos);
    (execution.events, execution.pieces) = (number(9)?, number(10)?);
    Ok(execution)
}
