//! A stream of events, for programs.

use super::{
    Counts,
    account::{Loss, Seen},
    ready::Ready,
    subscription::{Slice, Subscription},
};
use crate::{Cursor, StreamEvent, event::Recorded, log::LoggedEvent, pending::park_until};
use futures_core::Stream;
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// The events of a scope, in order, as they happen. A [`Stream`] for async programs; [`recv_timeout`] for others.
///
/// What could not be delivered is told in the stream itself, as `data-stream-lagged` with a count or as
/// `data-stream-gap`. Ends when the recorder has shut down and what the hub still holds was delivered; the log is closed
/// by then, and a stream that was still reading there is told a gap for the rest of it.
///
/// [`recv_timeout`]: EventStream::recv_timeout
pub struct EventStream {
    subscription: Subscription,
    ready: Ready<StreamEvent>,
}

impl EventStream {
    pub(super) fn new(subscription: Subscription) -> Self {
        Self { ready: Ready::new(&subscription), subscription }
    }

    /// The same, for a reader who comes back to the next process: it ends where the log has shut down before it was read.
    #[cfg(feature = "serve")]
    pub(crate) fn coming_back(self) -> Self {
        Self { subscription: self.subscription.coming_back(), ..self }
    }

    /// Where another stream can go on: the cursor of the last event that was given out, or of a later one where only
    /// events that are not shown followed.
    pub fn cursor(&self) -> Cursor {
        self.ready.cursor(&self.subscription)
    }

    /// The cursor of the event that was given out last, the same however the stream was read. What is told of the stream
    /// itself has that of the event before it.
    #[cfg(feature = "serve")]
    pub(crate) fn given(&self) -> Cursor {
        self.ready.given()
    }

    /// What became of the events published since the stream began; those that wait in it count as delivered.
    pub fn counts(&self) -> Counts {
        self.subscription.counts()
    }

    /// True when everything there is has been given out, as far as was known when this was last polled.
    #[cfg(feature = "serve")]
    pub(crate) fn is_caught_up(&self) -> bool {
        self.ready.is_empty() && self.subscription.is_caught_up()
    }

    /// The status in which the events that were passed so far, shown or not, left their execution.
    #[cfg(feature = "serve")]
    pub(crate) fn status(&self) -> Option<crate::log::Status> {
        self.subscription.status()
    }

    /// The next event, if one is there now. None may also mean that it has yet to be read from the log, or that the
    /// stream has ended: [`recv_timeout`](EventStream::recv_timeout) tells these apart.
    pub fn try_next(&mut self) -> Option<StreamEvent> {
        match self.poll_event(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(event) => event,
            Poll::Pending => None,
        }
    }

    /// The next event, waiting for it `limit` at the longest. Blocks the thread; not for async code.
    pub fn recv_timeout(&mut self, limit: Duration) -> Received {
        self.recv_until(crate::time::deadline(limit), |_| false)
    }

    /// Every event that was published before this call and not given out yet, waiting for the log `limit` at the
    /// longest. Blocks the thread.
    pub(crate) fn rest(&mut self, limit: Duration) -> Vec<StreamEvent> {
        let (published, deadline) = (self.subscription.next_published(), crate::time::deadline(limit));
        let mut rest = Vec::new();
        while !self.ready.is_empty() || !self.subscription.has_reached(published) {
            match self.recv_until(deadline, |subscription| subscription.has_reached(published)) {
                Received::Event(event) => rest.push(event),
                Received::TimedOut | Received::Ended => break,
            }
        }
        rest
    }

    /// The next event, unless there is none now and who waits has enough.
    fn recv_until(&mut self, deadline: Instant, enough: impl Fn(&Subscription) -> bool) -> Received {
        let received = park_until(deadline, |cx| match self.poll_event(cx) {
            Poll::Ready(event) => Poll::Ready(event.map_or(Received::Ended, Received::Event)),
            Poll::Pending if enough(&self.subscription) => Poll::Ready(Received::TimedOut),
            Poll::Pending => Poll::Pending,
        });
        received.unwrap_or(Received::TimedOut)
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<StreamEvent>> {
        loop {
            if let Some(event) = self.ready.pop() {
                return Poll::Ready(Some(event));
            }
            self.ready.begin(&self.subscription);
            match std::task::ready!(self.subscription.poll_slice(cx)) {
                None => match self.told_at_the_end() {
                    false => return Poll::Ready(None),
                    true => continue,
                },
                Some(Slice::Told(event)) => self.ready.tell(event),
                Some(Slice::Logged(events)) => events.iter().for_each(|event| self.take_logged(event)),
                Some(Slice::Live(segment, from)) => {
                    for index in from..segment.batch.events.len() {
                        self.take_live(segment.batch.cursor(index), &segment.batch.events[index]);
                    }
                }
            }
        }
    }

    /// What was lost before events that are not shown has no event before which it is told.
    fn told_at_the_end(&mut self) -> bool {
        let loss = self.subscription.settle();
        self.tell(loss);
        !self.ready.is_empty()
    }

    fn take_live(&mut self, cursor: Cursor, recorded: &Recorded) {
        if !self.subscription.filter().in_scope(recorded) {
            return;
        }
        let shown = recorded.shown && self.subscription.filter().shows(&recorded.event);
        if let Some(loss) = self.subscription.deliver(&Seen::live(cursor, recorded), shown) {
            self.push(loss, cursor, recorded.event.clone());
        }
    }

    /// A row that cannot be decoded is left out: its number shows as one that was missed.
    fn take_logged(&mut self, logged: &LoggedEvent) {
        let Ok(event) = logged.to_stream() else { return };
        let shown = logged.shown && self.subscription.filter().shows(&event);
        if let Some(loss) = self.subscription.deliver_logged(logged, &event, shown) {
            self.push(loss, logged.cursor, event);
        }
    }

    fn push(&mut self, loss: Loss, cursor: Cursor, event: StreamEvent) {
        if !loss.is_none() {
            self.tell(loss);
        }
        self.ready.push(cursor, event);
    }

    fn tell(&mut self, loss: Loss) {
        loss.told().for_each(|event| self.ready.tell(event));
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
