//! What a request that cannot be answered gets: a status and a sentence of our own, never a dependency's text.

use crate::Error;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// A request that cannot be answered, and why.
#[derive(Debug)]
pub(super) struct Failure(StatusCode, String);

impl Failure {
    pub(super) fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self(status, why.into())
    }

    /// Something in the request is not of the form that is accepted. The message is ours: ids, cursors and modes are
    /// read without a library.
    pub(super) fn bad(error: &Error) -> Self {
        Self(StatusCode::BAD_REQUEST, error.to_string())
    }

    /// The log gave no answer. What it said stays inside: it may hold paths and a library's words (CWE-209).
    pub(super) fn of_log(error: &Error) -> Self {
        if error.is_not_found() {
            return Self::new(StatusCode::NOT_FOUND, "before: the list has no execution of this id");
        }
        match (error.is_closed(), error.is_timed_out()) {
            (true, _) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "the recorder has shut down"),
            (_, true) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "the log did not answer in time"),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the log could not be read"),
        }
    }
}

/// Why there is no answer.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Refusal {
    /// What was wrong, where, and what is accepted. For people: the wording may change.
    error: String,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, json(&Refusal { error: self.1 })).into_response()
    }
}

/// A JSON answer; never kept by a cache, since the record grows.
pub(super) fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, body).into_response()
        }
        // What we write has string keys and finite numbers; there is no such value.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

pub(super) async fn not_allowed() -> Failure {
    Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "the path has no such method: the header Allow says which it has (GET and HEAD for what is read)",
    )
}

pub(super) async fn not_found() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "no such route; GET /openapi.json lists those that there are")
}
