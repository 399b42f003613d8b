//! Why a body is not read on: a status, a sentence, and whether it is worth coming back.

use axum::http::StatusCode;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) status: StatusCode,
    pub(super) why: String,
    /// The key belongs to another body: what became of that one is nothing to tell here.
    pub(super) another_body: bool,
}

impl Stop {
    fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self { status, why: why.into(), another_body: false }
    }

    /// What its headers say of the body is nothing that can be read.
    pub(super) fn unsupported(why: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why)
    }

    /// "If there is an attempt to reuse an idempotency key with a different request payload, the resource server SHOULD
    /// reply with a HTTP 422 status code" (draft-ietf-httpapi-idempotency-key-header).
    pub(super) fn another_body() -> Self {
        let why = "this Idempotency-Key came with another body before: a key is for one body";
        Self { another_body: true, ..Self::unacceptable(why) }
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

    /// "If the request is retried, while the original request is still being processed, the resource server SHOULD reply
    /// with an HTTP 409" (the same draft).
    pub(super) fn conflict(why: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, why)
    }

    /// Not now: the same request may be well in a moment.
    pub(super) fn busy(why: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, why)
    }

    /// Whether the same request may come again without a change.
    pub(super) fn may_retry(&self) -> bool {
        matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT | StatusCode::REQUEST_TIMEOUT)
    }
}
