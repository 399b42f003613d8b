//! One transaction: the events of some batches, how far their executions are, and how far readers have come.

use super::{
    epochs::Epochs,
    execution::Execution,
    places::{self, Place},
    schema,
};
use crate::{
    Cursor, ExecutionId, Timestamp,
    event::{Batch, Kind, Recorded, StreamEvent},
    log::ExecutionRow,
};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::{
    collections::{HashMap, hash_map::Entry},
    fmt::Write,
    sync::Arc,
};

/// The writing connection, and what it knows of the file without asking.
#[derive(Debug)]
pub(super) struct Store {
    db: Connection,
    epochs: Arc<Epochs>,
    known: Known,
    last_execution: i64,
}

/// What is in the file or in the transaction under way; forgotten when one fails.
#[derive(Debug, Default)]
struct Known {
    kinds: HashMap<Kind, i64>,
    foreign_kinds: HashMap<String, i64>,
    executions: HashMap<ExecutionId, Execution>,
    /// Executions that the transaction under way changes.
    changed: Vec<ExecutionId>,
    renamed: bool,
}

/// Executions and foreign kinds remembered from one transaction to the next.
const MAX_KNOWN: usize = 4096;

const INSERT_EVENT: &str = "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

impl Store {
    pub(super) fn new(db: Connection, epochs: Arc<Epochs>) -> rusqlite::Result<Self> {
        db.set_prepared_statement_cache_capacity(16);
        let last: Option<i64> = db.query_row("SELECT max(id) FROM executions", (), |row| row.get(0))?;
        Ok(Self { db, epochs, known: Known::default(), last_execution: last.unwrap_or(0) })
    }

    pub(super) fn opened_at(&self) -> Cursor {
        self.epochs.opened_at()
    }

    /// Writes the logged events of these batches and these places, all or none. True when readers have to ask anew whose an execution
    /// is. After an error nothing that was written is relied on: the next try writes all of it again.
    pub(super) fn write<'a>(
        &mut self,
        batches: impl Iterator<Item = &'a Batch> + Clone,
        places: &[Place],
    ) -> rusqlite::Result<bool> {
        if places.is_empty() && !batches.clone().flat_map(|batch| &batch.events).any(Recorded::is_logged) {
            return Ok(false);
        }
        let Self { db, epochs, known, last_execution } = self;
        let result = write(db, &mut Writing { epochs, known, last_execution }, batches, places);
        match result {
            Ok(()) => Ok(known.settle()),
            Err(error) => {
                *known = Known::default();
                Err(error)
            }
        }
    }

    /// Ends the opening cleanly: notes how far it came, and leaves one file behind. Everything is durable before and
    /// without it, so where the disk refuses it is left to the next opening.
    pub(super) fn close(self, last_offset: u64) {
        let _ = self.epochs.end(&self.db, last_offset);
        let _ = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
    }
}

impl Known {
    fn settle(&mut self) -> bool {
        if self.executions.len() > MAX_KNOWN {
            self.executions.retain(|_, execution| execution.is_changed());
        }
        if self.foreign_kinds.len() > MAX_KNOWN {
            self.foreign_kinds.clear();
        }
        for id in self.changed.drain(..) {
            if let Some(execution) = self.executions.get_mut(&id) {
                execution.settle();
            }
        }
        std::mem::take(&mut self.renamed)
    }
}

struct Writing<'a> {
    epochs: &'a Epochs,
    known: &'a mut Known,
    last_execution: &'a mut i64,
}

fn write<'a>(
    db: &mut Connection,
    writing: &mut Writing<'_>,
    batches: impl Iterator<Item = &'a Batch>,
    places: &[Place],
) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    writing.events(&transaction, batches)?;
    writing.executions(&transaction)?;
    places::write(&transaction, places)?;
    transaction.commit()
}

impl Writing<'_> {
    fn events<'a>(&mut self, db: &Transaction<'_>, batches: impl Iterator<Item = &'a Batch>) -> rusqlite::Result<()> {
        let mut insert = db.prepare_cached(INSERT_EVENT)?;
        let (mut fields, mut step) = (String::new(), String::new());
        for (cursor, recorded) in batches.flat_map(Batch::iter).filter(|(_, recorded)| recorded.is_logged()) {
            let event = &recorded.event;
            let (Some(id), Some(time)) = (&event.execution_id, event.time) else { continue };
            let execution = self.execution(db, id, time, cursor, recorded)?;
            let kind = self.kind(db, event)?;
            fields.clear();
            event.body.write_object(&mut fields);
            let step_id = event.step_id.as_ref().map(|id| {
                step.clear();
                let _ = write!(step, "{id}");
                step.as_str()
            });
            insert.execute(params![
                cursor.offset.cast_signed(),
                execution,
                recorded.sequence.cast_signed(),
                recorded.pieces.cast_signed(),
                kind,
                recorded.shown,
                step_id,
                time.unix_nanos(),
                fields.as_str(),
            ])?;
        }
        Ok(())
    }

    /// The id of the event's execution, whose row takes in the event.
    fn execution(
        &mut self,
        db: &Transaction<'_>,
        id: &ExecutionId,
        time: Timestamp,
        cursor: Cursor,
        recorded: &Recorded,
    ) -> rusqlite::Result<i64> {
        let execution = match self.known.executions.entry(id.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let row = ExecutionRow::new(id.clone(), time, cursor);
                place.insert(match Execution::find(db, self.epochs, &row)? {
                    Some(found) => found,
                    None => {
                        *self.last_execution = self.last_execution.saturating_add(1);
                        if recorded.elsewhere {
                            runs_elsewhere(db, *self.last_execution)?;
                        }
                        Execution::new(*self.last_execution, row)
                    }
                })
            }
        };
        if !execution.is_changed() {
            self.known.changed.push(id.clone());
        }
        self.known.renamed |= execution.apply(cursor, recorded);
        Ok(execution.id)
    }

    /// The id of the event's kind, by its tag: a tag that this version does not know has one of its own.
    fn kind(&mut self, db: &Transaction<'_>, event: &StreamEvent) -> rusqlite::Result<i64> {
        let (kind, tag) = (event.kind(), event.body.tag());
        let known = match kind {
            Kind::Unknown => self.known.foreign_kinds.get(tag),
            _ => self.known.kinds.get(&kind),
        };
        if let Some(id) = known {
            return Ok(*id);
        }
        db.prepare_cached("INSERT OR IGNORE INTO kinds (tag) VALUES (?1)")?.execute([tag])?;
        let id = db.prepare_cached("SELECT id FROM kinds WHERE tag = ?1")?.query_row([tag], |row| row.get(0))?;
        match kind {
            Kind::Unknown => self.known.foreign_kinds.insert(tag.into(), id),
            _ => self.known.kinds.insert(kind, id),
        };
        Ok(id)
    }

    fn executions(&mut self, db: &Transaction<'_>) -> rusqlite::Result<()> {
        for id in &self.known.changed {
            if let Some(execution) = self.known.executions.get(id) {
                execution.write(db)?;
            }
        }
        Ok(())
    }
}

/// Files of before, and those of whoever takes nothing in, are without the table.
fn runs_elsewhere(db: &Transaction<'_>, execution: i64) -> rusqlite::Result<()> {
    db.execute(schema::ELSEWHERE, ())?;
    db.prepare_cached("INSERT OR IGNORE INTO elsewhere VALUES (?1)")?.execute([execution])?;
    Ok(())
}
