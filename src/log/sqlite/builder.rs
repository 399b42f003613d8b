//! How a log is set up: its settings, its file, its two threads.

use super::{
    Shared, SqliteLog, fault,
    opening::{self, Opened},
    reader::Reader,
    store::Store,
    writer::Writer,
};
use crate::Error;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

/// What survives a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Durability {
    /// All that was acknowledged: each commit is synced to the disk.
    #[default]
    Full,
    /// A crash of the process takes nothing back, but a power cut may take back what was acknowledged last.
    Normal,
}

/// Settings of a [`SqliteLog`].
#[derive(Debug, Clone)]
#[must_use = "nothing is opened until `open` is called"]
pub struct SqliteLogBuilder {
    pub(super) path: PathBuf,
    pub(super) durability: Durability,
    commit_window: Duration,
    pub(super) max_pages: Option<u32>,
}

/// How long a commit waits for more to come, unless a flush is waiting.
const COMMIT_WINDOW: Duration = Duration::from_millis(5);

impl SqliteLogBuilder {
    pub(super) fn new(path: &Path) -> Self {
        let path = path.to_path_buf();
        Self { path, durability: Durability::Full, commit_window: COMMIT_WINDOW, max_pages: None }
    }

    /// What survives a power cut; everything that was acknowledged unless set otherwise.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How long a commit waits for more to come, so that one sync serves many; 5 ms unless set otherwise. A flush
    /// never waits.
    pub fn commit_window(mut self, window: Duration) -> Self {
        self.commit_window = window;
        self
    }

    /// For tests: the size at which the disk counts as full, in pages of 4 KiB.
    #[doc(hidden)]
    pub fn max_pages(mut self, pages: u32) -> Self {
        self.max_pages = Some(pages);
        self
    }

    /// Opens the log, or begins one where there is none.
    ///
    /// # Errors
    /// As for [`SqliteLog::open`].
    pub fn open(self) -> Result<SqliteLog, Error> {
        let Opened { path, lock, db, epochs, running } = opening::open(&self)?;
        let (epochs, shared) = (Arc::new(epochs), Arc::new(Shared::default()));
        shared.committed(epochs.opened_at().offset);
        let reader = Reader::open(&path, epochs.clone(), shared.clone())?;
        let store = Store::new(db, epochs.clone()).map_err(|source| fault(&path, "it cannot be opened", source))?;
        let (tasks, taken) = mpsc::channel();
        let (questions, asked) = mpsc::channel();
        let stop = reader.stopper(questions.clone());
        let reading = spawn("span-log-read", move || reader.run(asked))?;
        let writer = Writer::new(taken, store, shared.clone(), self.commit_window, path.clone());
        spawn("span-log-write", move || {
            writer.run(
                move || {
                    stop();
                    let _ = reading.join();
                },
                lock,
            );
        })?;
        Ok(SqliteLog { path, epochs, running: running.into(), shared, tasks, questions })
    }
}

/// Systems cut names of threads to 15 bytes.
fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<thread::JoinHandle<()>, Error> {
    let thread = thread::Builder::new().name(name.into()).spawn(run);
    thread.map_err(|source| Error::io(format!("no thread for {name}")).with_source(source))
}
