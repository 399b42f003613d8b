//! Where the readers had come that keep their places in the file.

use super::{
    reader::{Reader, is_damage},
    schema,
};
use crate::{Error, Text, pending::Answer};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// A place that is to be kept, and who waits for that.
pub(super) struct Place {
    pub(super) name: Text,
    pub(super) offset: u64,
    pub(super) answer: Answer<()>,
}

/// Made with the first place, in its transaction.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS places (name TEXT PRIMARY KEY, offset INTEGER NOT NULL) WITHOUT ROWID";

/// In the order in which they came, so that a reader's last word counts.
pub(super) fn write(db: &Transaction<'_>, places: &[Place]) -> rusqlite::Result<()> {
    if places.is_empty() {
        return Ok(());
    }
    db.execute(TABLE, ())?;
    let mut keep = db.prepare_cached("INSERT OR REPLACE INTO places (name, offset) VALUES (?1, ?2)")?;
    for Place { name, offset, .. } in places {
        keep.execute(params![name.as_str(), offset.cast_signed()])?;
    }
    Ok(())
}

/// The furthest place. One that is damaged is nobody's: its reader cannot go on from it either.
pub(super) fn furthest(db: &Connection) -> rusqlite::Result<Option<i64>> {
    if !schema::has_table(db, "places")? {
        return Ok(None);
    }
    let sql = "SELECT max(offset) FROM places WHERE typeof(offset) = 'integer'";
    match db.query_row(sql, (), |row| row.get(0)) {
        Err(error) if is_damage(&error) => Ok(None),
        furthest => furthest,
    }
}

impl Reader {
    pub(super) fn place(&mut self, name: &Text) -> Result<Option<u64>, Error> {
        find(&self.db, name).map_err(|source| self.fault(source))
    }
}

fn find(db: &Connection, name: &Text) -> rusqlite::Result<Option<u64>> {
    if !schema::has_table(db, "places")? {
        return Ok(None);
    }
    let mut select = db.prepare_cached("SELECT offset FROM places WHERE name = ?1")?;
    select.query_row([name.as_str()], |row| offset(row.get(0)?)).optional()
}

/// As it was written: no place is below zero.
fn offset(stored: i64) -> rusqlite::Result<u64> {
    u64::try_from(stored).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, stored))
}
