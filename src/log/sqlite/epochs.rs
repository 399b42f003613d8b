//! The openings of a log: which offsets each of them gave out.

use super::places;
use crate::{Cursor, Timestamp, log::Resolved};
use rusqlite::{Connection, params};

/// Every opening, in order, the present one last.
#[derive(Debug)]
pub(super) struct Epochs(Vec<Opening>);

#[derive(Debug, Clone, Copy)]
struct Opening {
    epoch: u64,
    first_offset: u64,
}

impl Epochs {
    /// Enters a new opening, whose offsets go on after the last that is known to have been given out.
    pub(super) fn begin(db: &Connection) -> rusqlite::Result<Self> {
        let mut epochs = Self::read(db)?;
        let epoch = epochs.fresh();
        let first_offset = epochs.last_offset(db)?.saturating_add(1);
        db.execute(
            "INSERT INTO epochs (epoch, first_offset, opened_ns) VALUES (?1, ?2, ?3)",
            params![epoch.cast_signed(), first_offset.cast_signed(), Timestamp::now().unix_nanos()],
        )?;
        epochs.0.push(Opening { epoch, first_offset });
        Ok(epochs)
    }

    fn read(db: &Connection) -> rusqlite::Result<Self> {
        let mut statement = db.prepare("SELECT epoch, first_offset FROM epochs ORDER BY opening")?;
        let openings = statement.query_map((), |row| {
            let (epoch, first): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok(Opening { epoch: epoch.cast_unsigned(), first_offset: first.cast_unsigned() })
        })?;
        Ok(Self(openings.collect::<rusqlite::Result<_>>()?))
    }

    fn fresh(&self) -> u64 {
        loop {
            let epoch = fastrand::u64(1..);
            if !self.0.iter().any(|opening| opening.epoch == epoch) {
                return epoch;
            }
        }
    }

    /// Of what was kept, of what a clean end says was given out without being kept, of where openings began, and of
    /// what is settled for readers: pieces may follow the last event that was kept, and what would be given their
    /// offsets after a crash would be passed over.
    fn last_offset(&self, db: &Connection) -> rusqlite::Result<u64> {
        let kept: Option<i64> = db.query_row("SELECT max(event_offset) FROM events", (), |row| row.get(0))?;
        let said: Option<i64> = db.query_row("SELECT max(last_offset) FROM epochs", (), |row| row.get(0))?;
        let begun = self.0.last().map_or(0, |opening| opening.first_offset.saturating_sub(1));
        Ok(kept.max(said).max(places::furthest(db)?).map_or(0, i64::cast_unsigned).max(begun))
    }

    /// Notes at a clean end how far the present opening came.
    pub(super) fn end(&self, db: &Connection, last_offset: u64) -> rusqlite::Result<()> {
        let epoch = self.opened_at().epoch.cast_signed();
        db.execute("UPDATE epochs SET last_offset = ?2 WHERE epoch = ?1", [epoch, last_offset.cast_signed()])?;
        Ok(())
    }

    /// The present epoch, and the last offset before it.
    pub(super) fn opened_at(&self) -> Cursor {
        self.0
            .last()
            .map_or(Cursor::new(0, 0), |opening| Cursor::new(opening.epoch, opening.first_offset.saturating_sub(1)))
    }

    /// The cursor of the event with this offset.
    pub(super) fn cursor(&self, offset: u64) -> Cursor {
        let later = self.0.partition_point(|opening| opening.first_offset <= offset);
        let opening = later.checked_sub(1).and_then(|index| self.0.get(index));
        Cursor::new(opening.map_or(0, |opening| opening.epoch), offset)
    }

    /// Where a cursor points. What the present opening gave out is taken as it is: it may not be kept yet.
    pub(super) fn resolve(&self, cursor: Cursor) -> Resolved {
        let Some(index) = self.0.iter().position(|opening| opening.epoch == cursor.epoch) else {
            return Resolved::Unknown;
        };
        match self.0.get(index + 1).map(|next| next.first_offset.saturating_sub(1)) {
            Some(last) if cursor.offset > last => Resolved::Past(last),
            _ => Resolved::At(cursor.offset),
        }
    }
}
