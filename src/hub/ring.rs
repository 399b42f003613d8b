//! The newest events, in the segments in which they came; evicted from the old end by count and by bytes.

use super::{
    HubLimits,
    account::Seen,
    known::{Known, Numbers},
    marks::Marks,
};
use crate::{
    ExecutionId, Text,
    event::{Batch, KindSet},
    log::Status,
    wire::FrameWriter,
};
use bytes::Bytes;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, OnceLock},
    task::Waker,
};

/// A batch as the hub holds it: never changed, shared by all readers.
pub(super) struct Segment {
    pub(super) batch: Arc<Batch>,
    marks: Marks,
    pub(super) extents: Vec<Extent>,
    /// Whether every event is shown and belongs to an execution.
    pub(super) is_plain: bool,
    /// Kinds of its events.
    pub(super) kinds: KindSet,
    /// The tenant of all its events; none where there are several, or one that is nobody's.
    pub(super) tenant_id: Option<Text>,
    /// The status in which its events leave their execution.
    pub(super) status: Option<Status>,
    size_bytes: usize,
    /// In each form, when somebody wants it.
    frames: [OnceLock<Frames>; FrameWriter::COUNT],
}

/// A segment's frames: made by the first reader who wants them, shared by all.
pub(super) struct Frames {
    pub(super) bytes: Bytes,
    /// Where each event's frame ends.
    pub(super) ends: Vec<usize>,
}

impl Segment {
    pub(super) fn new(batch: Arc<Batch>) -> Self {
        let (marks, extents) = (Marks::of(&batch), extents(&batch));
        let is_plain = batch.events.iter().all(|recorded| recorded.shown && recorded.event.execution_id.is_some());
        let status = batch.events.iter().rev().find_map(Status::left_by);
        let kinds = batch.events.iter().map(|recorded| recorded.event.kind()).collect();
        let tenant_id = only_tenant(&batch);
        let (size_bytes, frames) = (batch.size_bytes(), Default::default());
        Self { marks, extents, is_plain, kinds, tenant_id, status, size_bytes, frames, batch }
    }

    /// How far the execution was before its first event here from this offset on; none where it has none.
    pub(super) fn numbers_before(&self, offset: u64, id: &ExecutionId) -> Option<Numbers> {
        let mut own = self.batch.iter().filter(|(_, recorded)| recorded.event.execution_id.as_ref() == Some(id));
        let (cursor, first) = own.find(|(cursor, _)| cursor.offset >= offset)?;
        Some(Seen::live(cursor, first).before)
    }

    pub(super) fn frames(&self, writer: FrameWriter) -> &Frames {
        self.frames[writer.slot].get_or_init(|| Frames::of(&self.batch, writer))
    }
}

/// How far an execution was before and after its events in a segment.
pub(super) struct Extent {
    pub(super) id: ExecutionId,
    pub(super) before: Numbers,
    pub(super) after: Numbers,
    /// Whether it has ended; what comes late begins nothing.
    pub(super) ended: bool,
}

/// Made before the segment is shown, and so under no lock.
fn extents(batch: &Batch) -> Vec<Extent> {
    let (mut extents, mut places): (Vec<Extent>, HashMap<&ExecutionId, usize>) = Default::default();
    let mut last = None;
    for (cursor, recorded) in batch.iter() {
        let seen = Seen::live(cursor, recorded);
        let Some(id) = seen.execution_id else { continue };
        // Most events are of the execution that the one before is of.
        let at = match last {
            Some((known, at)) if known == id => at,
            _ => *places.entry(id).or_insert(extents.len()),
        };
        last = Some((id, at));
        match extents.get_mut(at) {
            Some(extent) => {
                extent.after = seen.now;
                extent.ended = seen.status.map_or(extent.ended, Status::is_final);
            }
            None => extents.push(Extent {
                id: id.clone(),
                before: seen.before,
                after: seen.now,
                ended: seen.ends_execution,
            }),
        }
    }
    extents
}

impl Frames {
    fn of(batch: &Batch, writer: FrameWriter) -> Self {
        let mut text = String::with_capacity(batch.events.len() * 256);
        let mut ends = Vec::with_capacity(batch.events.len());
        for (cursor, recorded) in batch.iter() {
            (writer.write)(Some(cursor), &recorded.event, &mut text);
            ends.push(text.len());
        }
        Self { bytes: Bytes::from(text), ends }
    }
}

fn only_tenant(batch: &Batch) -> Option<Text> {
    let (first, rest) = batch.events.split_first()?;
    rest.iter().all(|recorded| recorded.tenant_id == first.tenant_id).then(|| first.tenant_id.clone()).flatten()
}

