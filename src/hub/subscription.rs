//! A reader: an offset, what it wants, and an exact account of what it got.

use super::{
    Filter, From, Shared,
    ring::{Ring, Segment},
};
use crate::{
    Cursor, Error, ExecutionId, Pending, StreamEvent, Text,
    event::{Class, StreamGap},
    log::{LoggedEvent, Page, Query, Resolved, Scope, Status},
};
use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// What became of the events that were published since a stream began. For a stream of everything the three add up to
/// the number of offsets that it passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Handed to the reader.
    pub delivered: u64,
    /// Not of its scope or not of its mode.
    pub filtered: u64,
    /// Would have been delivered, but could not; the reader was told.
    pub dropped: u64,
}

/// Events read from the log in one go.
const PAGE_EVENTS: usize = 512;

pub(super) struct Subscription {
    hub: Arc<Shared>,
    reader: u64,
    filter: Filter,
    /// Offset of the next event to look at; not known while a cursor is being looked up.
    next: u64,
    state: State,
    /// What was seen last of each execution in scope.
    seen: HashMap<ExecutionId, Numbers>,
    /// Offsets passed over so far, whatever became of them.
    passed: u64,
    delivered: u64,
    dropped: u64,
    /// Dropped and not told yet.
    owed: u64,
    /// The log was flushed since it last gave anything out: what it has not now, it will not have.
    flushed: bool,
    last: Option<Cursor>,
    /// Offset of the last event that the reader can name by its own cursor.
    named: u64,
    /// What the last event that speaks of one left the status at.
    status: Option<Status>,
}

enum State {
    Reading,
    Resolving(Cursor, Pending<Resolved>),
    CatchingUp(Pending<Page>),
    /// The ring has let go of something that the log has not kept yet.
    Flushing(Pending<()>),
}

/// How much of an execution there was when it was last looked at.
#[derive(Clone, Copy)]
struct Numbers {
    sequence: u64,
    pieces: u64,
}

/// Some events that are next, not filtered yet.
pub(super) enum Slice {
    /// From the ring, from this index on.
    Live(Arc<Segment>, usize),
    /// From the log.
    Logged(Vec<LoggedEvent>),
    /// Of the stream itself.
    Told(StreamEvent),
}

/// An event as far as a reader has to know it before it decides.
pub(super) struct Seen<'a> {
    pub(super) cursor: Cursor,
    pub(super) execution_id: Option<&'a ExecutionId>,
    pub(super) is_piece: bool,
    pub(super) status: Option<Status>,
    pub(super) ends_execution: bool,
    pub(super) sequence: u64,
    pub(super) pieces: u64,
}

