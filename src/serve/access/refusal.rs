//! A request that may not: which status, which challenge (RFC 6750, 3), and a sentence.

use super::{
    super::{counters::Counters, failure::Failure},
    grant::Right,
};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::sync::atomic::Ordering::Relaxed;

/// Why a request is turned away. The sentences are fixed: nothing of what was sent is said again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It proves nothing: "the resource server SHOULD NOT include an error code" (RFC 6750, 3.1).
    Nothing,
    /// What it shows does not hold, or not any more.
    Token(&'static str),
    /// It is not of the form in which something can be shown.
    Form(&'static str),
    /// What it shows holds, and does not give this right.
    Right(Right),
    /// A cookie that a page of somebody else may have sent.
    Cookie(&'static str),
}

impl Refusal {
    pub(super) fn count(self, counters: &Counters) {
        match self.status() {
            StatusCode::UNAUTHORIZED => counters.unauthorized.fetch_add(1, Relaxed),
            _ => counters.forbidden.fetch_add(1, Relaxed),
        };
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Nothing | Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::Form(_) => StatusCode::BAD_REQUEST,
            Self::Right(_) | Self::Cookie(_) => StatusCode::FORBIDDEN,
        }
    }

    fn sentence(self) -> String {
        match self {
            Self::Nothing => "a token is needed: the header Authorization: Bearer … is accepted".into(),
            Self::Token(why) | Self::Form(why) | Self::Cookie(why) => why.into(),
            Self::Right(right) => format!("the token does not have the scope {}", right.as_str()),
        }
    }

    fn challenge(self) -> Option<String> {
        let error = match self {
            Self::Nothing => return Some(CHALLENGE.into()),
            Self::Cookie(_) => return None,
            Self::Token(_) => "invalid_token",
            Self::Form(_) => "invalid_request",
            Self::Right(right) => {
                return Some(format!("{CHALLENGE}, error=\"insufficient_scope\", scope=\"{}\"", right.as_str()));
            }
        };
        Some(format!("{CHALLENGE}, error=\"{error}\""))
    }
}

const CHALLENGE: &str = "Bearer realm=\"spanwright\"";

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Failure::new(self.status(), self.sentence()).into_response();
        let challenge = self.challenge().and_then(|text| HeaderValue::try_from(text).ok());
        challenge.map(|challenge| response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge));
        response
    }
}