pub(super) struct Ring {
    /// Each with its marks beside it: who looks for its own passes over thousands under the lock, one after the other
    /// in memory.
    segments: VecDeque<(Marks, Arc<Segment>)>,
    limits: HubLimits,
    held: HubLimits,
    /// Offset of the next event to come.
    next: u64,
    /// How far each execution is.
    known: Known,
    sleepers: HashMap<u64, Waker>,
    readers: u64,
    closed: bool,
}

impl Ring {
    pub(super) fn new(next: u64, limits: HubLimits) -> Self {
        let (held, known, sleepers) = (HubLimits::new(0, 0), Known::in_slots(), HashMap::new());
        Self { segments: VecDeque::new(), limits, held, next, known, sleepers, readers: 0, closed: false }
    }

    /// Takes a segment in. Gives out those to wake, and what was evicted, to be freed by the caller.
    pub(super) fn push(&mut self, segment: Arc<Segment>) -> (Vec<Waker>, Vec<Arc<Segment>>) {
        self.next = segment.batch.end();
        self.held.events += segment.batch.events.len();
        self.held.bytes += segment.size_bytes;
        for extent in &segment.extents {
            self.known.note(&extent.id, extent.after, extent.ended);
        }
        self.segments.push_back((segment.marks, segment));
        (self.sleepers.drain().map(|(_, waker)| waker).collect(), self.evict())
    }

    fn evict(&mut self) -> Vec<Arc<Segment>> {
        let mut old = Vec::new();
        // The newest stays whatever its size: readers that are up to date must get it.
        while self.segments.len() > 1
            && (self.held.events > self.limits.events || self.held.bytes > self.limits.bytes)
            && let Some((_, segment)) = self.segments.pop_front()
        {
            self.held.events -= segment.batch.events.len();
            self.held.bytes -= segment.size_bytes;
            old.push(segment);
        }
        old
    }

    pub(super) fn close(&mut self) -> Vec<Waker> {
        self.closed = true;
        self.sleepers.drain().map(|(_, waker)| waker).collect()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn held(&self) -> HubLimits {
        self.held
    }

    /// Offset of the next event to come.
    pub(super) fn next_offset(&self) -> u64 {
        self.next
    }

    /// Offset of the oldest event held; that of the next to come where none is.
    pub(super) fn first_offset(&self) -> u64 {
        self.segments.front().map_or(self.next, |(_, segment)| segment.batch.first.offset)
    }

    /// The first segment from this offset on in which something of this may be found.
    pub(super) fn segment_for(&self, offset: u64, wanted: Marks) -> Option<Arc<Segment>> {
        self.from(offset).find(|(marks, _)| marks.may_hold(wanted)).map(|(_, segment)| segment.clone())
    }

    /// All segments from this offset on in which something of this may be found, oldest first.
    pub(super) fn segments_for(&self, offset: u64, wanted: Marks) -> Vec<Arc<Segment>> {
        let found = self.from(offset).filter(|(marks, _)| marks.may_hold(wanted));
        found.map(|(_, segment)| segment.clone()).collect()
    }

    /// Batches from the event after this offset on, with `limit` events or a few more, and no more of them when they take
    /// 8 MiB: a reader whose other side is down holds them for as long. None where that event is not held.
    #[cfg(feature = "otlp")]
    pub(super) fn batches_after(&self, offset: u64, limit: usize) -> Option<Vec<Arc<Batch>>> {
        let (mut events, mut bytes) = (0, 0);
        let with_room = |(_, segment): &&(Marks, Arc<Segment>)| {
            let has_room = events < limit && bytes < 8 << 20;
            events += segment.batch.events.len();
            bytes += segment.size_bytes;
            has_room
        };
        let is_held = self.first_offset() <= offset + 1;
        is_held.then(|| self.from(offset + 1).take_while(with_room).map(|(_, segment)| segment.batch.clone()).collect())
    }

    fn from(&self, offset: u64) -> impl Iterator<Item = &(Marks, Arc<Segment>)> {
        self.segments.range(self.segments.partition_point(|(_, segment)| segment.batch.end() <= offset)..)
    }

    pub(super) fn new_reader(&mut self) -> u64 {
        self.readers += 1;
        self.readers
    }

    /// How far the executions are.
    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// Wakes this reader when the next segment comes. Gives back the waker that it had: dropping one may run code of
    /// others, which may come back here, and so it is dropped after the lock is given back.
    #[must_use]
    pub(super) fn sleep(&mut self, reader: u64, waker: Waker) -> Option<Waker> {
        self.sleepers.insert(reader, waker)
    }

    #[must_use]
    pub(super) fn forget(&mut self, reader: u64) -> Option<Waker> {
        self.sleepers.remove(&reader)
    }
}
