//! The hub's frames as a stream's source: what is said first, in between, and when an execution is over.

use super::body::Frames;
use crate::{
    Cursor, StreamEvent, Text, Timestamp,
    event::{Connected, Ping},
    hub::FrameStream,
    wire::{
        FrameWriter,
        sse::{KEEP_ALIVE, write_bookmark, write_retry},
    },
};
use axum::body::Bytes;
use futures_core::Stream;
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

pub(super) struct HubFrames {
    frames: FrameStream,
    writer: FrameWriter,
    begins: Cursor,
    retry: Duration,
    /// Of one execution: whether it had ended before the stream began.
    ended_before: Option<bool>,
    is_over: bool,
}

impl HubFrames {
    /// Frames that begin after `begins`.
    pub(super) fn new(frames: FrameStream, writer: FrameWriter, begins: Cursor, retry: Duration) -> Self {
        Self { frames, writer, begins, retry, ended_before: None, is_over: false }
    }

    /// The same for one execution: the stream ends with it.
    pub(super) fn of_execution(mut self, has_ended: bool) -> Self {
        self.ended_before = Some(has_ended);
        self
    }

    /// The execution has ended, and everything was sent.
    fn has_ended(&self) -> bool {
        let ended = |before| self.frames.status().map_or(before, |status| status.is_final());
        self.ended_before.is_some_and(ended) && self.frames.is_caught_up()
    }

    /// Where to go on, for a reader whose last id is older than what was passed without being shown to it.
    fn bookmark(&mut self) -> Option<Bytes> {
        let cursor = self.frames.bookmark()?;
        let mut text = String::new();
        (self.writer.write)(Some(cursor), &StreamEvent::new(Ping::new()), &mut text);
        if text.is_empty() {
            write_bookmark(cursor, &mut text);
        }
        Some(Bytes::from(text))
    }
}

impl Frames for HubFrames {
    /// `data-connected`. Its id is where the stream begins, so that a client which loses the line before the first
    /// event comes back to here, and not to a later "now".
    fn first(&mut self) -> Bytes {
        let mut text = String::new();
        // Those who lost the line together do not come back together.
        write_retry(self.retry.mul_f64(1.0 + 2.0 * fastrand::f64()), &mut text);
        let connected = StreamEvent::new(Connected::new().cursor(Text::from(self.begins.to_string())));
        // Readers of the other dialects were promised a time with it.
        let time = (self.writer.slot != FrameWriter::NATIVE.slot).then(Timestamp::now);
        let connected = StreamEvent { time, ..connected };
        (self.writer.write)(Some(self.begins), &connected, &mut text);
        Bytes::from(text)
    }

    fn poll_frames(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frames) = Pin::new(&mut self.frames).poll_next(cx) {
            return Poll::Ready(frames);
        }
        if !self.has_ended() {
            return Poll::Pending;
        }
        self.is_over = true;
        Poll::Ready(self.bookmark())
    }

    fn sign_of_life(&mut self) -> Bytes {
        self.bookmark().unwrap_or(Bytes::from_static(KEEP_ALIVE.as_bytes()))
    }

    /// Who comes back goes on where it was.
    fn interrupted(&mut self) -> Option<Bytes> {
        None
    }
}
