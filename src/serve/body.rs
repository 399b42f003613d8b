//! The body of a stream: its first frame, the frames of its source, signs of life, and an end.

use super::{
    App,
    app::{Phase, Reached},
    deadline::Deadline,
};
use axum::body::Bytes;
use futures_core::Stream;
use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// Where a stream's frames come from.
pub(super) trait Frames: Send + Unpin + 'static {
    /// What is sent at once.
    fn first(&mut self) -> Bytes;

    /// What is next; none when all was given out and nothing more comes.
    fn poll_frames(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>>;

    /// What is sent after a silence.
    fn sign_of_life(&mut self) -> Bytes;

    /// What is still to be said when the server ends before the stream does.
    fn interrupted(&mut self) -> Option<Bytes>;
}

/// Server-sent events, as a body. No deadline runs in here: a body that its reader does not take is not asked for
/// more, so it could not fire. Deadlines are the connection's, see `line`.
pub(super) struct SseBody<F> {
    app: Arc<App>,
    is_begun: bool,
    frames: F,
    silence: Deadline,
    ending: Reached,
    done: bool,
}

impl<F: Frames> SseBody<F> {
    pub(super) fn new(app: Arc<App>, frames: F) -> Self {
        app.counters.streams.enter();
        Self {
            is_begun: false,
            silence: Deadline::new(app.settings.keep_alive),
            ending: app.reached(Phase::Ending),
            frames,
            app,
            done: false,
        }
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.ending.as_mut().poll(cx).is_ready() {
            self.done = true;
            return Poll::Ready(self.frames.interrupted());
        }
        if let Poll::Ready(frames) = self.frames.poll_frames(cx) {
            self.silence.touch();
            self.done = frames.is_none();
            return Poll::Ready(frames);
        }
        self.silence.poll_passed(self.app.settings.keep_alive, cx).map(|()| {
            self.silence.touch();
            Some(self.frames.sign_of_life())
        })
    }
}

impl<F: Frames> Stream for SseBody<F> {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if !std::mem::replace(&mut this.is_begun, true) {
            return Poll::Ready(Some(Ok(this.frames.first())));
        }
        if this.done {
            return Poll::Ready(None);
        }
        this.poll_bytes(cx).map(|frames| frames.map(Ok))
    }
}

impl<F> Drop for SseBody<F> {
    fn drop(&mut self) {
        self.app.counters.streams.leave();
    }
}
