//! How a log file is opened: by one at a time, and never changed unless it is ours.

use super::{Durability, SqliteLogBuilder, epochs::Epochs, fault, schema};
use crate::Error;
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{
    fs::{File, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a person who writes to the file with another tool is waited for before a commit counts as failed.
const BUSY_LIMIT: Duration = Duration::from_secs(2);

/// A log file that is ours and ours alone.
pub(super) struct Opened {
    pub(super) path: PathBuf,
    pub(super) lock: Lock,
    pub(super) db: Connection,
    pub(super) epochs: Epochs,
    /// Executions of its process that were running when the log was last written.
    pub(super) running: Vec<i64>,
}

pub(super) fn open(builder: &SqliteLogBuilder) -> Result<Opened, Error> {
    let path = resolve(&builder.path)?;
    let lock = lock(&path)?;
    check_beginning(&path)?;
    let mut db = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    schema::check_or_create(&mut db, &path)?;
    let begin = || {
        tune(&db, builder)?;
        schema::complete(&db);
        let running = running(&db)?;
        Ok((Epochs::begin(&db)?, running))
    };
    let (epochs, running) =
        begin().map_err(|source| fault(&path, "it cannot be opened; nothing was deleted", source))?;
    Ok(Opened { path, lock, db, epochs, running })
}

/// One file has one name here, so that it has one lock: links are followed.
fn resolve(path: &Path) -> Result<PathBuf, Error> {
    if path.as_os_str().is_empty() {
        return Err(Error::config("log path is empty: a file name is accepted"));
    }
    path.canonicalize()
        .or_else(|_| std::path::absolute(path))
        .map_err(|source| Error::io(format!("log {}: no such place", path.display())).with_source(source))
}

/// That the log is ours. It is given back, not only closed: a process that this program starts at that moment has a copy
/// of the descriptor until it runs its own program, and "the lock is released either by an explicit LOCK_UN operation on
/// any of these duplicate file descriptors, or when all such file descriptors have been closed" (flock(2)).
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

fn lock(path: &Path) -> Result<Lock, Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let cannot =
        |source| Error::io(format!("log {}: cannot lock {}", path.display(), name.display())).with_source(source);
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&name).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => {
            sign(&mut file);
            Ok(Lock(file))
        }
        Err(TryLockError::WouldBlock) => Err(in_use(path, &mut file)),
        Err(TryLockError::Error(source)) => Err(cannot(source)),
    }
}

/// Writes who holds the lock, for the message that the next one gets. The lock holds without it.
fn sign(file: &mut File) {
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
}

fn in_use(path: &Path, file: &mut File) -> Error {
    let mut holder = String::new();
    let _ = file.take(20).read_to_string(&mut holder);
    let (by, then) = match holder.parse::<u32>() {
        Ok(id) if id == std::process::id() => ("by this process".to_owned(), "drop what holds it"),
        Ok(id) => (format!("by process {id}"), "end that one"),
        Err(_) => ("elsewhere".to_owned(), "end that one"),
    };
    Error::in_use(format!(
        "log {}: already open {by}; one writer at a time: {then} first, or give this one another path",
        path.display()
    ))
}

/// SQLite takes a file that is too short for its header for an empty one and writes over it; we do not. With a journal
/// beside it, it is a file that SQLite was about to make, and knows how to go on with.
fn check_beginning(path: &Path) -> Result<(), Error> {
    // How long a folder is, only its file system knows.
    let length = path.metadata().map_or(0, |file| if file.is_file() { file.len() } else { 0 });
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    if (1..MIN_FILE_BYTES).contains(&length) && !Path::new(&journal).exists() {
        let message = format!("log {}: no SQLite file; nothing was changed: use another path", path.display());
        return Err(Error::corrupt(message));
    }
    Ok(())
}

/// The smallest page of SQLite's, and so the shortest file.
const MIN_FILE_BYTES: u64 = 512;

/// A connection used by one thread at a time. The path is a path, never a URI.
pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    let open = || {
        let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        db.busy_timeout(BUSY_LIMIT)?;
        db.pragma_update(None, "cell_size_check", true)?;
        // A plan is made once, not anew for each page's offset.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(db)
    };
    open().map_err(|source| fault(path, "it cannot be opened", source))
}

fn tune(db: &Connection, builder: &SqliteLogBuilder) -> rusqlite::Result<()> {
    db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", if builder.durability == Durability::Full { "full" } else { "normal" })?;
    db.pragma_update(None, "journal_size_limit", MAX_IDLE_JOURNAL_BYTES)?;
    db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    db.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    if let Some(pages) = builder.max_pages {
        db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    Ok(())
}

/// Pages of the write-ahead log between checkpoints: 16 MiB. SQLite's own 1000 writes pages of the indexes to the file
/// after each large group, and syncs twice for it; with 4000 appending is a fifth faster.
const CHECKPOINT_PAGES: i64 = 4000;

/// Pages of the indexes that many executions at a time touch, in KiB.
const WRITER_CACHE_KIB: i64 = 16 << 10;

/// What a burst may leave of the write-ahead log.
const MAX_IDLE_JOURNAL_BYTES: i64 = 64 << 20;

/// What runs in another process was not ended with ours.
fn running(db: &Connection) -> rusqlite::Result<Vec<i64>> {
    let here = if schema::has_table(db, "elsewhere")? { "AND id NOT IN (SELECT execution FROM elsewhere)" } else { "" };
    let sql = format!("SELECT id FROM executions WHERE status = 'running' {here} ORDER BY id");
    let mut statement = db.prepare(&sql)?;
    let rows = statement.query_map((), |row| row.get(0))?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::lock;

    #[test]
    fn a_log_that_is_closed_can_be_opened_though_a_process_that_begins_has_its_descriptors() {
        let path = std::env::temp_dir().join(format!("spanwright-lock-{}", std::process::id()));
        let held = lock(&path).expect("lock");
        let _copy = held.0.try_clone().expect("as a fork copies it");
        assert!(lock(&path).is_err_and(|error| error.is_in_use()), "one at a time");
        drop(held);
        let again = lock(&path).map(drop);
        let _ = std::fs::remove_file(path.with_extension("lock"));
        again.expect("given back");
    }
}
