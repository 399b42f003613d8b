//! The open roots of executions that have several: those that have one are known by their status.

use super::{reader::is_damage, rows::unless_damaged, schema};
use crate::{StepId, event::Roots};
use rusqlite::{Connection, Transaction, params};

/// Made with the first of them, in its transaction. `place`: of a root that goes on for others after pauses, these come first.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS roots (execution INTEGER NOT NULL, root INTEGER NOT NULL, \
     place INTEGER NOT NULL, step_id TEXT, PRIMARY KEY (execution, root, place)) WITHOUT ROWID";

/// None where the file has none of this execution, or none that can be read.
pub(super) fn read(db: &Connection, execution: i64) -> rusqlite::Result<Option<Roots>> {
    if !schema::has_table(db, "roots")? {
        return Ok(None);
    }
    let read = || {
        let mut select =
            db.prepare_cached("SELECT root, step_id FROM roots WHERE execution = ?1 ORDER BY root, place")?;
        let mut rows = select.query([execution])?;
        let (mut last, mut roots) = (None, Vec::<Vec<Option<StepId>>>::new());
        while let Some(row) = rows.next()? {
            let step = row.get_ref(1)?.as_str_or_null()?;
            let step = step.map(StepId::parse).transpose().map_err(|_| rusqlite::Error::InvalidQuery)?;
            let root = Some(row.get::<_, i64>(0)?);
            match roots.last_mut().filter(|_| last == root) {
                Some(steps) => steps.push(step),
                None => roots.push(vec![step]),
            }
            last = root;
        }
        Ok((!roots.is_empty()).then(|| Roots::of_steps(roots)))
    };
    match read() {
        Err(error) if is_damage(&error) => Ok(None),
        found => Ok(unless_damaged(found)?.flatten()),
    }
}

/// `stored`: whether the file has some of this execution.
pub(super) fn write(db: &Transaction<'_>, execution: i64, roots: &Roots, stored: bool) -> rusqlite::Result<()> {
    let several = roots.len() > 1;
    if several {
        db.execute(TABLE, ())?;
    }
    if stored {
        db.prepare_cached("DELETE FROM roots WHERE execution = ?1")?.execute([execution])?;
    }
    if several {
        let mut insert = db.prepare_cached("INSERT OR REPLACE INTO roots VALUES (?1, ?2, ?3, ?4)")?;
        for (root, steps) in roots.steps().enumerate() {
            for (place, step) in steps.enumerate() {
                insert.execute(params![execution, root as i64, place as i64, step.map(ToString::to_string)])?;
            }
        }
    }
    Ok(())
}
