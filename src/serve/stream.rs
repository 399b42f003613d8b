//! Streams: where one begins, and whether there is anything to come.

use super::{
    App,
    body::SseBody,
    executions::answer,
    failure::Failure,
    params::{Id, Params},
};
use crate::{
    Cursor, ExecutionId,
    hub::{Filter, From},
    log::{Resolved, Scope},
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// `GET /stream`: the events of every execution, from now on unless something else is asked for.
pub(super) async fn of_everything(
    State(app): State<Arc<App>>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let from = params.from(&headers, From::Live)?;
    let frames = app.recorder.hub().subscribe_frames(Filter::everything().in_mode(params.mode()?), from);
    let begins = begins(from, frames.cursor());
    Ok(respond(SseBody::new(app, frames, begins)))
}

/// `GET /executions/{id}/stream`: the events of one execution, from its first unless something else is asked for.
///
/// The body ends when the execution has ended and everything was sent. An `EventSource` then reconnects with the last
/// id, and is answered 204 when nothing has come since: the one answer that makes it stop without an error ("HTTP 204
/// No Content … to tell the client to stop reconnecting", WHATWG HTML 9.2.1).
///
/// An execution that nobody knows is waited for: a client may be there before it begins.
pub(super) async fn of_execution(
    State(app): State<Arc<App>>,
    Id(id): Id,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let from = params.from(&headers, From::Start)?;
    let filter = Filter::of(Scope::Execution(id.clone())).in_mode(params.mode()?);
    let frames = app.recorder.hub().subscribe_frames(filter, from);
    let begins = begins(from, frames.cursor());
    // Asked after the stream began: what ends the execution is either known now, or comes in the stream.
    let known = app.last_of(id).await;
    let seen = match from {
        From::Start => None,
        _ => app.offset_of(begins).await,
    };
    if known.ended && seen.is_some_and(|seen| seen >= known.offset) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(respond(SseBody::new(app, frames, begins).of_execution(known.ended)))
}

/// A client that came with a cursor begins there, even if it has yet to be found in the log.
fn begins(from: From, now: Cursor) -> Cursor {
    if let From::After(cursor) = from { cursor } else { now }
}

/// Proxies must neither keep a stream nor hold it back (`X-Accel-Buffering`: nginx and those who follow it).
fn respond(body: SseBody) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(body)).into_response()
}

/// What is known of an execution before its stream is read.
#[derive(Default)]
struct Known {
    offset: u64,
    ended: bool,
}

impl App {
    /// The hub knows what is newest; the log, which may be a moment behind, what the hub has let go of.
    async fn last_of(&self, id: ExecutionId) -> Known {
        let (offset, status) = self.recorder.hub().last_of(&id, None).unwrap_or_default();
        if let Some(status) = status {
            return Known { offset, ended: status.is_final() };
        }
        let Some(log) = self.recorder.log() else { return Known { offset, ended: false } };
        match answer(log.execution(id)).await {
            Ok(Some(row)) => Known { offset: offset.max(row.cursor.offset), ended: row.status.is_final() },
            // Not known to have ended: the stream waits for more.
            _ => Known { offset, ended: false },
        }
    }

    /// The offset behind a cursor; none where its owner has to be told of a gap.
    async fn offset_of(&self, cursor: Cursor) -> Option<u64> {
        let newest = self.recorder.hub().newest();
        if cursor.epoch == newest.epoch {
            return (cursor.offset <= newest.offset).then_some(cursor.offset);
        }
        match answer(self.recorder.log()?.resolve(cursor)).await {
            Ok(Resolved::At(offset)) => Some(offset),
            _ => None,
        }
    }
}