impl Subscription {
    pub(super) fn new(hub: Arc<Shared>, filter: Filter, from: From) -> Self {
        let (reader, first, next) = {
            let mut ring = hub.ring();
            (ring.new_reader(), ring.first_offset(), ring.next_offset())
        };
        let (next, state) = match (from, &hub.log) {
            (From::Live, _) => (next, State::Reading),
            (From::Start, Some(_)) => (1, State::Reading),
            (From::Start, None) => (first, State::Reading),
            (From::After(cursor), _) if cursor.epoch == hub.epoch && cursor.offset < next => {
                (cursor.offset + 1, State::Reading)
            }
            (From::After(cursor), Some(log)) if cursor.epoch != hub.epoch => {
                (next, State::Resolving(cursor, log.resolve(cursor)))
            }
            (From::After(cursor), _) => (next, State::Resolving(cursor, Pending::ready(Ok(Resolved::Unknown)))),
        };
        let seen = HashMap::new();
        Self {
            hub,
            reader,
            filter,
            next,
            state,
            seen,
            passed: 0,
            delivered: 0,
            dropped: 0,
            owed: 0,
            flushed: false,
            last: None,
            named: next - 1,
            status: None,
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let filtered = self.passed.saturating_sub(self.delivered + self.dropped);
        Counts { delivered: self.delivered, filtered, dropped: self.dropped }
    }

    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Everything before this offset has been looked at, or never will be.
    fn pass_to(&mut self, next: u64) {
        self.passed += next.saturating_sub(self.next);
        self.next = self.next.max(next);
    }

    /// Cursor of the last event that was looked at.
    pub(super) fn cursor(&self) -> Cursor {
        self.last.unwrap_or(Cursor::new(self.hub.epoch, self.next - 1))
    }

    /// True when there is nothing more to give out, as far as was known when this was last polled.
    pub(super) fn is_caught_up(&self) -> bool {
        matches!(self.state, State::Reading)
    }

    /// The status that the last event which speaks of one left.
    pub(super) fn status(&self) -> Option<Status> {
        self.status
    }

    /// The place up to which everything was passed, where the reader knows of none so late. Not while it is owed a
    /// count: that would be lost to who goes on from here.
    pub(super) fn bookmark(&mut self) -> Option<Cursor> {
        let passed = self.next - 1;
        let news = self.is_caught_up() && self.owed == 0 && self.named < passed;
        news.then(|| {
            self.named = passed;
            Cursor::new(self.hub.epoch, passed)
        })
    }

    /// The next events, unfiltered. None when the hub has closed and everything was given out.
    pub(super) fn poll_slice(&mut self, cx: &mut Context<'_>) -> Poll<Option<Slice>> {
        loop {
            let slice = match &mut self.state {
                State::Reading => match ready!(self.poll_ring(cx)) {
                    Some(Step::Slice(slice)) => Some(slice),
                    Some(Step::Again) => None,
                    None => return Poll::Ready(None),
                },
                State::Resolving(cursor, answer) => {
                    let cursor = *cursor;
                    let resolved = ready!(Pin::new(answer).poll(cx));
                    self.resolved(cursor, resolved)
                }
                State::CatchingUp(page) => {
                    let page = ready!(Pin::new(page).poll(cx));
                    self.caught_up(page)
                }
                State::Flushing(done) => {
                    let done = ready!(Pin::new(done).poll(cx));
                    (self.state, self.flushed) = (State::Reading, true);
                    done.err().map(|_| self.give_up_behind())
                }
            };
            if let Some(slice) = slice {
                return Poll::Ready(Some(slice));
            }
        }
    }

    fn poll_ring(&mut self, cx: &mut Context<'_>) -> Poll<Option<Step>> {
        let hub = self.hub.clone();
        let mut ring = hub.ring();
        if self.next < ring.first_offset() {
            drop(ring);
            return Poll::Ready(Some(self.fall_back()));
        }
        if let Some(slice) = self.take(&ring) {
            return Poll::Ready(Some(Step::Slice(slice)));
        }
        if ring.is_closed() {
            return Poll::Ready(None);
        }
        ring.sleep(self.reader, cx.waker());
        Poll::Pending
    }

    /// The next segment with something in scope; those without are passed over and counted.
    fn take(&mut self, ring: &Ring) -> Option<Slice> {
        let segment = match &self.filter.scope {
            Scope::Execution(id) => ring.segment_with(self.next, id),
            _ => ring.segment_at(self.next),
        };
        let Some(segment) = segment else {
            self.pass_to(ring.next_offset());
            return None;
        };
        let start = segment.batch.first.offset.max(self.next);
        self.pass_to(segment.batch.end());
        let index = (start - segment.batch.first.offset) as usize;
        Some(Slice::Live(segment, index))
    }

    /// The ring has moved on past this reader: on in the log, or over the gap.
    fn fall_back(&mut self) -> Step {
        let Some(log) = &self.hub.log else { return Step::Slice(self.give_up_behind()) };
        let query = Query::new(self.filter.scope.clone(), self.next - 1, PAGE_EVENTS);
        self.state = State::CatchingUp(log.read(query));
        Step::Again
    }

    fn caught_up(&mut self, page: Result<Page, Error>) -> Option<Slice> {
        self.state = State::Reading;
        let Ok(mut page) = page else { return Some(self.give_up_behind()) };
        self.leave_to_ring(&mut page);
        if page.complete && page.read_to < self.next {
            if std::mem::take(&mut self.flushed) {
                return Some(self.give_up_behind());
            }
            // The ring has let go of what the log has not kept yet; it will have when it is flushed.
            self.state = State::Flushing(self.hub.log.as_ref()?.flush());
            return None;
        }
        self.flushed = false;
        self.pass_to(page.read_to + 1);
        Some(Slice::Logged(page.events))
    }

    /// What the ring still holds is read there: it has the pieces too.
    fn leave_to_ring(&self, page: &mut Page) {
        let first = self.hub.ring().first_offset();
        if page.read_to >= first {
            page.read_to = first - 1;
            page.complete = true;
            page.events.truncate(page.events.partition_point(|event| event.cursor.offset < first));
        }
    }

    /// Jumps to the oldest event that can be had, and says so.
    fn give_up_behind(&mut self) -> Slice {
        let first = self.hub.ring().first_offset();
        let from = Cursor::new(self.hub.epoch, self.next - 1);
        if self.filter.scope == Scope::Everything {
            self.dropped += first.saturating_sub(self.next);
            // They are counted now; their numbers must not count them again.
            self.seen.clear();
        }
        self.pass_to(first);
        self.told_gap(from)
    }

    fn told_gap(&self, from: Cursor) -> Slice {
        let to = Cursor::new(self.hub.epoch, self.next);
        let gap = StreamGap::new().from(Text::from(from.to_string())).to(Text::from(to.to_string()));
        Slice::Told(StreamEvent::new(gap))
    }

    fn resolved(&mut self, cursor: Cursor, resolved: Result<Resolved, Error>) -> Option<Slice> {
        self.state = State::Reading;
        let told = self.go_to(cursor, resolved);
        // Who was told of a gap came with a cursor that leads there again, and needs another.
        self.named = if told.is_none() { self.next - 1 } else { 0 };
        told
    }

    fn go_to(&mut self, cursor: Cursor, resolved: Result<Resolved, Error>) -> Option<Slice> {
        match resolved {
            Ok(Resolved::At(offset)) => {
                self.next = offset + 1;
                None
            }
            Ok(Resolved::Past(offset)) => {
                self.next = offset + 1;
                Some(self.told_gap(cursor))
            }
            // A stream of everything goes on from now: its whole record may be long, and nobody asked for it.
            Ok(Resolved::Unknown) | Err(_) => {
                if self.filter.scope != Scope::Everything {
                    self.next = if self.hub.log.is_some() { 1 } else { self.hub.ring().first_offset() };
                }
                Some(self.told_gap(cursor))
            }
        }
    }

    /// Takes note of an event in scope. None when it is not to be delivered; else how many the reader must be told it
    /// lost before it.
    pub(super) fn deliver(&mut self, event: &Seen<'_>, shown: bool) -> Option<u64> {
        self.last = Some(event.cursor);
        self.status = event.status.or(self.status);
        let missed = event.execution_id.map_or(0, |id| self.missed(id, event));
        self.dropped += missed;
        self.owed += missed;
        shown.then(|| {
            self.delivered += 1;
            self.named = event.cursor.offset;
            std::mem::take(&mut self.owed)
        })
    }

    /// How many events of this execution that the reader would have seen are gone since the last one it looked at. An
    /// execution that is looked at for the first time may have begun before the stream: nothing of it was lost here.
    fn missed(&mut self, id: &ExecutionId, event: &Seen<'_>) -> u64 {
        let now = Numbers { sequence: event.sequence, pieces: event.pieces };
        let old = match event.ends_execution {
            true => self.seen.remove(id),
            false => self.seen.insert(id.clone(), now),
        };
        let Some(old) = old else { return 0 };
        let gone = |mode_shows: bool, between: u64| if mode_shows { between } else { 0 };
        let (pieces, kept) = match event.is_piece {
            true => (event.pieces - 1, event.sequence),
            false => (event.pieces, event.sequence.saturating_sub(1)),
        };
        gone(self.filter.mode.shows(Class::Bulk), pieces.saturating_sub(old.pieces))
            + gone(self.filter.mode.shows(Class::Structural), kept.saturating_sub(old.sequence))
    }
}

enum Step {
    Slice(Slice),
    Again,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.ring().forget(self.reader);
    }
}
