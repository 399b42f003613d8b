//! How long a client waits before it tries again.

use std::time::Duration;

/// How long a [`Client`](super::Client) waits before it tries again: what the server asked for, and on top of it a random
/// time whose bound doubles from try to try ("full jitter"), so that those who lost the line together do not come back
/// together. An event that arrives puts the bound back to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a back-off does nothing by itself"]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    heeded: Duration,
}

impl Default for Backoff {
    /// Up to half a second at first, up to 30 s later; a server may ask for 5 minutes more.
    fn default() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(30))
    }
}

impl Backoff {
    /// A random wait of at most `first` before the first try, of at most twice as much before each further one, and
    /// never of more than `longest`. A server may ask for 5 minutes more.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, heeded: Duration::from_secs(5 * 60) }
    }

    /// No wait at all, whatever a server asks for. For tests: a server that is down is asked without a pause.
    pub const fn none() -> Self {
        Self::new(Duration::ZERO, Duration::ZERO).heed(Duration::ZERO)
    }

    /// How much of what a server asks for is heeded: its `retry:` in the stream, its `Retry-After` on a 429 or 503.
    pub const fn heed(mut self, most: Duration) -> Self {
        self.heeded = most;
        self
    }

    /// The wait before a try, after `lost` tries without an event; `asked` is what the server asked for.
    pub(super) fn pause(&self, lost: u32, asked: Duration) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(lost));
        let bound = u64::try_from(doubled.min(self.longest).as_micros()).unwrap_or(u64::MAX);
        asked.min(self.heeded).saturating_add(Duration::from_micros(fastrand::u64(0..=bound)))
    }

    /// A connection that stood this long was a good one, also if nothing happened on it.
    pub(super) const fn longest(&self) -> Duration {
        self.longest
    }
}
