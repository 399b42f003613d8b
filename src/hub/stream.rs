//! A stream of events, for programs.

use super::{
    Counts,
    subscription::{Seen, Slice, Subscription},
};
use crate::{
    Cursor, StreamEvent,
    event::{Concept, Life, Recorded, StreamLagged},
    log::{LoggedEvent, Status},
};
use futures_core::Stream;
use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
    time::{Duration, Instant},
};

/// The events of a scope, in order, as they happen. A [`Stream`] for async programs; [`recv_timeout`] for others.
///
/// What could not be delivered is told in the stream itself, as `data-stream-lagged` with a count or as
/// `data-stream-gap`. Ends when the recorder has shut down and everything was delivered.
///
/// [`recv_timeout`]: EventStream::recv_timeout
pub struct EventStream {
    subscription: Subscription,
    ready: VecDeque<StreamEvent>,
}

impl EventStream {
    pub(super) fn new(subscription: Subscription) -> Self {
        Self { subscription, ready: VecDeque::new() }
    }

    /// Cursor of the last event that was looked at: where another stream can go on.
    pub fn cursor(&self) -> Cursor {
        self.subscription.cursor()
    }

    /// What became of the events published since the stream began; those that wait in it count as delivered.
    pub fn counts(&self) -> Counts {
        self.subscription.counts()
    }

    /// The next event, if one is there.
    pub fn try_next(&mut self) -> Option<StreamEvent> {
        match self.poll_event(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(event) => event,
            Poll::Pending => None,
        }
    }

    /// The next event, waiting for it `limit` at the longest. Blocks the thread; not for async code.
    pub fn recv_timeout(&mut self, limit: Duration) -> Received {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut cx = Context::from_waker(&waker);
        let deadline = crate::time::deadline(limit);
        loop {
            if let Poll::Ready(event) = self.poll_event(&mut cx) {
                return event.map_or(Received::Ended, Received::Event);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Received::TimedOut;
            }
            std::thread::park_timeout(left);
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<StreamEvent>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Poll::Ready(Some(event));
            }
            match std::task::ready!(self.subscription.poll_slice(cx)) {
                None => return Poll::Ready(None),
                Some(Slice::Told(event)) => self.ready.push_back(event),
                Some(Slice::Logged(events)) => events.iter().for_each(|event| self.take_logged(event)),
                Some(Slice::Live(segment, from)) => {
                    for index in from..segment.batch.events.len() {
                        self.take_live(segment.batch.cursor(index), &segment.batch.events[index]);
                    }
                }
            }
        }
    }

    fn take_live(&mut self, cursor: Cursor, recorded: &Recorded) {
        if !self.subscription.filter().in_scope(recorded) {
            return;
        }
        let shown = recorded.shown && self.subscription.filter().shows(&recorded.event);
        if let Some(missed) = self.subscription.deliver(&Seen::live(cursor, recorded), shown) {
            self.push(missed, recorded.event.clone());
        }
    }

    /// A row that cannot be decoded is left out: its number shows as one that was missed.
    fn take_logged(&mut self, logged: &LoggedEvent) {
        let Ok(event) = logged.to_stream() else { return };
        let shown = logged.shown && self.subscription.filter().shows(&event);
        if let Some(missed) = self.subscription.deliver(&Seen::logged(logged), shown) {
            self.push(missed, event);
        }
    }

    fn push(&mut self, missed: u64, event: StreamEvent) {
        if missed > 0 {
            self.ready.push_back(StreamLagged::new(missed).into());
        }
        self.ready.push_back(event);
    }
}

impl<'a> Seen<'a> {
    pub(super) fn live(cursor: Cursor, recorded: &'a Recorded) -> Self {
        Self {
            cursor,
            execution_id: recorded.event.execution_id.as_ref(),
            // A piece that its emitter hides has no number.
            is_piece: recorded.is_piece() && recorded.shown,
            status: Status::after(recorded.event.kind()),
            ends_execution: recorded.event.kind().life() == Life::Closes(Concept::Execution),
            sequence: recorded.sequence,
            pieces: recorded.pieces,
        }
    }

    pub(super) fn logged(logged: &'a LoggedEvent) -> Self {
        Self {
            cursor: logged.cursor,
            execution_id: Some(&logged.context.execution_id),
            is_piece: false,
            status: Status::after(logged.kind),
            ends_execution: logged.kind.life() == Life::Closes(Concept::Execution),
            sequence: logged.sequence,
            pieces: logged.pieces,
        }
    }
}

/// What came of waiting for an event.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Received {
    /// This.
    Event(StreamEvent),
    /// Nothing in time.
    TimedOut,
    /// Nothing ever again.
    Ended,
}

impl Received {
    /// The event, where there is one.
    pub fn event(self) -> Option<StreamEvent> {
        if let Self::Event(event) = self { Some(event) } else { None }
    }
}

impl Stream for EventStream {
    type Item = StreamEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<StreamEvent>> {
        self.get_mut().poll_event(cx)
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("cursor", &self.cursor()).field("counts", &self.counts()).finish()
    }
}

/// Wakes a thread that waits without a runtime.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
