//! A stream of ready SSE frames, for servers: encoded once for all readers, many frames in one piece.

use super::{
    Counts,
    ring::Segment,
    subscription::{Seen, Slice, Subscription},
};
use crate::{
    Cursor, StreamEvent,
    event::StreamLagged,
    log::{LoggedEvent, Status},
    wire::sse::{write_frame, write_frame_without_id},
};
use bytes::Bytes;
use futures_core::Stream;
use std::{
    collections::VecDeque,
    fmt,
    ops::Range,
    pin::Pin,
    task::{Context, Poll},
};

/// Server-sent-event frames of the events of a scope, as bytes. What is next to each other in the hub leaves as one
/// piece without a copy.
pub struct FrameStream {
    subscription: Subscription,
    ready: VecDeque<Bytes>,
}

impl FrameStream {
    pub(super) fn new(subscription: Subscription) -> Self {
        Self { subscription, ready: VecDeque::new() }
    }

    /// Cursor of the last event that was looked at.
    pub fn cursor(&self) -> Cursor {
        self.subscription.cursor()
    }

    /// What became of the events published since the stream began.
    pub fn counts(&self) -> Counts {
        self.subscription.counts()
    }

    /// True when everything there is has been given out, as far as was known when this was last polled.
    pub fn is_caught_up(&self) -> bool {
        self.ready.is_empty() && self.subscription.is_caught_up()
    }

    /// The status in which the events that were passed so far, shown or not, left their execution; none where no
    /// event told. For streams of one execution.
    pub fn status(&self) -> Option<Status> {
        self.subscription.status()
    }

    /// A cursor from which a client can go on without loss, where the stream has passed events since the last frame
    /// that it gave out; each is given once. For readers who are shown little of much.
    pub fn bookmark(&mut self) -> Option<Cursor> {
        if self.ready.is_empty() { self.subscription.bookmark() } else { None }
    }

    fn take_live(&mut self, segment: &Segment, from: usize) {
        let mut run = 0..0;
        for index in from..segment.batch.events.len() {
            let recorded = &segment.batch.events[index];
            if !self.subscription.filter().in_scope(recorded) {
                self.cut(segment, &mut run);
                continue;
            }
            let shown = recorded.shown && self.subscription.filter().shows(&recorded.event);
            let seen = Seen::live(segment.batch.cursor(index), recorded);
            match self.subscription.deliver(&seen, shown) {
                Some(0) if run.is_empty() => run = index..index + 1,
                Some(0) => run.end = index + 1,
                Some(missed) => {
                    self.cut(segment, &mut run);
                    self.tell(&StreamLagged::new(missed).into());
                    run = index..index + 1;
                }
                None => self.cut(segment, &mut run),
            }
        }
        self.cut(segment, &mut run);
    }

    /// The frames of a run of events: a piece of the segment's own bytes.
    fn cut(&mut self, segment: &Segment, run: &mut Range<usize>) {
        let run = std::mem::take(run);
        if !run.is_empty() {
            let frames = segment.frames();
            let start = if run.start == 0 { 0 } else { frames.ends[run.start - 1] };
            self.ready.push_back(frames.bytes.slice(start..frames.ends[run.end - 1]));
        }
    }

    fn take_logged(&mut self, events: &[LoggedEvent]) {
        let mut text = String::with_capacity(events.len() * 256);
        for logged in events {
            let Ok(event) = logged.to_stream() else { continue };
            let shown = logged.shown && self.subscription.filter().shows(&event);
            let Some(missed) = self.subscription.deliver(&Seen::logged(logged), shown) else { continue };
            if missed > 0 {
                write_frame_without_id(&StreamLagged::new(missed).into(), &mut text);
            }
            write_frame(logged.cursor, &event, &mut text);
        }
        if !text.is_empty() {
            self.ready.push_back(Bytes::from(text));
        }
    }

    fn tell(&mut self, event: &StreamEvent) {
        let mut text = String::new();
        write_frame_without_id(event, &mut text);
        self.ready.push_back(Bytes::from(text));
    }
}

impl Stream for FrameStream {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let this = self.get_mut();
        loop {
            if let Some(bytes) = this.ready.pop_front() {
                return Poll::Ready(Some(bytes));
            }
            match std::task::ready!(this.subscription.poll_slice(cx)) {
                None => return Poll::Ready(None),
                Some(Slice::Told(event)) => this.tell(&event),
                Some(Slice::Logged(events)) => this.take_logged(&events),
                Some(Slice::Live(segment, from)) => this.take_live(&segment, from),
            }
        }
    }
}

impl fmt::Debug for FrameStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameStream").field("cursor", &self.cursor()).field("counts", &self.counts()).finish()
    }
}
