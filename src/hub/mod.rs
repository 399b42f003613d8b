//! Who watches now: a ring of the newest events in segments, and readers that are offsets into *log ∪ ring*.

mod account;
mod begin;
#[cfg(any(feature = "serve", all(test, spanwright_loom)))]
pub(crate) mod bell;
mod catch_up;
mod filter;
mod frames;
mod known;
mod marks;
mod ready;
mod resume;
mod ring;
mod stats;
mod stream;
mod subscription;

pub use filter::{Filter, From};
pub use frames::FrameStream;
pub use stats::{Counts, HubStats};
pub use stream::{EventStream, Received};

#[cfg(feature = "serve")]
use crate::event::Recorded;
use crate::{Cursor, EventLog, event::Batch, wire::FrameWriter};
use ring::{Ring, Segment};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

/// The newest events of all executions, and those who read them.
///
/// Publishing never waits for a reader: a reader is an offset, and one that falls behind the ring reads on in the log.
/// Cheap to clone; all clones are the same hub.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    ring: Mutex<Ring>,
    sums: stats::Sums,
    epoch: u64,
    log: Option<Arc<dyn EventLog>>,
}

/// How much the hub holds at most; what is older is read from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubLimits {
    /// Events.
    pub events: usize,
    /// Memory of events, in bytes.
    pub bytes: usize,
}

impl Default for HubLimits {
    /// 16,384 events, 32 MiB.
    fn default() -> Self {
        Self { events: 16_384, bytes: 32 << 20 }
    }
}

impl HubLimits {
    /// At most this many events and bytes.
    pub const fn new(events: usize, bytes: usize) -> Self {
        Self { events, bytes }
    }
}

impl Hub {
    /// A hub whose first event will have the cursor after `start`. `log` is where readers that fall behind read on.
    pub(crate) fn new(start: Cursor, limits: HubLimits, log: Option<Arc<dyn EventLog>>) -> Self {
        let ring = Mutex::new(Ring::new(start.offset + 1, limits));
        Self(Arc::new(Shared { ring, sums: stats::Sums::default(), epoch: start.epoch, log }))
    }

    /// Makes a batch visible. Readers that waited are woken after the lock is given back.
    pub(crate) fn publish(&self, batch: Arc<Batch>) {
        let segment = Arc::new(Segment::new(batch));
        let (wakers, old) = self.0.ring().push(segment);
        wakers.into_iter().for_each(Waker::wake);
        // Freed here, not under the lock.
        drop(old);
    }

    /// Ends every stream once it has delivered what is there. The log is closed before: a reader that still reads
    /// there is told the gap, and goes on with what the ring holds.
    pub(crate) fn close(&self) {
        let wakers = self.0.ring().close();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// A stream of events. It delivers what `filter` lets through, from where `from` says.
    pub fn subscribe(&self, filter: Filter, from: From) -> EventStream {
        EventStream::new(subscription::Subscription::new(self.0.clone(), filter, from).counted())
    }

    /// The same for what emits itself, which is not one of those who watch.
    pub(crate) fn subscribe_aside(&self, filter: Filter, from: From) -> EventStream {
        EventStream::new(subscription::Subscription::new(self.0.clone(), filter, from))
    }

    /// The same as ready SSE frames, many in one piece where many are there.
    pub fn subscribe_frames(&self, filter: Filter, from: From) -> FrameStream {
        self.subscribe_written(filter, from, FrameWriter::NATIVE)
    }

    /// The same in another dialect.
    pub(crate) fn subscribe_written(&self, filter: Filter, from: From, writer: FrameWriter) -> FrameStream {
        FrameStream::new(subscription::Subscription::new(self.0.clone(), filter, from).counted(), writer)
    }

    /// Cursor of the newest event.
    pub fn newest(&self) -> Cursor {
        Cursor::new(self.0.epoch, self.0.ring().next_offset() - 1)
    }

    /// The segments' batches from the one with the event after this offset on, until they hold `limit` events; none
    /// where that event is not held any more.
    #[cfg(feature = "otlp")]
    pub(crate) fn held_after(&self, offset: u64, limit: usize) -> Option<Vec<Arc<Batch>>> {
        self.0.ring().batches_after(offset, limit)
    }

    /// What is held of an execution: the offset of its newest event, and the status that the newest event which speaks
    /// of one left it in. Of an execution that is not of the tenant, where one is named, nothing.
    #[cfg(feature = "serve")]
    pub(crate) fn last_of(
        &self,
        id: &crate::ExecutionId,
        tenant_id: Option<&crate::Text>,
    ) -> Option<(u64, Option<crate::log::Status>)> {
        let wanted = marks::Marks::wanted(Some(id), tenant_id);
        let segments = self.0.ring().segments_for(0, wanted);
        // Looked through after the lock is given back.
        let events = segments.iter().rev().flat_map(|segment| segment.batch.iter().rev());
        let whose = |recorded: &Recorded| tenant_id.is_none() || recorded.tenant_id.as_ref() == tenant_id;
        let of_it = |recorded: &Recorded| recorded.event.execution_id.as_ref() == Some(id) && whose(recorded);
        let mut own = events.filter(|(_, recorded)| of_it(recorded)).peekable();
        let newest = own.peek().map(|(cursor, _)| cursor.offset)?;
        let status = own.find_map(|(_, recorded)| crate::log::Status::after(recorded.event.kind()));
        Some((newest, status))
    }

    /// Who reads, and what all readers got so far.
    pub fn stats(&self) -> HubStats {
        self.0.sums.read()
    }

    /// How many events and bytes are held now.
    pub fn held(&self) -> HubLimits {
        self.0.ring().held()
    }
}

impl Shared {
    /// A thread that panicked here left a whole ring behind: each change is complete before anything can panic.
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("newest", &self.newest()).field("held", &self.held()).finish()
    }
}
