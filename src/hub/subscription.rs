//! A reader: an offset, what it wants, and an exact account of what it got.

use super::{
    Filter, From, Shared,
    account::{Account, Loss, Seen, gap},
    begin::Beginning,
    marks::Marks,
    ring::{Ring, Segment},
    stats::{Counts, Share},
};
use crate::{
    Cursor, Error, Pending, StreamEvent,
    event::Roots,
    log::{LoggedEvent, Page, Resolved, Scope, Status},
};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

pub(super) struct Subscription {
    pub(super) hub: Arc<Shared>,
    reader: u64,
    pub(super) filter: Filter,
    /// What the filter lets look for.
    marks: Marks,
    /// Offset of the next event to look at; not known while a cursor is being looked up.
    pub(super) next: u64,
    pub(super) state: State,
    /// Offset after which the stream began.
    pub(super) began: u64,
    /// What of its counts is in the sums of all readers; none for one that is not counted there.
    summed: Option<Share>,
    /// Offsets passed over so far, whatever became of them.
    passed: u64,
    pub(super) account: Account,
    /// The log was flushed since it last gave anything out: what it has not now, it will not have.
    pub(super) flushed: bool,
    /// Its reader comes back with its cursor, maybe to the next process. When the log has shut down, it ends where it
    /// is: a gap would take it past what the log has for it.
    comes_back: bool,
    last: Option<Cursor>,
    /// Offset of the last event that the reader can name by its own cursor.
    pub(super) named: u64,
    /// What the last event that speaks of one left the status at.
    status: Option<Status>,
    /// Of one execution, as far as it was read from the log.
    roots: Roots,
}

