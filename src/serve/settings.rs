//! What a server may be told: its silences and patience, the names it answers to, and who may ask.

use super::{Access, cors};
use crate::Error;
use axum::http::HeaderValue;
use std::time::Duration;

/// Settings of a [`Server`](super::Server) or [`router`](super::router).
#[derive(Debug, Clone)]
#[must_use = "settings do nothing by themselves"]
pub struct Settings {
    pub(super) keep_alive: Duration,
    pub(super) write_idle: Duration,
    pub(super) coalesce: Duration,
    pub(super) drain: Duration,
    pub(super) retry: Duration,
    pub(super) connections: usize,
    pub(super) hosts: Vec<String>,
    pub(super) access: Option<Access>,
    /// Of pages that may read what is answered.
    pub(super) origins: Vec<HeaderValue>,
}

/// Timers below this would keep a core busy for nothing.
const SHORTEST: Duration = Duration::from_millis(10);
/// A person who watches takes more for a stream that hangs.
const LONGEST_COALESCE: Duration = Duration::from_secs(1);
/// Sums of timers above this would overflow a clock: a day is for ever here.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Default for Settings {
    /// Keep-alive 15 s, write-idle 10 s, no coalescing, 1 s to end, 1 to 3 s until clients come back, 512 connections,
    /// loopback names only, no tokens, no other origins.
    fn default() -> Self {
        Self {
            keep_alive: Duration::from_secs(15),
            write_idle: Duration::from_secs(10),
            coalesce: Duration::ZERO,
            drain: Duration::from_secs(1),
            retry: Duration::from_secs(1),
            // Half of the 1,024 descriptors that a process usually may have: a flood of connections must not take the
            // files of the program away.
            connections: 512,
            hosts: Vec::new(),
            access: None,
            origins: Vec::new(),
        }
    }
}

impl Settings {
    /// How long a stream is silent before a sign of life goes out ("a comment line … every 15 seconds or so", WHATWG
    /// HTML 9.2.7). 10 ms to a day.
    pub fn keep_alive(mut self, silence: Duration) -> Self {
        self.keep_alive = silence.clamp(SHORTEST, LONGEST);
        self
    }

    /// How long a client may leave a write waiting before its connection is closed. 10 ms to a
    /// day.
    ///
    /// A connection on which nothing could be written for this and the keep-alive together is closed too: one that
    /// never sends a whole request, or does nothing. A body of events that comes on is read until a deadline of its own
    /// (`docs/ingest.md`).
    pub fn write_idle(mut self, limit: Duration) -> Self {
        self.write_idle = limit.clamp(SHORTEST, LONGEST);
        self
    }

    /// How long a stream that had everything waits for more since its last frame, so that what comes one by one is
    /// written many at a time. Zero, the default, writes at once; up to a second.
    ///
    /// The first event after a silence of this long still goes out at once. Of use where many readers watch the same
    /// busy stream: there the write to each socket is the cost, whatever it carries.
    pub fn coalesce(mut self, wait: Duration) -> Self {
        self.coalesce = wait.min(LONGEST_COALESCE);
        self
    }

    /// How long a server that ends waits for its clients to take what is under way.
    pub fn drain(mut self, limit: Duration) -> Self {
        self.drain = limit.min(LONGEST);
        self
    }

    /// How long a client that lost the line is asked to wait before it comes back, at least; up to three times as long,
    /// at random, so that those who lost it together do not come back together. 10 ms to a day.
    pub fn retry(mut self, pause: Duration) -> Self {
        self.retry = pause.clamp(SHORTEST, LONGEST);
        self
    }

    /// How many connections may be open at once; each costs a file descriptor. Further ones are closed at once: a
    /// browser's `EventSource` tries again after such an end, while it gives up for ever on a 503 (WHATWG HTML 9.2.3).
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most;
        self
    }

    /// Accepts requests for this host too, on any port: the name by which clients reach the server. Only with
    /// [`access`](Settings::access), or behind authentication of your own: without, any page in a browser could read the
    /// record by DNS rebinding.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    /// Asks for tokens, on loopback too. Only with this can a [`Server`](super::Server) listen elsewhere. Addresses (not
    /// names) are accepted in `Host` then, since no name can be rebound to them.
    pub fn access(mut self, access: Access) -> Self {
        self.access = Some(access);
        self
    }

    /// Lets pages of this origin ask and read, with a token, a ticket or a cookie. Exactly as browsers write it:
    /// `https://app.example.org`. Pages of other origins are refused.
    ///
    /// # Errors
    /// `is_config` for what is no origin; `*` is none.
    pub fn cors_origin(mut self, origin: impl AsRef<str>) -> Result<Self, Error> {
        self.origins.push(cors::origin(origin.as_ref())?);
        Ok(self)
    }
}
