//! What came of a request: and what a status of HTTP means, by the OTLP specification ("Failures", "Throttling").

use std::time::{Duration, SystemTime};

/// What came of a request, and so what is to be done with what was in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It is theirs now.
    Accepted,
    /// It is theirs, but for this many: "The client MUST NOT retry the request when it receives a partial success".
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

/// What a status means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Accepted,
    TooLarge,
    Retry,
    Refused,
}

impl Meaning {
    /// A status of HTTP. "Retryable Response Codes": 429, 502, 503, 504; "All other 4xx or 5xx response status codes
    /// MUST NOT be retried". Nor is 413, but what was in it may be sent in parts.
    pub(super) const fn of_http(status: u16) -> Self {
        match status {
            200..=299 => Self::Accepted,
            413 => Self::TooLarge,
            429 | 502 | 503 | 504 => Self::Retry,
            _ => Self::Refused,
        }
    }

    /// The reply with this sentence in it; `after` is for what may be sent again.
    pub(super) fn reply(self, sentence: String, after: Option<Duration>) -> Reply {
        match self {
            Self::Accepted => Reply::Accepted,
            Self::TooLarge => Reply::TooLarge(sentence),
            // To be asked again at once, by everyone, is nobody's wish (a proxy's default, a clock that is behind ours):
            // then it is as long as if nothing had been said.
            Self::Retry => {
                let after = after.filter(|wait| !wait.is_zero()).map(|wait| wait.min(LONGEST_WAIT));
                Reply::Retry { after, why: sentence }
            }
            Self::Refused => Reply::Refused(sentence),
        }
    }
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date, which is counted from `now`. None for anything else.
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit is a long time too.
        return Some(value.parse().map_or(LONGEST_WAIT, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    // A date that is over: at once.
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}
