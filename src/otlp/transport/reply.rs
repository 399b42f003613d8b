//! What came of a request: one table for HTTP, one for gRPC, both the OTLP specification's ("Failures", "Throttling").

use std::time::Duration;

/// What came of a request, and so what is to be done with what was in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It is theirs now.
    Accepted,
    /// It is theirs, but for this many. "The client MUST NOT retry the request when it receives a partial success."
    /// None rejected, but a message: a warning, and all was taken.
    Partial { rejected: u64, message: String },
    /// Too many bytes: fewer of them may be taken.
    TooLarge(String),
    /// Nothing is known to have arrived; the same request may be sent again, not earlier than `after`.
    Retry { after: Option<Duration>, why: String },
    /// It will not be taken, however often it is sent.
    Refused(String),
}

/// The longest wait that is heeded: a back end that asks for more is asked again after this.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);

/// What a status means, before anything else of the answer is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Accepted,
    TooLarge,
    Retry,
    Refused,
}

impl Meaning {
    /// "Retryable Response Codes": 429, 502, 503, 504; "All other 4xx or 5xx response status codes MUST NOT be retried".
    /// 413 is not sent again either, but smaller.
    pub(super) const fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Accepted,
            413 => Self::TooLarge,
            429 | 502 | 503 | 504 => Self::Retry,
            _ => Self::Refused,
        }
    }
}
