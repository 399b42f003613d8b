//! What became of a body, as its sender is told.

use super::{
    form::{ACCEPT, ACCEPT_ENCODING},
    progress::{Progress, Refusal},
    stop::Stop,
};
use crate::{Cursor, serve::failure::json};
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;

/// What became of a body.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::serve) struct Taken<'a> {
    /// What is to be said where not all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Events that are in the record, of all the requests that brought this body.
    accepted: u64,
    /// Those that could not be read, the first of them.
    refused: &'a [Refusal],
    /// How many could not be read.
    refused_count: u64,
    /// How many are of executions that are somebody else's.
    denied: u64,
    /// Whether what was accepted is on disk: it is, where there is a log.
    durable: bool,
    /// Where the record stood when all was on disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<Cursor>,
}

/// The answer to a body that was read, wholly or up to where it stopped.
pub(super) fn of_body(progress: &Progress, stop: Option<&Stop>, has_log: bool) -> Response {
    let (refused, denied) = (progress.refused(), progress.denied());
    let status = match stop {
        Some(stop) => stop.status,
        None if refused.count + denied > 0 => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let taken = Taken {
        error: stop.map(|stop| stop.why.clone()).or_else(|| not_all(progress.accepted(), refused.count, denied)),
        accepted: progress.accepted(),
        refused: &refused.listed,
        refused_count: refused.count,
        denied,
        durable: has_log,
        cursor: progress.cursor(),
    };
    with_status(json(&taken), status, stop)
}

/// The answer to a body that was not read.
pub(super) fn unread(stop: &Stop) -> Response {
    with_status(json(&serde_json::json!({"error": stop.why})), stop.status, Some(stop))
}

fn not_all(accepted: u64, refused: u64, denied: u64) -> Option<String> {
    let said = match (refused, denied) {
        (0, 0) => return None,
        (_, 0) => format!("events refused: {refused}; taken: {accepted}"),
        (0, _) => format!("events of executions that are not yours: {denied}; taken: {accepted}"),
        _ => format!("events refused: {refused}; of executions that are not yours: {denied}; taken: {accepted}"),
    };
    Some(said)
}

fn with_status(mut response: Response, status: StatusCode, stop: Option<&Stop>) -> Response {
    *response.status_mut() = status;
    let mut say = |name: HeaderName, value| drop(response.headers_mut().insert(name, HeaderValue::from_static(value)));
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        say(header::ACCEPT, ACCEPT);
        say(header::ACCEPT_ENCODING, ACCEPT_ENCODING);
    }
    if stop.is_some_and(Stop::may_retry) {
        say(header::RETRY_AFTER, "1");
    }
    response
}
