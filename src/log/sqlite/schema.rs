//! The tables, as `docs/log.md` describes them for a person with any SQLite tool.

use super::fault;
use crate::Error;
use rusqlite::Connection;
use std::path::Path;

/// Version of the tables, kept as SQLite's `user_version`.
pub(super) const VERSION: i64 = 1;

/// SQLite's `application_id` of our files: "span" in ASCII.
const APPLICATION: i64 = 0x7370_616e;

/// Offsets are `i64` here as SQLite has no other; an epoch is 64 random bits and stored with the same bits.
const TABLES: &str = "
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE epochs (
    opening      INTEGER PRIMARY KEY,
    epoch        INTEGER NOT NULL UNIQUE,
    first_offset INTEGER NOT NULL,
    opened_ns    INTEGER NOT NULL,
    last_offset  INTEGER
);

CREATE TABLE kinds (
    id  INTEGER PRIMARY KEY,
    tag TEXT NOT NULL UNIQUE
);

CREATE TABLE executions (
    id           INTEGER PRIMARY KEY,
    execution_id TEXT NOT NULL UNIQUE,
    name         TEXT,
    session_id   TEXT,
    tenant_id    TEXT,
    user_id      TEXT,
    status       TEXT NOT NULL,
    started_ns   INTEGER NOT NULL,
    ended_ns     INTEGER,
    events       INTEGER NOT NULL,
    pieces       INTEGER NOT NULL,
    last_offset  INTEGER NOT NULL
);
CREATE INDEX executions_by_start ON executions (started_ns);
CREATE INDEX executions_of_session ON executions (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX executions_running ON executions (id) WHERE status = 'running';

CREATE TABLE events (
    event_offset INTEGER PRIMARY KEY,
    execution    INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    pieces       INTEGER NOT NULL,
    kind         INTEGER NOT NULL,
    shown        INTEGER NOT NULL,
    step_id      TEXT,
    time_ns      INTEGER NOT NULL,
    fields       TEXT NOT NULL
);
CREATE INDEX events_of_execution ON events (execution);

CREATE VIEW record AS
SELECT e.event_offset, x.execution_id, e.sequence, k.tag AS type, e.step_id,
       strftime('%Y-%m-%dT%H:%M:%S', e.time_ns / 1000000000, 'unixepoch')
           || printf('.%09dZ', e.time_ns % 1000000000) AS time,
       e.fields
FROM events e LEFT JOIN executions x ON x.id = e.execution LEFT JOIN kinds k ON k.id = e.kind;
";

/// What came after the first files of this version were written: what nobody has to know to read and write the record.
const LATER: &str = "
CREATE INDEX IF NOT EXISTS executions_of_tenant ON executions (tenant_id, started_ns) WHERE tenant_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS executions_by_status ON executions (status, started_ns);
";

/// Executions that run in other processes. Made with the first of them, in its transaction.
pub(super) const ELSEWHERE: &str = "CREATE TABLE IF NOT EXISTS elsewhere (execution INTEGER PRIMARY KEY)";

/// Whether the file has a table that is made only when it is needed.
pub(super) fn has_table(db: &Connection, name: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT count(*) FROM sqlite_schema WHERE name = ?1")?.query_row([name], |row| row.get(0))
}

/// Gives an older file what it lacks. One that cannot take it, damaged or full, is read without: more slowly, and no worse.
pub(super) fn complete(db: &Connection) {
    let _ = db.execute_batch(LATER);
}

/// Makes sure that the file is ours and of a version that is read; an empty one becomes ours. Nothing else is written.
pub(super) fn check_or_create(db: &mut Connection, path: &Path) -> Result<(), Error> {
    let read = |sql| db.query_row(sql, (), |row| row.get::<_, i64>(0)).map_err(|source| unreadable(path, source));
    let version = read("PRAGMA user_version")?;
    let application = read("PRAGMA application_id")?;
    let tables = read("SELECT count(*) FROM sqlite_schema")?;
    match (application, version, tables) {
        (APPLICATION, VERSION, _) => Ok(()),
        (0, 0, 0) => create(db).map_err(|source| fault(path, "its tables cannot be made", source)),
        (APPLICATION, newer, _) if newer > VERSION => Err(Error::config(format!(
            "log {}: written by a newer version of spanwright (schema {newer}, this one reads {VERSION}); \
             nothing was changed: use that version, or another path",
            path.display()
        ))),
        _ => Err(Error::config(format!(
            "log {}: an SQLite file of another program; nothing was changed: use another path",
            path.display()
        ))),
    }
}

fn create(db: &mut Connection) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute_batch(TABLES)?;
    transaction.execute(
        "INSERT INTO meta VALUES ('format', 'spanwright log'), ('created_by', ?1), ('described_in', 'docs/log.md')",
        [concat!("spanwright ", env!("CARGO_PKG_VERSION"))],
    )?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

fn unreadable(path: &Path, source: rusqlite::Error) -> Error {
    let advice = "it cannot be read; nothing was changed: move it aside to begin a new record \
                  (`sqlite3 <file> .recover` saves what can be saved)";
    fault(path, advice, source)
}
