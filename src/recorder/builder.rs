//! Settings of a recorder, and its start.

use super::{
    HUB, LOG, Owner, Recorder, Shared,
    ends::Ends,
    queue::{Bounds, Queue},
    stats::Counters,
    worker::Worker,
};
use crate::{
    Cursor, Error, EventLog,
    control::Running,
    hub::{Hub, HubLimits},
    ledger::Prices,
    policy::ContentPolicy,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU8, AtomicU64},
        mpsc,
    },
    time::Duration,
};

/// How much may wait in front of the recorder. Past it events are merged, then shed and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueLimits {
    /// Events.
    pub events: usize,
    /// Bytes of their texts and payloads.
    pub bytes: usize,
}

impl Default for QueueLimits {
    /// 65,536 events, 64 MiB.
    fn default() -> Self {
        Self { events: 65_536, bytes: 64 << 20 }
    }
}

impl QueueLimits {
    /// At most this many events and bytes.
    pub const fn new(events: usize, bytes: usize) -> Self {
        Self { events, bytes }
    }

    /// The fewest events that make a queue.
    const MIN_EVENTS: usize = 16;
    /// The part of the queue that is lock-free and allocated from the start, in events.
    const RING_EVENTS: usize = 8_192;

    fn bounds(self) -> Result<Bounds, Error> {
        if self.events < Self::MIN_EVENTS {
            let message = format!("queue of {} events: {} or more are accepted", self.events, Self::MIN_EVENTS);
            return Err(Error::config(message));
        }
        let ring = Self::RING_EVENTS.min(self.events / 2);
        Ok(Bounds { ring, overflow: self.events - ring, bytes: self.bytes })
    }
}

/// Settings of a [`Recorder`].
#[derive(Debug, Clone, Default)]
#[must_use = "a recorder begins with `start`"]
pub struct RecorderBuilder {
    log: Option<Arc<dyn EventLog>>,
    queue: QueueLimits,
    hub: HubLimits,
    without_hub: bool,
    prices: Prices,
    content: ContentPolicy,
}

impl RecorderBuilder {
    /// Keeps events in this log.
    pub fn log(mut self, log: impl EventLog) -> Self {
        self.log = Some(Arc::new(log));
        self
    }

    /// How much may wait in front of the recorder.
    pub fn queue(mut self, limits: QueueLimits) -> Self {
        self.queue = limits;
        self
    }

    /// How much the hub holds for live readers.
    pub fn hub(mut self, limits: HubLimits) -> Self {
        self.hub = limits;
        self
    }

    /// What calls cost; without it, [`Prices::builtin`].
    pub fn prices(mut self, prices: Prices) -> Self {
        self.prices = prices;
        self
    }

    /// What may be recorded of content, for every sink. Secrets are masked where nothing else is said.
    pub fn content(mut self, policy: ContentPolicy) -> Self {
        self.content = policy;
        self
    }

    /// Shows events to nobody: for programs that only keep them.
    pub fn without_hub(mut self) -> Self {
        self.without_hub = true;
        self
    }

    /// Starts the recorder's thread. What a crash of an earlier process left open in the log is closed as lost, in
    /// the record and for whoever watches, before anything else is recorded.
    ///
    /// # Errors
    /// `is_config` for limits that make no queue and for a content policy that cannot be used; `is_io` when no thread can be had; what the log says.
    pub fn start(self) -> Result<Recorder, Error> {
        let bounds = self.queue.bounds()?;
        let redactor = Arc::new(self.content.redactor()?);
        let opened_at = self.log.as_ref().map_or_else(|| Cursor::new(fastrand::u64(1..), 0), |log| log.opened_at());
        let unfinished = match &self.log {
            Some(log) => log.unfinished().wait(RECOVERY_LIMIT)?,
            None => Vec::new(),
        };
        let recovered = unfinished.iter().map(|open| open.execution_id().clone()).collect();
        let hub = Hub::new(opened_at, self.hub, self.log.clone());
        let wanted = if self.without_hub { 0 } else { HUB } | if self.log.is_some() { LOG } else { 0 };
        let (send, receive) = mpsc::sync_channel::<Arc<Shared>>(1);
        let (worker_hub, worker_log, shows) = (hub.clone(), self.log.clone(), !self.without_hub);
        let prices = self.prices;
        let thread = std::thread::Builder::new()
            .name("spanwright-recorder".into())
            .spawn(move || {
                let Ok(shared) = receive.recv() else { return Ok(()) };
                let _ended = Ended(shared.clone(), worker_hub.clone());
                Worker::new(shared, worker_hub, shows, worker_log, opened_at, prices).run(unfinished)
            })
            .map_err(|source| Error::io("no thread for the recorder").with_source(source))?;
        let shared = Arc::new(Shared {
            queue: Queue::new(bounds),
            redactor,
            counters: Counters::default(),
            lost_to: AtomicU64::new(0),
            ends: Ends::default(),
            running: Running::default(),
            wanted: AtomicU8::new(wanted),
            closing: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            sleeping: AtomicBool::new(false),
            worker: thread.thread().clone(),
        });
        // The thread waits for exactly this.
        let _ = send.send(shared.clone());
        Ok(Recorder(Arc::new(Owner { shared, hub, log: self.log, recovered, thread: Mutex::new(Some(thread)) })))
    }
}

/// Whatever ends the worker, a panic in a user's log too: nobody waits for it any more, and streams end.
struct Ended(Arc<Shared>, Hub);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.end();
        self.1.close();
    }
}

/// Reading what was open costs a scan of the executions that were running; a minute is far beyond any of them.
const RECOVERY_LIMIT: Duration = Duration::from_secs(60);
