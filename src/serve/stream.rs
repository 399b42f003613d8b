//! Streams: where one begins, and whether there is anything to come.

use super::{
    App,
    access::Allowed,
    failure::Failure,
    params::{Id, Named, Params, refuse},
    record::answer,
    streams::{RunStream, stream_everything},
};
use crate::{
    Cursor, ExecutionId, Text,
    event::{Class, KindSet, StreamMode},
    hub::{Filter, From},
    log::{Resolved, Scope},
    wire::Dialect,
};
use axum::{extract::State, http::HeaderMap, response::Response};
use std::sync::Arc;

/// `GET /stream`: the events of every execution, from now on unless something else is asked for.
pub(super) async fn of_everything(
    State(app): State<Arc<App>>,
    allowed: Allowed,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    of_many(app, Filter::everything(), allowed.tenant().cloned(), &params, &headers)
}

/// `GET /sessions/{id}/stream`: the events of one conversation, from now on unless something else is asked for. It never
/// ends by itself: another execution may begin at any time.
pub(super) async fn of_session(
    State(app): State<Arc<App>>,
    allowed: Allowed,
    Named(id): Named,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    of_many(app, Filter::of(Scope::Session(id)), allowed.tenant().cloned(), &params, &headers)
}

/// `GET /tenants/{id}/stream`: the same of everything that is one tenant's.
pub(super) async fn of_tenant(
    State(app): State<Arc<App>>,
    allowed: Allowed,
    Named(id): Named,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    of_many(app, Filter::everything(), allowed.only(Some(id))?, &params, &headers)
}

fn of_many(
    app: Arc<App>,
    mut filter: Filter,
    tenant: Option<Text>,
    params: &Params,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let ((from, _), dialect) = (params.from(headers, From::Live)?, params.dialect()?);
    let Some(writer) = dialect.writer() else {
        let why = format!("dialect {} tells one execution: /executions/{{id}}/stream has it", dialect.as_str());
        return Err(refuse(why));
    };
    filter.tenant_id = tenant;
    Ok(stream_everything(app, filter.in_mode(params.mode()?).of_kinds(params.kinds()?), from, dialect, writer))
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
    allowed: Allowed,
    Id(id): Id,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (dialect, kinds, mode) = (params.dialect()?, params.kinds()?, params.mode()?);
    if dialect.writer().is_none() {
        tells_a_whole(dialect, kinds, mode)?;
    }
    let run = allowed.restrict(RunStream::new(app, id), RunStream::of_tenant).dialect(dialect).mode(mode).kinds(kinds);
    let (from, told) = params.from(&headers, From::Start)?;
    Ok(run.from(from).having(told).respond().await)
}

/// A run is told as a whole, up to its end.
fn tells_a_whole(dialect: Dialect, kinds: KindSet, mode: StreamMode) -> Result<(), Failure> {
    let name = dialect.as_str();
    if kinds != KindSet::ALL {
        return Err(refuse(format!("kinds: dialect {name} tells a run as a whole, without a choice")));
    }
    match mode.shows(Class::Structural) {
        true => Ok(()),
        false => Err(refuse(format!("mode: dialect {name} tells a run as a whole: full or summary is accepted"))),
    }
}

/// What is known of an execution before its stream is read.
#[derive(Default)]
pub(super) struct Known {
    pub(super) offset: u64,
    pub(super) ended: bool,
}

impl App {
    /// The hub knows what is newest; the log, which may be a moment behind, what the hub has let go of. A tenant's question
    /// about what is another's is answered as if there were nothing.
    pub(super) async fn last_of(&self, id: ExecutionId, tenant: Option<&Text>) -> Known {
        let (offset, status) = self.recorder.hub().last_of(&id, tenant).unwrap_or_default();
        if let Some(status) = status {
            return Known { offset, ended: status.is_final() };
        }
        let Some(log) = self.recorder.log() else { return Known { offset, ended: false } };
        match answer(log.execution(id)).await {
            Ok(Some(row)) if tenant.is_none() || row.tenant_id.as_ref() == tenant => {
                Known { offset: offset.max(row.cursor.offset), ended: row.status.is_final() }
            }
            // Not known to have ended: the stream waits for more.
            _ => Known { offset, ended: false },
        }
    }

    /// The offset behind a cursor; none where its owner has to be told of a gap.
    pub(super) async fn offset_of(&self, cursor: Cursor) -> Option<u64> {
        if let Resolved::At(offset) = self.resolve(cursor).await { Some(offset) } else { None }
    }

    /// Where a cursor leads; nowhere where the log cannot say.
    pub(super) async fn resolve(&self, cursor: Cursor) -> Resolved {
        let newest = self.recorder.hub().newest();
        match self.recorder.log() {
            _ if cursor.epoch == newest.epoch && cursor.offset <= newest.offset => Resolved::At(cursor.offset),
            Some(log) if cursor.epoch != newest.epoch => answer(log.resolve(cursor)).await.unwrap_or(Resolved::Unknown),
            _ => Resolved::Unknown,
        }
    }
}
