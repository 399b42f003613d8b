//! The body of a stream: its first frame, the hub's frames, signs of life, and an end.

use super::{
    App,
    app::{Phase, Reached},
    bell::Rope,
    deadline::Deadline,
};
use crate::{
    Cursor, StreamEvent, Text,
    event::{Connected, Ping},
    hub::FrameStream,
    wire::sse::{KEEP_ALIVE, write_frame, write_retry},
};
use axum::body::Bytes;
use bytes::BytesMut;
use futures_core::Stream;
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

/// Up to here pieces are joined.
const JOINED_BYTES: usize = 16 << 10;

/// Server-sent events, as a body. No deadline runs in here: a body that its reader does not take is not asked for
/// more, so it could not fire. Deadlines are the connection's, see `line`.
pub(super) struct SseBody {
    app: Arc<App>,
    /// Goes out before anything else: the first frame, later a piece that is too large to be joined.
    next: Option<Bytes>,
    frames: FrameStream,
    silence: Deadline,
    /// Everything there was has been given out: what comes next may wait for more, see [`Settings::coalesce`].
    ///
    /// [`Settings::coalesce`]: super::Settings::coalesce
    drained: bool,
    ending: Reached,
    rope: Arc<Rope>,
    /// Of one execution: whether it had ended before the stream began.
    ended_before: Option<bool>,
    done: bool,
}

impl SseBody {
    /// A stream that begins after `begins`.
    pub(super) fn new(app: Arc<App>, frames: FrameStream, begins: Cursor) -> Self {
        app.counters.streams.enter();
        Self {
            next: Some(first_frame(begins)),
            silence: Deadline::new(app.settings.keep_alive),
            ending: app.reached(Phase::Ending),
            rope: app.bell.rope(),
            drained: false,
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
        if Pin::new(&mut self.ending).poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        ready!(self.poll_coalesced(cx));
        if let Poll::Ready(frames) = self.poll_joined(cx) {
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
        let piece = Pin::new(&mut self.frames).poll_next(&mut Context::from_waker(&waker));
        self.drained = piece.is_pending();
        if !self.drained {
            self.rope.pull();
        }
        piece
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
fn first_frame(begins: Cursor) -> Bytes {
    let mut text = String::new();
    // Those who lost the line together do not come back together.
    write_retry(Duration::from_millis(fastrand::u64(1_000..=3_000)), &mut text);
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
        if let Some(next) = this.next.take() {
            return Poll::Ready(Some(Ok(next)));
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
