//! A stream of ready SSE frames, for servers: encoded once for all readers, many frames in one piece.

use super::{
    Counts,
    account::{Loss, Seen},
    ready::Ready,
    ring::Segment,
    subscription::{Slice, Subscription},
};
use crate::{
    Cursor, StreamEvent,
    log::{LoggedEvent, Status},
    wire::FrameWriter,
};
use bytes::Bytes;
use futures_core::Stream;
use std::{
    fmt,
    ops::Range,
    pin::Pin,
    task::{Context, Poll},
};

/// Server-sent-event frames of the events of a scope, as bytes. What is next to each other in the hub leaves as one
/// piece without a copy.
pub struct FrameStream {
    subscription: Subscription,
    writer: FrameWriter,
    /// Cursor of an event that was passed although the dialect has no word for it.
    unsaid: Option<Cursor>,
    ready: Ready<Bytes>,
}

impl FrameStream {
    pub(super) fn new(subscription: Subscription, writer: FrameWriter) -> Self {
        let subscription = subscription.coming_back();
        Self { ready: Ready::new(&subscription), subscription, writer, unsaid: None }
    }

    /// Where another stream can go on: the cursor of the last event that was given out, or of a later one where only
    /// events that are not shown followed.
    pub fn cursor(&self) -> Cursor {
        self.ready.cursor(&self.subscription)
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
        if !self.ready.is_empty() {
            return None;
        }
        let unsaid = self.unsaid.take();
        self.subscription.bookmark().or(unsaid)
    }

    fn take_live(&mut self, segment: &Segment, from: usize) {
        let mut run = 0..0;
        if from == 0 && self.subscription.deliver_whole(segment) {
            run = 0..segment.batch.events.len();
            return self.cut(segment, &mut run);
        }
        for index in from..segment.batch.events.len() {
            let recorded = &segment.batch.events[index];
            if !self.subscription.filter().in_scope(recorded) {
                self.cut(segment, &mut run);
                continue;
            }
            let shown = recorded.shown && self.subscription.filter().shows(&recorded.event);
            let seen = Seen::live(segment.batch.cursor(index), recorded);
            match self.subscription.deliver(&seen, shown) {
                Some(loss) if loss.is_none() && !run.is_empty() => run.end = index + 1,
                Some(loss) => {
                    self.cut(segment, &mut run);
                    self.tell_all(loss);
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
            let frames = segment.frames(self.writer);
            let start = if run.start == 0 { 0 } else { frames.ends[run.start - 1] };
            let bytes = frames.bytes.slice(start..frames.ends[run.end - 1]);
            let last_start = run.end.checked_sub(2).map_or(0, |before| frames.ends[before]);
            let said_last = frames.ends[run.end - 1] > last_start;
            self.put(segment.batch.cursor(run.end - 1), bytes, said_last);
        }
    }

    /// `said_last`: whether the last of the events has a frame.
    fn put(&mut self, last: Cursor, bytes: Bytes, said_last: bool) {
        self.unsaid = (!said_last).then_some(last);
        if !bytes.is_empty() {
            self.ready.push(last, bytes);
        }
    }

    fn take_logged(&mut self, events: &[LoggedEvent]) {
        let (mut text, mut last, mut said_last) = (String::with_capacity(events.len() * 256), None, true);
        for logged in events {
            let Ok(event) = logged.to_stream() else { continue };
            let shown = logged.shown && self.subscription.filter().shows(&event);
            let Some(loss) = self.subscription.deliver_logged(logged, &event, shown) else { continue };
            loss.told().for_each(|event| (self.writer.write)(None, &event, &mut text));
            let before = text.len();
            (self.writer.write)(Some(logged.cursor), &event, &mut text);
            (last, said_last) = (Some(logged.cursor), text.len() > before);
        }
        if let Some(last) = last {
            self.put(last, Bytes::from(text), said_last);
        }
    }

    fn tell_all(&mut self, loss: Loss) {
        loss.told().for_each(|event| self.tell(&event));
    }

    fn tell(&mut self, event: &StreamEvent) {
        let mut text = String::new();
        (self.writer.write)(None, event, &mut text);
        if !text.is_empty() {
            self.ready.tell(Bytes::from(text));
        }
    }
}

impl Stream for FrameStream {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let this = self.get_mut();
        loop {
            if let Some(bytes) = this.ready.pop() {
                return Poll::Ready(Some(bytes));
            }
            this.ready.begin(&this.subscription);
            match std::task::ready!(this.subscription.poll_slice(cx)) {
                None => {
                    let loss = this.subscription.settle();
                    this.tell_all(loss);
                    if this.ready.is_empty() {
                        return Poll::Ready(None);
                    }
                }
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
