//! The thread that writes: gathers what comes in, commits it as one, and only then says so.

use super::{Shared, fault, group::Backlog, opening::Lock, places::Place, store::Store};
use crate::{Error, event::Batch, log::place, pending::Answer};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

/// What the writing thread is asked to do.
pub(super) enum Task {
    Append(Arc<Batch>, Answer<()>),
    Flush(Answer<()>),
    KeepPlace(Place),
    Close(Answer<()>),
}

/// The writing thread's state.
pub(super) struct Writer {
    tasks: Receiver<Task>,
    store: Store,
    shared: Arc<Shared>,
    window: Duration,
    path: PathBuf,
    /// Taken, not committed yet, in order.
    waiting: Backlog,
    flushes: Vec<Answer<()>>,
    /// To be kept with the next transaction, in order.
    places: Vec<Place>,
    /// The last offset taken.
    taken_to: u64,
    /// When to commit; none while nothing waits.
    due: Option<Instant>,
    /// How long the next try is put off, while commits fail.
    retry: Option<Duration>,
    closing: Option<Closing>,
}

struct Closing {
    answer: Option<Answer<()>>,
    give_up: Instant,
}

/// Flushes, and places, that are gathered before the first is answered.
const MAX_GATHERED: usize = 1024;
/// The first wait after a failed commit, doubled with each further one.
const RETRY_MIN: Duration = Duration::from_millis(100);
/// The longest: space that returns to a full disk is noticed within this.
const RETRY_MAX: Duration = Duration::from_millis(800);
/// How long a log that is closing tries to commit what it holds.
const CLOSE_PATIENCE: Duration = Duration::from_secs(30);

impl Writer {
    pub(super) fn new(
        tasks: Receiver<Task>,
        store: Store,
        shared: Arc<Shared>,
        window: Duration,
        path: PathBuf,
    ) -> Self {
        let taken_to = store.opened_at().offset;
        Self {
            tasks,
            store,
            shared,
            window,
            path,
            waiting: Backlog::default(),
            flushes: Vec::new(),
            places: Vec::new(),
            taken_to,
            due: None,
            retry: None,
            closing: None,
        }
    }

    /// Until the log is closed or dropped. `stop_reading` ends the other connection, so that this one is the last.
    pub(super) fn run(mut self, stop_reading: impl FnOnce(), lock: Lock) {
        while !self.is_done() {
            self.gather();
            self.commit_all();
        }
        stop_reading();
        let Self { store, closing, waiting, taken_to, .. } = self;
        store.close(waiting.first_offset().map_or(taken_to, |lost| lost.saturating_sub(1)));
        drop(lock);
        if let Some(answer) = closing.and_then(|closing| closing.answer) {
            answer.give(match waiting.len() {
                0 => Ok(()),
                lost => Err(Error::io(format!("log {}: closed with {lost} batches not written", self.path.display()))),
            });
        }
    }

    fn is_done(&self) -> bool {
        let closing = self.closing.as_ref();
        closing.is_some_and(|closing| self.waiting.is_empty() || closing.give_up <= Instant::now())
    }

