//! A destination at work: its pumps, each on a thread of its own.
//!
//! A pump goes through the log from its place (`record`), reads there what memory has not any more, gives what is finished
//! to its outlet, and moves the place when the outlet says that all of it is settled.

mod batch;
#[cfg(test)]
mod batch_tests;
mod control;
mod found;
mod joint;
mod outlet;
mod place;
mod pump;
mod record;
mod stats;

pub(super) use batch::{Batch, Elements, Sizes};
pub(super) use outlet::{Outlet, Sent};
pub(super) use pump::Settings as PumpSettings;
pub(super) use record::Source;
pub(super) use stats::Counters;
pub use stats::Stats;

use crate::{Error, Pending, otlp::transport::Signal};
use control::Control;
use joint::Share;
use pump::Pump;
use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// A destination at work. It reads the log on from where it came last, and ends when this is dropped: what is not
/// delivered by then is delivered by the next one of the same name on the same log.
#[must_use = "the delivery ends when this is dropped: bind it to a name"]
pub struct Delivery {
    name: String,
    pumps: Vec<Running>,
    /// Whether it was told to end: then dropping it waits for nothing more.
    is_told: AtomicBool,
}

struct Running {
    signal: Signal,
    control: Arc<Control>,
    counters: Arc<Counters>,
    thread: Mutex<Option<JoinHandle<Result<(), Error>>>>,
    /// Whether it ended with something left, or not in time.
    is_left: AtomicBool,
}

/// How long dropping a delivery may take.
const DROP_LIMIT: Duration = Duration::from_secs(5);

impl Delivery {
    pub(crate) fn new(name: String) -> Self {
        Self { name, pumps: Vec::new(), is_told: AtomicBool::new(false) }
    }

    /// Starts to pump what `outlet` makes of the log.
    pub(crate) fn pump(
        &mut self,
        signal: Signal,
        source: Source,
        settings: PumpSettings,
        counters: Arc<Counters>,
        outlet: Box<dyn Outlet>,
    ) -> Result<(), Error> {
        let control = Arc::new(Control::default());
        let pump = Pump::new(source, settings, outlet, counters.clone(), control.clone())?;
        let thread = std::thread::Builder::new()
            .name("spanwright-otlp".into())
            .spawn(move || pump.run())
            .map_err(|source| Error::io("the thread of an OTLP destination").with_source(source))?;
        let (thread, is_left) = (Mutex::new(Some(thread)), AtomicBool::new(false));
        self.pumps.push(Running { signal, control, counters, thread, is_left });
        Ok(())
    }

    /// The destination's name. The log keeps its place under it, or under the address as it is where there is none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Answered when everything that the log has now is settled: accepted by the other side, or given up and counted. What
    /// was emitted and not logged yet is not meant: wait for [`Recorder::flush`](crate::Recorder::flush) before.
    ///
    /// # Errors
    /// `is_io` when it could not be delivered now; it stays in the log and is tried again. `is_closed` after shutdown.
    pub fn flush(&self) -> Pending<()> {
        let (shares, pending) = Share::among(self.pumps.len());
        self.pumps.iter().zip(shares).for_each(|(pump, share)| pump.control.flush(share));
        pending
    }

    /// What became of what was to be delivered so far, since this start; all zero for a signal that is not sent.
    pub fn stats(&self, signal: Signal) -> Stats {
        self.pumps.iter().find(|pump| pump.signal == signal).map(|pump| pump.counters.read()).unwrap_or_default()
    }

    /// The signals that are sent.
    pub fn signals(&self) -> impl Iterator<Item = Signal> {
        self.pumps.iter().map(|pump| pump.signal)
    }

    /// Tries once more to deliver what the log has, and ends. Waits for it `limit` at the longest; blocks the thread, on
    /// any runtime or none. A second call finds nothing to do. The log has to be open until then.
    ///
    /// # Errors
    /// `is_io` when something could not be delivered: it stays in the log for the next one of the same name.
    /// `is_timed_out` when it took longer than `limit`; then it ends with the request that is under way.
    pub fn shutdown(&self, limit: Duration) -> Result<(), Error> {
        let deadline = crate::time::deadline(limit);
        self.stop(deadline);
        let ends = self.pumps.iter().map(|pump| pump.join(deadline)).collect::<Vec<_>>();
        ends.into_iter().find_map(Result::err).map_or(Ok(()), Err)
    }

    /// What a person should know after the shutdown, a line each.
    pub(crate) fn losses(&self) -> Vec<String> {
        self.pumps.iter().flat_map(|pump| self.losses_of(pump)).collect()
    }

    fn losses_of(&self, pump: &Running) -> Vec<String> {
        let (name, signal, stats) = (&self.name, pump.signal, pump.counters.read());
        let why = stats.last_error.as_deref().unwrap_or("it did not answer in time");
        let lost = stats.rejected + stats.dropped;
        let refused = format!("{name}: {lost} of the {signal} were refused: {why}");
        let left = format!("{name}: not all {signal} are delivered yet, the next start goes on: {why}");
        let is_left = stats.place < stats.read_to || pump.is_left.load(Relaxed);
        [(lost > 0, refused), (is_left, left)].into_iter().filter_map(|(is_so, line)| is_so.then_some(line)).collect()
    }

    /// Says that it is to end, by this moment, and waits for nothing.
    pub(crate) fn stop(&self, deadline: Instant) {
        self.is_told.store(true, Relaxed);
        self.pumps.iter().for_each(|pump| pump.control.stop(deadline));
    }
}

impl Running {
    /// How it ended; an error when it runs on past the deadline.
    fn join(&self, deadline: Instant) -> Result<(), Error> {
        let ended = self.end(deadline);
        self.is_left.store(ended.is_err(), Relaxed);
        ended
    }

    fn end(&self, deadline: Instant) -> Result<(), Error> {
        let mut slot = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(thread) = slot.take() else { return Ok(()) };
        while !thread.is_finished() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                *slot = Some(thread);
                return Err(Error::timed_out(format!("the {} of an OTLP destination: no end in time", self.signal)));
            }
            std::thread::park_timeout(left.min(Duration::from_millis(2)));
        }
        thread.join().unwrap_or_else(|_| Err(Error::io("the thread of an OTLP destination panicked")))
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if !self.is_told.load(Relaxed) {
            let _ = self.shutdown(DROP_LIMIT);
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats: Vec<_> = self.pumps.iter().map(|pump| (pump.signal, pump.counters.read())).collect();
        f.debug_struct("Delivery").field("name", &self.name).field("stats", &stats).finish()
    }
}
