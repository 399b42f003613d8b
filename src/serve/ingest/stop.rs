//! Why a body is not read on: a status, a sentence, and whether it is worth coming back.

use axum::http::StatusCode;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) status: StatusCode,
    pub(super) why: String,
}

impl Stop {
    fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self { status, why: why.into() }
    }

    /// The body is not what its headers say.
    pub(super) fn malformed(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    /// More than a limit allows.
    pub(super) fn too_large(why: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, why)
    }

    /// Well-formed, and still nothing that is taken.
    pub(super) fn unacceptable(why: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, why)
    }

    /// The client took too long.
    pub(super) fn too_slow(why: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, why)
    }

    /// Something else with this key is under way.
    pub(super) fn conflict(why: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, why)
    }

    /// Not now: the same request may be well in a moment.
    pub(super) fn busy(why: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, why)
    }

    /// Whether the same request may come again without a change.
    pub(super) fn may_retry(&self) -> bool {
        matches!(
            self.status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT | StatusCode::REQUEST_TIMEOUT
        )
    }
}
