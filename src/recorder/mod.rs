//! The gate: one bounded queue, one thread that numbers what comes through it and feeds hub and log.

mod builder;
mod emitter;
mod ends;
mod executions;
mod handle;
mod intake;
mod item;
mod keeper;
#[cfg(feature = "otlp")]
mod kept;
mod queue;
mod spent;
mod stats;
mod sync;
mod texts;
mod worker;

pub use builder::{QueueLimits, RecorderBuilder};
pub use emitter::EventEmitter;
pub use handle::ExecutionHandle;
pub(crate) use handle::decision;
pub use intake::{Admitted, Intake};
#[cfg(feature = "otlp")]
pub(crate) use kept::{Kept, Newest};
pub use stats::Stats;

use crate::{
    Answer, Cursor, Error, EventLog, ExecutionId, Pending, StreamEvent, Timestamp,
    control::Running,
    event::{Class, Concept, Life, StreamMode},
    hub::{EventStream, Filter, From, Hub},
    policy::Redactor,
};
use ends::Ends;
use intake::Delegated;
use item::{Item, Waiter};
use queue::{Pushed, Queue};
use stats::Counters;
use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    thread::{JoinHandle, Thread},
    time::Duration,
};
use worker::TAKE;

/// Numbers events, shows them, keeps them.
///
/// Works with no async runtime and on any. Cheap to clone; all clones are one recorder. When the last clone and the
/// last emitter are gone it shuts down, waiting up to five seconds for the log; [`shutdown`](Recorder::shutdown) does
/// so at a moment of your choice.
#[derive(Clone)]
pub struct Recorder(Arc<Owner>);

/// Ends the thread when the last handle is gone. The thread itself holds only [`Shared`].
struct Owner {
    shared: Arc<Shared>,
    hub: Hub,
    log: Option<Arc<dyn EventLog>>,
    recovered: Vec<ExecutionId>,
    thread: Mutex<Option<JoinHandle<Result<(), Error>>>>,
}

struct Shared {
    queue: Queue<Item>,
    redactor: Arc<Redactor>,
    counters: Counters,
    /// Offset of the last event that the log was to have and could not keep; 0 where it could keep all.
    lost_to: AtomicU64,
    ends: Ends,
    running: Running,
    /// Who wants events: bits [`HUB`] and [`LOG`]; none after shutdown began.
    wanted: AtomicU8,
    closing: AtomicBool,
    /// The worker is no more: what is pushed now is taken by nobody.
    gone: AtomicBool,
    /// True while the worker sleeps until it is woken, and for ever once it is gone.
    sleeping: AtomicBool,
    worker: Thread,
}

const HUB: u8 = 1;
const LOG: u8 = 2;

/// How long the last handle waits for the log when it is dropped.
const DROP_LIMIT: Duration = Duration::from_secs(5);

impl Recorder {
    /// Settings for a recorder.
    pub fn builder() -> RecorderBuilder {
        RecorderBuilder::default()
    }

    /// An emitter for a new execution.
    pub fn emitter(&self) -> EventEmitter {
        EventEmitter::of(self.clone(), ExecutionId::new())
    }

    /// Emits an event as it is: with the execution that it names, shown to whoever wants its class.
    pub fn emit(&self, event: impl Into<StreamEvent>) {
        let _ = self.0.shared.emit(event.into(), None, StreamMode::Full);
    }

    /// Whether anyone wants any event now: one atomic load.
    pub fn is_wanted(&self) -> bool {
        self.0.shared.wanted.load(Ordering::Relaxed) != 0
    }

    /// The live side: who watches now.
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// What is kept; none for a recorder without a log.
    pub fn log(&self) -> Option<&Arc<dyn EventLog>> {
        self.0.log.as_ref()
    }

    /// The executions that an earlier process left open, and that were closed as lost at the start.
    pub fn recovered(&self) -> &[ExecutionId] {
        &self.0.recovered
    }

    /// A stream of events, see [`Hub::subscribe`].
    pub fn subscribe(&self, filter: Filter, from: From) -> EventStream {
        self.0.hub.subscribe(filter, from)
    }

