//! Streams: where one begins, and whether there is anything to come.

use super::{
    App,
    executions::answer,
    failure::Failure,
    params::{Id, Params, refuse},
    streams::{RunStream, stream_everything},
};
use crate::{
    Cursor, ExecutionId,
    hub::{Filter, From},
    log::Resolved,
};
use axum::{extract::State, http::HeaderMap, response::Response};
use std::sync::Arc;

/// `GET /stream`: the events of every execution, from now on unless something else is asked for.
pub(super) async fn of_everything(
    State(app): State<Arc<App>>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (from, dialect) = (params.from(&headers, From::Live)?, params.dialect()?);
    let Some(writer) = dialect.writer() else {
        let why = format!("dialect {} tells one execution: /executions/{{id}}/stream has it", dialect.as_str());
        return Err(refuse(why));
    };
    Ok(stream_everything(app, Filter::everything().in_mode(params.mode()?), from, dialect, writer))
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
    let run = RunStream::new(app, id).dialect(params.dialect()?).mode(params.mode()?);
    Ok(run.from(params.from(&headers, From::Start)?).respond().await)
}

/// What is known of an execution before its stream is read.
#[derive(Default)]
pub(super) struct Known {
    pub(super) offset: u64,
    pub(super) ended: bool,
}

impl App {
    /// The hub knows what is newest; the log, which may be a moment behind, what the hub has let go of.
    pub(super) async fn last_of(&self, id: ExecutionId) -> Known {
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
    pub(super) async fn offset_of(&self, cursor: Cursor) -> Option<u64> {
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
