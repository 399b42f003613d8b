//! `EventEmitter`: what a program emits through. It belongs to one execution and has a mode.

use super::Recorder;
use crate::{
    Cursor, Error, ExecutionId, Pending, StreamEvent,
    event::{Class, StreamMode},
    hub::{EventStream, Filter, From},
    log::Scope,
};
use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

/// Emits the events of one execution.
///
/// Emitting never fails, never blocks and needs no async runtime; what is lost is counted in
/// [`Recorder::stats`] and told in the stream. The mode decides what is shown to those who watch; the log keeps
/// everything all the same. Cheap to clone; clones share execution, mode and what [`drain`](EventEmitter::drain) gives.
#[derive(Clone)]
pub struct EventEmitter(Arc<Inner>);

struct Inner {
    recorder: Recorder,
    execution_id: ExecutionId,
    mode: AtomicU8,
    drain: Mutex<EventStream>,
}

/// How long [`EventEmitter::drain`] waits for the recorder to come to the end of what waits, and then for the log.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

impl EventEmitter {
    /// An emitter with a recorder of its own, which keeps nothing: for tests and small programs. Others take theirs
    /// from a [`Recorder`].
    ///
    /// # Errors
    /// `is_io` when no thread can be had.
    pub fn new() -> Result<Self, Error> {
        Self::with_mode(StreamMode::Full)
    }

    /// The same, showing only this mode.
    ///
    /// # Errors
    /// As for [`new`](EventEmitter::new).
    pub fn with_mode(mode: StreamMode) -> Result<Self, Error> {
        let emitter = Recorder::builder().start()?.emitter();
        emitter.set_mode(mode);
        Ok(emitter)
    }

    pub(super) fn of(recorder: Recorder, execution_id: ExecutionId) -> Self {
        let filter = Filter::of(Scope::Execution(execution_id.clone()));
        let drain = Mutex::new(recorder.hub().subscribe_aside(filter, From::Live));
        Self(Arc::new(Inner { recorder, execution_id, mode: AtomicU8::new(StreamMode::Full as u8), drain }))
    }

    /// An emitter on the same recorder, for this execution.
    pub fn for_execution(&self, execution_id: ExecutionId) -> Self {
        let emitter = Self::of(self.0.recorder.clone(), execution_id);
        emitter.set_mode(self.mode());
        emitter
    }

    /// The execution whose events are emitted.
    pub fn execution_id(&self) -> &ExecutionId {
        &self.0.execution_id
    }

    /// The recorder behind it.
    pub fn recorder(&self) -> &Recorder {
        &self.0.recorder
    }

    /// What is shown.
    pub fn mode(&self) -> StreamMode {
        StreamMode::from_u8(self.0.mode.load(Ordering::Relaxed))
    }

    /// Shows only this mode from now on.
    pub fn set_mode(&self, mode: StreamMode) {
        self.0.mode.store(mode as u8, Ordering::Relaxed);
    }

    /// Emits an event. What it leaves open is filled in: this emitter's execution, the time.
    pub fn emit(&self, event: impl Into<StreamEvent>) {
        let _ = self.put_in_line(event.into(), self.mode());
    }

    fn put_in_line(&self, event: StreamEvent, mode: StreamMode) -> bool {
        self.0.recorder.0.shared.emit(event, Some(&self.0.execution_id), mode)
    }

    /// Emits the event that `make` gives, which is only asked when someone wants events of this class: for events that
    /// cost something to make.
    pub fn emit_with<E: Into<StreamEvent>>(&self, class: Class, make: impl FnOnce() -> E) {
        match self.wants(class) {
            true => self.emit(make()),
            false => self.0.recorder.0.shared.not_wanted(),
        }
    }

    /// Whether anyone wants events of this class now: one atomic load.
    pub fn wants(&self, class: Class) -> bool {
        self.0.recorder.0.shared.wants(class, self.mode().shows(class))
    }

    /// Emits an event and shows it whatever the mode.
    pub fn emit_force(&self, event: impl Into<StreamEvent>) {
        let _ = self.put_in_line(event.into(), StreamMode::Full);
    }

    /// Emits an event; answered when it is on disk. Of a piece (class bulk) nothing is kept by itself: then when all
    /// that was emitted before it is.
    ///
    /// # Errors
    /// What the log says; `is_closed` after shutdown; `is_io` when there was no room for the event in the queue.
    pub fn emit_durable(&self, event: impl Into<StreamEvent>) -> Pending<Cursor> {
        match self.put_in_line(event.into(), self.mode()) {
            true => self.0.recorder.flush(),
            false if self.0.recorder.is_wanted() => {
                Pending::ready(Err(Error::io("the event was shed: the queue in front of the recorder is full")))
            }
            false => {
                Pending::ready(Err(Error::closed("nobody takes events: the recorder has shut down or has no log")))
            }
        }
    }

    /// Every event of the execution that was shown since the last call, oldest first. Waits until what was emitted
    /// before is among them; blocks the thread for that.
    pub fn drain(&self) -> Vec<StreamEvent> {
        // Without an answer the recorder is gone; what it had shown is still there.
        let _ = self.0.recorder.settle().wait(DRAIN_LIMIT);
        let mut stream = self.0.drain.lock().unwrap_or_else(PoisonError::into_inner);
        stream.rest(DRAIN_LIMIT)
    }

    /// The execution's events from now on.
    pub fn subscribe(&self) -> EventStream {
        let filter = Filter::of(Scope::Execution(self.0.execution_id.clone()));
        self.0.recorder.subscribe(filter, From::Live)
    }
}

impl fmt::Debug for EventEmitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { execution_id, recorder, .. } = &*self.0;
        f.debug_struct("EventEmitter")
            .field("execution_id", execution_id)
            .field("mode", &self.mode())
            .field("recorder", recorder)
            .finish()
    }
}