    /// Answered when everything emitted before is on disk; without a log, when it is visible.
    ///
    /// # Errors
    /// What the log says; `is_closed` after shutdown.
    pub fn flush(&self) -> Pending<Cursor> {
        self.0.shared.ask(|answer| Item::Flush(Waiter::Flush(answer)))
    }

    /// Answered when everything emitted before is visible in the hub.
    pub fn settle(&self) -> Pending<Cursor> {
        self.0.shared.ask(Item::Settle)
    }

    /// Whether the queue is past its lock-free part: edges that can wait do so before they put more in line.
    #[cfg(feature = "serve")]
    pub(crate) fn is_pressed(&self) -> bool {
        self.0.shared.queue.is_pressed()
    }

    /// Sends an event the way that all go, for who wants to know whether it is open: it is numbered and passes the hub,
    /// is shown to nobody and kept nowhere. False where there is no live side to send it to.
    #[cfg(feature = "serve")]
    pub(crate) fn probe(&self) -> bool {
        let live = self.0.shared.wanted.load(Ordering::Relaxed) & HUB != 0;
        if live {
            let event = StreamEvent::new(crate::event::Ping::new()).at(Timestamp::now());
            self.0.shared.push(Item::Event(event, false));
        }
        live
    }

    /// Whether this is the thread that numbers events, and on which a log of the user's may run.
    pub(crate) fn is_this_thread(&self) -> bool {
        self.0.shared.worker.id() == std::thread::current().id()
    }

    /// Code of the user's panicked while something was read for the record.
    pub(crate) fn callback_panicked(&self) {
        self.0.shared.counters.callback_panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Calls `hook` on the thread that ends an execution, once its last event is in line and before the program goes on.
    #[cfg(feature = "terminal")]
    pub(crate) fn on_execution_end(&self, hook: ends::OnEnd) {
        self.0.shared.ends.install(hook);
    }

    /// What the gate did so far.
    pub fn stats(&self) -> Stats {
        self.0.shared.counters.read(self.0.shared.queue.bytes())
    }

    /// Takes no more events, records and keeps those that wait, closes log and hub. Waits for it `limit` at the
    /// longest; blocks the thread, on any runtime or none. A second call finds nothing to do.
    ///
    /// # Errors
    /// `is_timed_out` when it took longer; it goes on in the background then, and a further call waits on. What the log
    /// says, when not everything could be kept.
    pub fn shutdown(&self, limit: Duration) -> Result<(), Error> {
        self.0.shutdown(limit)
    }
}

impl Owner {
    fn shutdown(&self, limit: Duration) -> Result<(), Error> {
        self.shared.close();
        let mut slot = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(thread) = slot.take() else { return Ok(()) };
        // A handle dropped by the worker itself (inside a log of the user's) cannot wait for it.
        if thread.thread().id() == std::thread::current().id() {
            return Ok(());
        }
        let deadline = crate::time::deadline(limit);
        while !thread.is_finished() {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                *slot = Some(thread);
                return Err(Error::timed_out(format!("the recorder did not shut down within {limit:?}")));
            }
            std::thread::park_timeout(left.min(Duration::from_millis(2)));
        }
        thread.join().unwrap_or_else(|_| Err(Error::closed("the recorder's thread panicked")))
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.shutdown(DROP_LIMIT);
    }
}

impl Shared {
    /// Stamps the event and puts it in line. Never fails, never blocks, needs no runtime. False when it is not in line:
    /// shed, or wanted by nobody.
    fn emit(&self, mut event: StreamEvent, execution_id: Option<&ExecutionId>, mode: StreamMode) -> bool {
        let class = event.class();
        let shown = mode.shows(class);
        // Also of what nobody is shown: it runs all the same, and may be steered.
        self.follow(&event, execution_id);
        if !self.wants(class, shown) {
            self.not_wanted();
            return false;
        }
        if event.execution_id.is_none() {
            event.execution_id = execution_id.cloned();
        }
        self.prepare(&mut event);
        let end = self.ends.of(&event);
        let pushed = self.push(Item::Event(event, shown));
        if let Some(end) = end {
            end.tell();
        }
        !matches!(pushed, Pushed::Shed(_))
    }

