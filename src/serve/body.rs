//! The body of a stream: its first frame, the frames of its source, signs of life, and an end.

use super::{
    App,
    app::{Phase, Reached},
    deadline::Deadline,
};
use crate::hub::bell::Rope;
use axum::body::Bytes;
use bytes::BytesMut;
use futures_core::Stream;
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

/// Up to here pieces are joined.
const JOINED_BYTES: usize = 16 << 10;

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
    /// A piece that is too large to be joined goes out by itself.
    next: Option<Bytes>,
    frames: F,
    silence: Deadline,
    /// Everything there was has been given out: what comes next may wait for more, see [`Settings::coalesce`].
    ///
    /// [`Settings::coalesce`]: super::Settings::coalesce
    drained: bool,
    ending: Reached,
    rope: Arc<Rope>,
    done: bool,
}

impl<F: Frames> SseBody<F> {
    pub(super) fn new(app: Arc<App>, frames: F) -> Self {
        app.counters.streams.enter();
        Self {
            is_begun: false,
            next: None,
            silence: Deadline::new(app.settings.keep_alive),
            ending: app.reached(Phase::Ending),
            rope: app.bell.rope(),
            drained: false,
            frames,
            app,
            done: false,
        }
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if Pin::new(&mut self.ending).poll(cx).is_ready() {
            self.done = true;
            return Poll::Ready(self.frames.interrupted());
        }
        ready!(self.poll_coalesced(cx));
        if let Poll::Ready(frames) = self.poll_joined(cx) {
            self.silence.touch();
            self.done = frames.is_none();
            return Poll::Ready(frames);
        }
        self.silence.poll_passed(self.app.settings.keep_alive, cx).map(|()| {
            self.silence.touch();
            Some(self.frames.sign_of_life())
        })
    }

    /// Ready when the next frames may be taken. Only a reader that had everything waits: one that is behind would fall
    /// further behind.
    fn poll_coalesced(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // A sign of life does not wait for more.
        let coalesce = self.app.settings.coalesce.min(self.app.settings.keep_alive);
        if self.drained && !coalesce.is_zero() {
            ready!(self.silence.poll_passed(coalesce, cx));
        }
        self.drained = false;
        Poll::Ready(())
    }

    /// The next frames. Small pieces that are there leave as one: a copy costs less than a chunk of its own, of which
    /// hyper writes five at once.
    fn poll_joined(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(first) = ready!(self.poll_piece(cx)) else { return Poll::Ready(None) };
        let mut joined = BytesMut::new();
        while first.len().max(joined.len()) < JOINED_BYTES {
            // Of an end we are told again.
            let Poll::Ready(Some(next)) = self.poll_piece(cx) else { break };
            if next.len() >= JOINED_BYTES {
                self.next = Some(next);
                break;
            }
            if joined.is_empty() {
                joined.extend_from_slice(&first);
            }
            joined.extend_from_slice(&next);
        }
        Poll::Ready(Some(if joined.is_empty() { first } else { joined.freeze() }))
    }

    /// The hub is asked again only when it has called: hyper asks a body after each piece, and after each byte that its
    /// client sends.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.rope.tie(cx.waker());
        if !self.rope.was_pulled() {
            return Poll::Pending;
        }
        let waker = Waker::from(self.rope.clone());
        let piece = self.frames.poll_frames(&mut Context::from_waker(&waker));
        self.drained = piece.is_pending();
        if !self.drained {
            self.rope.pull();
        }
        piece
    }
}

impl<F: Frames> Stream for SseBody<F> {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if !std::mem::replace(&mut this.is_begun, true) {
            return Poll::Ready(Some(Ok(this.frames.first())));
        }
        if let Some(next) = this.next.take() {
            return Poll::Ready(Some(Ok(next)));
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
