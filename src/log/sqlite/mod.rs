//! The durable log: one SQLite file, one thread that writes it and one that reads it.

mod back;
mod builder;
mod epochs;
mod execution;
mod group;
mod list;
mod opening;
mod places;
mod reader;
mod recover;
mod rows;
mod schema;
mod store;
mod writer;

use super::{
    EventLog, ExecutionRow, ExecutionsQuery, LoggedEvent, Page, Query, Resolved, SessionRow, SessionsQuery, place,
};
use crate::{
    Cursor, Error, ExecutionId, Pending, Text,
    event::{Batch, OpenThings},
};
use epochs::Epochs;
use places::Place;
use reader::{Question, Reader};
use rusqlite::ErrorCode;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};
use writer::Task;

pub use builder::{Durability, SqliteLogBuilder};

/// A durable record in one SQLite file, which any SQLite tool may read; `docs/log.md` describes its tables.
///
/// One process at a time has it open. What is acknowledged is on disk. Dropping it flushes, for 5 seconds at the
/// longest; [`close`](EventLog::close) says how it went.
#[derive(Debug)]
pub struct SqliteLog {
    path: PathBuf,
    epochs: Arc<Epochs>,
    running: Arc<[i64]>,
    shared: Arc<Shared>,
    tasks: mpsc::Sender<Task>,
    questions: mpsc::Sender<Question>,
}

/// What the two threads tell each other.
#[derive(Debug, Default)]
struct Shared {
    /// Everything up to this offset that is to be kept is committed.
    read_to: AtomicU64,
    /// Rises when an execution that readers may know turned out to be of another tenant or user.
    renamed: AtomicU64,
    /// How many places of the file could not be read.
    unreadable: AtomicU64,
    closed: AtomicBool,
}

impl Shared {
    fn committed(&self, offset: u64) {
        self.read_to.store(offset, Ordering::Release);
    }

    fn renamed(&self) {
        self.renamed.fetch_add(1, Ordering::Release);
    }
}

/// How long dropping a log may take.
const DROP_LIMIT: Duration = Duration::from_secs(5);

impl SqliteLog {
    /// Opens the log in this file, or begins one.
    ///
    /// # Errors
    /// `is_in_use` when it is open already; `is_corrupt` when the file is damaged or no SQLite file; `is_config` when
    /// it belongs to another program or a newer version; `is_io` when the system refuses. No error changes the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::builder(path).open()
    }

    /// Settings for a log in this file.
    pub fn builder(path: impl AsRef<Path>) -> SqliteLogBuilder {
        SqliteLogBuilder::new(path.as_ref())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many rows were left out of what was read since the log was opened, because they are damaged. A damaged
    /// stretch of the file, whose rows cannot be told apart, counts as one.
    pub fn unreadable_rows(&self) -> u64 {
        self.shared.unreadable.load(Ordering::Relaxed)
    }

    /// A log that has shut down drops the question, which answers it.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Reader) -> Result<T, Error> + Send + 'static,
    ) -> Pending<T> {
        let (answer, pending) = Pending::asked();
        let _ = self.questions.send(Box::new(move |reader| answer.give(question(reader))));
        pending
    }

    fn tell(&self, task: impl FnOnce(crate::pending::Answer<()>) -> Task) -> Pending<()> {
        let (answer, pending) = Pending::asked();
        let _ = self.tasks.send(task(answer));
        pending
    }
}

/// An error of SQLite's in our words.
fn fault(path: &Path, what: &str, source: rusqlite::Error) -> Error {
    let message = format!("log {}: {what}", path.display());
    let error = match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::corrupt(message),
        Some(ErrorCode::OperationInterrupted) => Error::closed(message),
        Some(_) => Error::io(message),
        None => Error::corrupt(message),
    };
    error.with_source(source)
}

impl EventLog for SqliteLog {
    fn opened_at(&self) -> Cursor {
        self.epochs.opened_at()
    }

    fn unfinished(&self) -> Pending<Vec<OpenThings>> {
        let (running, until) = (self.running.clone(), self.opened_at().offset);
        self.ask(move |reader| recover::unfinished(reader, &running, until))
    }

    fn append(&self, batch: Arc<Batch>) -> Pending<()> {
        self.tell(|answer| Task::Append(batch, answer))
    }

    fn flush(&self) -> Pending<()> {
        self.tell(Task::Flush)
    }

    fn read(&self, query: Query) -> Pending<Page> {
        self.ask(move |reader| reader.page(&query))
    }

    fn last_before(&self, id: ExecutionId, offset: u64) -> Pending<Option<LoggedEvent>> {
        self.ask(move |reader| reader.last_before(&id, offset))
    }

    fn resolve(&self, cursor: Cursor) -> Pending<Resolved> {
        let epochs = self.epochs.clone();
        self.ask(move |_| Ok(epochs.resolve(cursor)))
    }

    fn executions(&self, query: ExecutionsQuery) -> Pending<Vec<ExecutionRow>> {
        self.ask(move |reader| reader.executions(&query))
    }

    fn execution(&self, id: ExecutionId) -> Pending<Option<ExecutionRow>> {
        self.ask(move |reader| reader.execution(&id))
    }

    fn sessions(&self, query: SessionsQuery) -> Pending<Vec<SessionRow>> {
        self.ask(move |reader| reader.sessions(&query))
    }

    fn place(&self, name: Text) -> Pending<Option<u64>> {
        self.ask(move |reader| place::check_name(&name).and_then(|()| reader.place(&name)))
    }

    fn keep_place(&self, name: Text, offset: u64) -> Pending<()> {
        self.tell(|answer| Task::KeepPlace(Place { name, offset, answer }))
    }

    fn close(&self) -> Pending<()> {
        self.tell(Task::Close)
    }
}

impl Drop for SqliteLog {
    /// A log that was closed answers at once.
    fn drop(&mut self) {
        let _ = self.close().wait(DROP_LIMIT);
    }
}