    /// The same of an event that somebody else made. Nothing is believed of it before the worker knows whose it is: it
    /// begins and ends nothing that can be steered here.
    fn emit_delegated(&self, mut delegated: Delegated) -> bool {
        if !self.wants(delegated.event.class(), true) {
            self.not_wanted();
            return false;
        }
        self.prepare(&mut delegated.event);
        !matches!(self.push(Item::Delegated(Box::new(delegated))), Pushed::Shed(_))
    }

    #[inline]
    fn prepare(&self, event: &mut StreamEvent) {
        if event.time.is_none() {
            event.time = Some(Timestamp::now());
        }
        // The queue is bounded in bytes: one huge field must not have its event shed.
        if self.redactor.is_too_large(event) {
            self.redactor.treat_event(event);
        }
    }

    /// An execution can be steered from its first event to its last.
    #[inline]
    fn follow(&self, event: &StreamEvent, execution_id: Option<&ExecutionId>) {
        match (event.kind().life(), event.execution_id.as_ref().or(execution_id)) {
            (Life::Opens(Concept::Execution), Some(id)) => self.running.begin(id),
            (Life::Closes(Concept::Execution), Some(id)) => self.running.end(id),
            _ => {}
        }
    }

    /// Whether anyone wants an event: one atomic load. The log wants pieces too, to keep their whole.
    fn wants(&self, class: Class, shown: bool) -> bool {
        let wanted = self.wanted.load(Ordering::Relaxed);
        (shown && wanted & HUB != 0) || (wanted & LOG != 0 && class != Class::Transport)
    }

    fn not_wanted(&self) {
        if self.closing.load(Ordering::Relaxed) {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    fn push(&self, item: Item) -> Pushed {
        let pushed = self.queue.push(item);
        match pushed {
            // In one total order with the worker's steps: either it sees the item, or this sees that it sleeps.
            Pushed::Queued if !self.sleeping.load(Ordering::SeqCst) => {}
            Pushed::Queued | Pushed::Overflowed => self.wake(),
            other => self.counters.pushed(other),
        }
        pushed
    }

    #[cold]
    fn wake(&self) {
        if self.gone.load(Ordering::SeqCst) {
            self.refuse_rest();
        } else if self.sleeping.swap(false, Ordering::SeqCst) {
            self.worker.unpark();
        }
    }

    /// What came too late for the worker is counted, and questions are answered by being dropped.
    fn refuse_rest(&self) {
        let mut late = Vec::new();
        loop {
            self.queue.take(TAKE, &mut late);
            let events = late.drain(..).filter(|item| item.event().is_some()).count();
            self.counters.refused.fetch_add(events as u64, Ordering::Relaxed);
            if self.queue.is_empty() {
                return;
            }
        }
    }

    fn ask<T>(&self, question: impl FnOnce(Answer<T>) -> Item) -> Pending<T> {
        if self.closing.load(Ordering::Acquire) {
            return Pending::ready(Err(Error::closed("the recorder has shut down")));
        }
        let (answer, pending) = Pending::asked();
        self.push(question(answer));
        // Who asks does not wait for the worker to look by itself.
        match self.gone.load(Ordering::SeqCst) {
            true => self.refuse_rest(),
            false => self.worker.unpark(),
        }
        pending
    }

    fn close(&self) {
        self.wanted.store(0, Ordering::Release);
        self.closing.store(true, Ordering::Release);
        self.worker.unpark();
    }

    /// The worker's last word, also when it panicked: from now on nobody waits for it.
    fn end(&self) {
        self.wanted.store(0, Ordering::Release);
        self.closing.store(true, Ordering::Release);
        self.gone.store(true, Ordering::SeqCst);
        self.sleeping.store(true, Ordering::SeqCst);
        self.refuse_rest();
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("hub", &self.0.hub)
            .field("log", &self.0.log)
            .field("stats", &self.stats())
            .finish()
    }
}