    /// Takes what comes until a commit is due. What comes after a close is not taken any more.
    fn gather(&mut self) {
        if self.closing.is_some() {
            let due = self.due.filter(|_| self.retry.is_some());
            return due.into_iter().for_each(|due| std::thread::sleep(due.saturating_duration_since(Instant::now())));
        }
        while !self.is_due() {
            let task = match self.due {
                None => self.tasks.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => self.tasks.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            match task {
                Ok(task) => self.take(task),
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => return self.close(None),
            }
        }
    }

    /// What is queued already goes along for free, so the clock alone ends nothing before the queue is empty.
    fn is_due(&self) -> bool {
        let gathered = self.flushes.len().max(self.places.len());
        let full = self.waiting.fills_group() || gathered >= MAX_GATHERED;
        self.closing.is_some() || full && self.due.is_some_and(|due| due <= Instant::now())
    }

    fn take(&mut self, task: Task) {
        match task {
            Task::Append(batch, answer) => self.append(batch, answer),
            Task::Flush(answer) => {
                self.flushes.push(answer);
                self.due = Some(Instant::now());
            }
            Task::KeepPlace(place) => self.keep_place(place),
            Task::Close(answer) => self.close(Some(answer)),
        }
    }

    fn append(&mut self, batch: Arc<Batch>, answer: Answer<()>) {
        if let Err(error) = self.check(&batch) {
            return answer.give(Err(error));
        }
        self.taken_to = batch.end().saturating_sub(1);
        self.waiting.push(batch, answer);
        let now = Instant::now();
        match self.retry {
            None if self.waiting.fills_group() => self.due = Some(now),
            _ => self.due = self.due.or_else(|| now.checked_add(self.window)),
        }
    }

    fn keep_place(&mut self, place: Place) {
        let durable_to = self.shared.read_to.load(Ordering::Acquire);
        let Place { name, offset, .. } = &place;
        if let Err(error) = place::check_name(name).and_then(|()| place::check_offset(*offset, durable_to)) {
            return place.answer.give(Err(error));
        }
        self.places.push(place);
        let now = Instant::now();
        match self.places.len() {
            MAX_GATHERED.. => self.due = Some(now),
            _ => self.due = self.due.or_else(|| now.checked_add(self.window)),
        }
    }

    /// Offsets only rise, or cursors would not mean what they say.
    fn check(&self, batch: &Batch) -> Result<(), Error> {
        let epoch = self.store.opened_at().epoch;
        if batch.first.epoch == epoch && batch.first.offset > self.taken_to {
            return Ok(());
        }
        let message =
            format!("batch at {}: one of epoch {epoch:016x} after {} is accepted", batch.first, self.taken_to);
        Err(Error::invalid(message))
    }

    fn close(&mut self, answer: Option<Answer<()>>) {
        let now = Instant::now();
        self.due = Some(now);
        self.closing = Some(Closing { answer, give_up: now + CLOSE_PATIENCE });
    }

    /// Commits group after group until nothing waits, or one fails.
    fn commit_all(&mut self) {
        while !self.waiting.is_empty() || !self.places.is_empty() {
            if let Err(error) = self.commit_group() {
                return self.fail(&error);
            }
        }
        (self.due, self.retry) = (None, None);
        self.shared.committed(self.taken_to);
        self.flushes.drain(..).for_each(|answer| answer.give(Ok(())));
    }

    /// Nothing is acknowledged before the commit has returned. Events that failed together with places are tried again
    /// at once without them: it may have been the places.
    fn commit_group(&mut self) -> Result<(), Error> {
        let renamed = match self.store.write(self.waiting.group(), &self.places) {
            Ok(renamed) => renamed,
            Err(source) if !self.places.is_empty() => {
                self.give_up_places(source);
                return Ok(());
            }
            Err(source) => {
                return Err(fault(&self.path, "events are not written yet, and will be tried again", source));
            }
        };
        self.places.drain(..).for_each(|place| place.answer.give(Ok(())));
        if renamed {
            self.shared.renamed();
        }
        for (batch, answer) in self.waiting.take_group() {
            self.shared.committed(batch.end().saturating_sub(1));
            answer.give(Ok(()));
        }
        Ok(())
    }

    /// Those who wait hear of it: a reader whose place stays where it was reads again what it has read.
    fn give_up_places(&mut self, source: rusqlite::Error) {
        let error = fault(&self.path, "the place of a reader is not kept", source);
        self.places.drain(..).for_each(|place| place.answer.give(Err(again(&error))));
    }

    /// Those who wait for a flush hear of it; the events are kept and tried again.
    fn fail(&mut self, error: &Error) {
        self.flushes.drain(..).for_each(|answer| answer.give(Err(again(error))));
        let wait = self.retry.unwrap_or(RETRY_MIN);
        self.retry = Some((wait * 2).min(RETRY_MAX));
        self.due = Instant::now().checked_add(wait);
    }
}

/// The same error for one more who waits.
fn again(error: &Error) -> Error {
    let message = error.to_string();
    if error.is_corrupt() { Error::corrupt(message) } else { Error::io(message) }
}
