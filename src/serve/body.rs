//! The body of a stream: its first frame, the hub's frames, signs of life, and an end.

use super::{
    App,
    app::{Phase, Reached},
    deadline::Deadline,
};
use crate::{
    Cursor, StreamEvent, Text,
    event::{Connected, Ping},
    hub::FrameStream,
    wire::sse::{KEEP_ALIVE, write_frame, write_retry},
};
use axum::body::Bytes;
use futures_core::Stream;
use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// Server-sent events, as a body. No deadline runs in here: a body that its reader does not take is not asked for
/// more, so it could not fire. Deadlines are the connection's, see `line`.
pub(super) struct SseBody {
    app: Arc<App>,
    first: Option<Bytes>,
    frames: FrameStream,
    silence: Deadline,
    ending: Reached,
    /// Of one execution: whether it had ended before the stream began.
    ended_before: Option<bool>,
    done: bool,
}

impl SseBody {
    /// A stream that begins after `begins`.
    pub(super) fn new(app: Arc<App>, frames: FrameStream, begins: Cursor) -> Self {
        app.counters.streams.enter();
        Self {
            first: Some(first_frame(begins, app.settings.retry)),
            silence: Deadline::new(app.settings.keep_alive),
            ending: app.reached(Phase::Ending),
            frames,
            app,
            ended_before: None,
            done: false,
        }
    }

    /// The same for one execution: the stream ends with it.
    pub(super) fn of_execution(mut self, has_ended: bool) -> Self {
        self.ended_before = Some(has_ended);
        self
    }

    fn poll_frames(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.ending.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frames) = Pin::new(&mut self.frames).poll_next(cx) {
            self.silence.touch();
            return Poll::Ready(frames);
        }
        if self.is_over() {
            self.done = true;
            return Poll::Ready(self.bookmark());
        }
        self.silence.poll_passed(self.app.settings.keep_alive, cx).map(|()| {
            self.silence.touch();
            Some(self.bookmark().unwrap_or(Bytes::from_static(KEEP_ALIVE.as_bytes())))
        })
    }

    /// The execution has ended, and everything was sent.
    fn is_over(&self) -> bool {
        let ended = |before| self.frames.status().map_or(before, |status| status.is_final());
        self.ended_before.is_some_and(ended) && self.frames.is_caught_up()
    }

    /// Where to go on, for a reader whose last id is older than what was passed without being shown to it.
    fn bookmark(&mut self) -> Option<Bytes> {
        self.frames.bookmark().map(|cursor| framed(cursor, Ping::new()))
    }
}

/// `data-connected`. Its id is where the stream begins, so that a client which loses the line before the first event
/// comes back to here, and not to a later "now".
fn first_frame(begins: Cursor, retry: Duration) -> Bytes {
    let mut text = String::new();
    // Those who lost the line together do not come back together.
    write_retry(retry.mul_f64(1.0 + 2.0 * fastrand::f64()), &mut text);
    let connected = StreamEvent::new(Connected::new().cursor(Text::from(begins.to_string())));
    write_frame(begins, &connected, &mut text);
    Bytes::from(text)
}

fn framed(cursor: Cursor, event: impl Into<crate::event::Body>) -> Bytes {
    let mut text = String::new();
    write_frame(cursor, &StreamEvent::new(event), &mut text);
    Bytes::from(text)
}

impl Stream for SseBody {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        if this.done {
            return Poll::Ready(None);
        }
        this.poll_frames(cx).map(|frames| frames.map(Ok))
    }
}

impl Drop for SseBody {
    fn drop(&mut self) {
        self.app.counters.streams.leave();
    }
}