pub(super) enum State {
    Reading,
    Resolving(Cursor, Pending<Resolved>),
    CatchingUp(Pending<Page>),
    /// Before the first page is looked at: how far was the execution when this reader began?
    Basing(Box<(Pending<Option<LoggedEvent>>, Page)>),
    /// The ring has let go of something that the log has not kept yet.
    Flushing(Pending<()>),
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

impl Subscription {
    pub(super) fn new(hub: Arc<Shared>, filter: Filter, from: From) -> Self {
        let Beginning { reader, next, resolve, seen, unseen } = Beginning::of(&hub, &filter.scope, from);
        let state = resolve.map_or(State::Reading, |cursor| match &hub.log {
            Some(log) if cursor.epoch != hub.epoch => State::Resolving(cursor, log.resolve(cursor)),
            _ => State::Resolving(cursor, Pending::ready(Ok(Resolved::Unknown))),
        });
        let account = Account::new(filter.wants(), seen, unseen);
        let (began, named, marks) = (next - 1, next - 1, filter.marks());
        Self {
            hub,
            reader,
            filter,
            marks,
            next,
            state,
            began,
            summed: None,
            passed: 0,
            account,
            flushed: false,
            comes_back: false,
            last: None,
            named,
            status: None,
            roots: Roots::new(),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let Account { delivered, dropped, .. } = self.account;
        Counts::of(self.passed, delivered, dropped)
    }

    /// The same, as one of those who watch.
    pub(super) fn counted(mut self) -> Self {
        self.summed = Some(Share::default());
        self.hub.sums.enter();
        self
    }

    /// A few additions for a slice, whatever it holds.
    fn sum_up(&mut self) {
        let Account { delivered, dropped, .. } = self.account;
        let new = Share { passed: self.passed, delivered, dropped };
        if let Some(old) = self.summed.as_mut() {
            self.hub.sums.add(std::mem::replace(old, new), new);
        }
    }

    /// The same, for a reader who comes back.
    pub(super) fn coming_back(mut self) -> Self {
        self.comes_back = true;
        self
    }

    fn ends_with_log<T>(&self, answer: &Result<T, Error>) -> bool {
        self.comes_back && answer.as_ref().is_err_and(Error::is_closed)
    }

    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Everything before this offset has been looked at, or never will be.
    pub(super) fn pass_to(&mut self, next: u64) {
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

    /// True when everything before this offset was looked at.
    pub(super) fn has_reached(&self, offset: u64) -> bool {
        self.is_caught_up() && self.next >= offset
    }

    /// Offset of the next event to be published.
    pub(super) fn next_published(&self) -> u64 {
        self.hub.ring().next_offset()
    }

    /// The status that the last event which speaks of one left.
    pub(super) fn status(&self) -> Option<Status> {
        self.status
    }

    /// The place up to which everything was passed, where the reader knows of none so late. Not while it is owed a
    /// count: that would be lost to who goes on from here.
    pub(super) fn bookmark(&mut self) -> Option<Cursor> {
        let passed = self.next - 1;
        let news = self.is_caught_up() && !self.account.owes() && self.named < passed;
        news.then(|| {
            self.named = passed;
            Cursor::new(self.hub.epoch, passed)
        })
    }

    /// The next events, unfiltered. None when the hub has closed and everything was given out, and for a reader who comes
    /// back when the log has shut down before it was read.
    pub(super) fn poll_slice(&mut self, cx: &mut Context<'_>) -> Poll<Option<Slice>> {
        // Before it reads on: what becomes of the slice that it gives out now, is known when it is asked for the next.
        self.sum_up();
        let slice = self.poll_next_slice(cx);
        if slice.is_pending() {
            self.sum_up();
        }
        slice
    }

    fn poll_next_slice(&mut self, cx: &mut Context<'_>) -> Poll<Option<Slice>> {
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
                    if self.ends_with_log(&resolved) {
                        return Poll::Ready(None);
                    }
                    self.resolved(cursor, resolved)
                }
                State::CatchingUp(page) => {
                    let page = ready!(Pin::new(page).poll(cx));
                    if self.ends_with_log(&page) {
                        return Poll::Ready(None);
                    }
                    self.caught_up(page)
                }
                State::Basing(both) => {
                    let (row, page) = &mut **both;
                    let row = ready!(Pin::new(row).poll(cx));
                    let page = std::mem::take(page);
                    Some(self.based(row, page))
                }
                State::Flushing(done) => {
                    let done = ready!(Pin::new(done).poll(cx));
                    if self.ends_with_log(&done) {
                        return Poll::Ready(None);
                    }
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
        if let Poll::Ready(step) = self.look(None) {
            return Poll::Ready(step);
        }
        // Wakers are others' code: one is neither made nor dropped under the lock.
        let mut waker = Some(cx.waker().clone());
        self.look(Some(&mut waker))
    }

    /// Looks once. Where there is nothing the waker, if there is one, waits for more; it is exchanged for the one
    /// before it.
    fn look(&mut self, waker: Option<&mut Option<Waker>>) -> Poll<Option<Step>> {
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
        if let Some(waker) = waker
            && let Some(new) = waker.take()
        {
            *waker = ring.sleep(self.reader, new);
        }
        Poll::Pending
    }

    /// The next segment with something in scope; those without are passed over and counted.
    fn take(&mut self, ring: &Ring) -> Option<Slice> {
        let Some(segment) = ring.segment_for(self.next, self.marks) else {
            self.pass_to(ring.next_offset());
            return None;
        };
        let start = segment.batch.first.offset.max(self.next);
        self.pass_to(segment.batch.end());
        let index = (start - segment.batch.first.offset) as usize;
        Some(Slice::Live(segment, index))
    }

    pub(super) fn told_gap(&self, from: Cursor) -> Slice {
        Slice::Told(gap(from, Cursor::new(self.hub.epoch, self.next)))
    }

    /// Takes note of an event in scope. None when it is not to be delivered; else what the reader must be told before.
    pub(super) fn deliver(&mut self, event: &Seen<'_>, shown: bool) -> Option<Loss> {
        self.last = Some(event.cursor);
        self.status = event.status.or(self.status);
        if shown {
            self.named = event.cursor.offset;
        }
        self.account.deliver(event, shown)
    }

    /// The same of one from the log, which does not say whether its execution goes on after it.
    pub(super) fn deliver_logged(&mut self, logged: &LoggedEvent, event: &StreamEvent, shown: bool) -> Option<Loss> {
        let mut seen = Seen::logged(logged);
        if seen.status.is_some() && matches!(self.filter.scope, Scope::Execution(_)) {
            self.roots.apply(event);
            seen.status = seen.status.filter(|status| !status.is_final() || self.roots.is_empty());
        }
        self.deliver(&seen, shown)
    }

    /// Takes note of a whole segment from the ring, if everything in it is for this reader and nothing is to be told
    /// before. Else false, and each event must be looked at.
    pub(super) fn deliver_whole(&mut self, segment: &Segment) -> bool {
        let Some(last) = segment.batch.events.len().checked_sub(1) else { return false };
        let whole = self.filter.covers(segment) && self.account.deliver_whole(segment);
        if whole {
            let cursor = segment.batch.cursor(last);
            (self.last, self.named) = (Some(cursor), cursor.offset);
            self.status = segment.status.or(self.status);
        }
        whole
    }

    /// What was lost and not told yet; for the end of the stream, when no event comes before which it could be.
    pub(super) fn settle(&mut self) -> Loss {
        self.account.settle()
    }
}

pub(super) enum Step {
    Slice(Slice),
    Again,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if self.summed.is_some() {
            self.sum_up();
            self.hub.sums.leave();
        }
        let waker = self.hub.ring().forget(self.reader);
        // The last one of a task drops the task, which may hold another reader of this ring.
        drop(waker);
    }
}
