//! Rows of the tables as what they stand for. A row that stands for nothing is damaged: it is counted, not reported.

use super::{Shared, epochs::Epochs, reader::SELECT_EXECUTION_OF_ROW};
use crate::{
    ExecutionId, StepId, Text, Timestamp,
    event::{ExecutionContext, Kind},
    log::{ExecutionRow, LoggedEvent, Status, fields_of_unknown},
};
use rusqlite::{Connection, Row};
use std::{
    collections::{BTreeMap, HashMap, HashSet, btree_map, hash_map},
    sync::{Arc, atomic::Ordering},
};

/// What rows refer to, remembered.
#[derive(Debug)]
pub(super) struct Rows {
    epochs: Arc<Epochs>,
    shared: Arc<Shared>,
    renamed: u64,
    owners: HashMap<i64, Owner>,
    kinds: BTreeMap<i64, (Kind, Text)>,
    damaged: HashSet<u64>,
}

/// Whose an execution's events are.
#[derive(Debug)]
struct Owner {
    execution_id: ExecutionId,
    tenant_id: Option<Text>,
    user_id: Option<Text>,
}

impl Owner {
    fn context(&self, step_id: Option<StepId>) -> ExecutionContext {
        let Self { execution_id, tenant_id, user_id } = self;
        let (execution_id, tenant_id, user_id) = (execution_id.clone(), tenant_id.clone(), user_id.clone());
        ExecutionContext { execution_id, step_id, artifact_id: None, parent: None, tenant_id, user_id }
    }
}

/// Of each sort, this many are remembered.
const MAX_KNOWN: usize = 16_384;

impl Rows {
    pub(super) fn new(epochs: Arc<Epochs>, shared: Arc<Shared>) -> Self {
        let (owners, kinds, damaged) = Default::default();
        Self { epochs, shared, renamed: 0, owners, kinds, damaged }
    }

    /// Forgets what may not be true any more.
    pub(super) fn refresh(&mut self) {
        let renamed = self.shared.renamed.load(Ordering::Acquire);
        if renamed != self.renamed {
            self.renamed = renamed;
            self.owners.clear();
        }
    }

    /// Counts a place of the file that cannot be read, once.
    pub(super) fn damaged(&mut self, offset: u64) {
        if self.damaged.len() < MAX_KNOWN {
            self.damaged.insert(offset);
        }
        self.shared.unreadable.store(self.damaged.len() as u64, Ordering::Relaxed);
    }

    /// Adds the event of a row, unless it is damaged.
    pub(super) fn event(
        &mut self,
        db: &Connection,
        row: &Row<'_>,
        offset: u64,
        events: &mut Vec<LoggedEvent>,
    ) -> rusqlite::Result<()> {
        if unless_damaged(self.read_event(db, row, offset, events))?.is_none() {
            self.damaged(offset);
        }
        Ok(())
    }

    /// Made where it will lie: an event is large, and each way it is handed on costs a copy.
    fn read_event(
        &mut self,
        db: &Connection,
        row: &Row<'_>,
        offset: u64,
        events: &mut Vec<LoggedEvent>,
    ) -> rusqlite::Result<()> {
        let number = |column| row.get_ref(column)?.as_i64().map_err(rusqlite::Error::from);
        let step = row.get_ref(6)?.as_str_or_null()?;
        let step_id = step.map(StepId::parse).transpose().map_err(|_| rusqlite::Error::InvalidQuery)?;
        let fields = row.get_ref(8)?.as_str()?;
        let (kind, fields) = match self.kind(db, number(4)?)? {
            (Kind::Unknown, tag) => (Kind::Unknown, fields_of_unknown(tag, fields)),
            (kind, _) => (*kind, fields.to_owned()),
        };
        let cursor = self.epochs.cursor(offset);
        let (sequence, pieces) = (number(2)?.cast_unsigned(), number(3)?.cast_unsigned());
        let (shown, time) = (number(5)? != 0, Timestamp::from_unix_nanos(number(7)?));
        let context = self.owner(db, number(1)?)?.context(step_id);
        events.push(LoggedEvent { cursor, sequence, pieces, context, shown, time, kind, fields });
        Ok(())
    }

    fn kind(&mut self, db: &Connection, id: i64) -> rusqlite::Result<&(Kind, Text)> {
        if self.kinds.len() > MAX_KNOWN {
            self.kinds.clear();
        }
        Ok(match self.kinds.entry(id) {
            btree_map::Entry::Occupied(known) => known.into_mut(),
            btree_map::Entry::Vacant(place) => {
                let mut select = db.prepare_cached("SELECT tag FROM kinds WHERE id = ?1")?;
                let tag: String = select.query_row([id], |row| row.get(0))?;
                place.insert((Kind::from_tag(&tag).unwrap_or(Kind::Unknown), tag.into()))
            }
        })
    }

    fn owner(&mut self, db: &Connection, id: i64) -> rusqlite::Result<&Owner> {
        if self.owners.len() > MAX_KNOWN {
            self.owners.clear();
        }
        Ok(match self.owners.entry(id) {
            hash_map::Entry::Occupied(known) => known.into_mut(),
            hash_map::Entry::Vacant(place) => {
                let mut select = db.prepare_cached(SELECT_EXECUTION_OF_ROW)?;
                let ExecutionRow { execution_id, tenant_id, user_id, .. } =
                    select.query_row([id], |row| read_execution(row, &self.epochs))?;
                place.insert(Owner { execution_id, tenant_id, user_id })
            }
        })
    }

    /// The execution of a row; none where it is damaged, which shows as missing.
    pub(super) fn execution(&mut self, row: &Row<'_>) -> rusqlite::Result<Option<ExecutionRow>> {
        unless_damaged(read_execution(row, &self.epochs))
    }
}

/// What SQLite says is passed on; what a row says wrongly is damage.
pub(super) fn unless_damaged<T>(read: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
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
