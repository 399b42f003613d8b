//! Events of the record as JSON: pages by cursor in both directions, and the newest ones.

use super::{
    App,
    access::Allowed,
    failure::{Failure, json},
    params::{Id, Params, refuse},
    record::{Found, Place, Record, Wanted},
};
use crate::{
    Cursor,
    event::ExecutionEvent,
    log::{LoggedEvent, Scope},
};
use axum::{extract::State, response::Response};
use serde::Serialize;
use std::sync::Arc;

/// Events of the record.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Events {
    events: Vec<ExecutionEvent>,
    /// Where a page of later ones begins (`after`), or a stream.
    cursor: Cursor,
    /// Where a page of older ones begins (`before`); absent where there are none, and on pages read forwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Cursor>,
    /// False where there is more in the direction of reading. Of a page by kinds this may also be said where few or no
    /// events were found among very many.
    complete: bool,
    /// Events of this page that could not be read back.
    #[serde(skip_serializing_if = "is_zero")]
    unreadable: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// `GET /executions/{id}/events`: what the record has, whatever was shown to those who watched.
pub(super) async fn of_execution(
    State(app): State<Arc<App>>,
    allowed: Allowed,
    Id(id): Id,
    params: Params,
) -> Result<Response, Failure> {
    let record = Record::of(&app, allowed)?;
    let (limit, kinds) = (params.limit(200, 1_000)?, params.kinds()?);
    let from = place(&record, &params).await?;
    let row = record.execution(id).await?;
    let wanted = Wanted { scope: Scope::Execution(row.execution_id), from, tenant: None, kinds, limit };
    respond(&record, &wanted).await
}

/// `GET /events`: the record of everything, or of one session.
pub(super) async fn of_everything(
    State(app): State<Arc<App>>,
    allowed: Allowed,
    params: Params,
) -> Result<Response, Failure> {
    let record = Record::of(&app, allowed)?;
    let (limit, kinds, scope) = (params.limit(200, 1_000)?, params.kinds()?, scope(&params)?);
    let from = place(&record, &params).await?;
    respond(&record, &Wanted { scope, from, tenant: None, kinds, limit }).await
}

/// `GET /feed`: the newest events, the newest first unless told.
pub(super) async fn feed(State(app): State<Arc<App>>, allowed: Allowed, params: Params) -> Result<Response, Failure> {
    let record = Record::of(&app, allowed)?;
    let (limit, kinds, scope) = (params.limit(200, 1_000)?, params.kinds()?, scope(&params)?);
    let (newest_first, tenant) = (params.is_newest_first()?, record.allowed.only(params.tenant()?)?);
    let mut found = record.page(&Wanted { scope, from: Place::Before(u64::MAX), tenant, kinds, limit }).await?;
    if !newest_first {
        found.events.reverse();
    }
    Ok(json(&backwards(&found, record.log.opened_at())))
}

fn scope(params: &Params) -> Result<Scope, Failure> {
    Ok(params.session()?.map_or(Scope::Everything, Scope::Session))
}

async fn place(record: &Record<'_>, params: &Params) -> Result<Place, Failure> {
    match (params.after()?, params.before()?) {
        (Some(_), Some(_)) => Err(refuse("after and before: one of the two is accepted")),
        (_, Some(cursor)) => Ok(Place::Before(record.offset_of(cursor).await?)),
        (Some(cursor), None) => Ok(Place::After(record.offset_of(cursor).await?)),
        (None, None) => Ok(Place::After(0)),
    }
}

async fn respond(record: &Record<'_>, wanted: &Wanted) -> Result<Response, Failure> {
    let mut found = record.page(wanted).await?;
    let opened_at = record.log.opened_at();
    Ok(json(&match wanted.from {
        Place::After(_) => Events::new(&found.events, found.rest, None, found.complete),
        Place::Before(_) => {
            found.events.reverse();
            backwards(&found, opened_at)
        }
    }))
}

/// Who goes on from here misses nothing: what is in the hub and not in the log yet comes after the newest that the log
/// had.
fn backwards(found: &Found, opened_at: Cursor) -> Events {
    let before = (!found.complete).then_some(found.rest);
    Events::new(&found.events, found.first.unwrap_or(opened_at), before, found.complete)
}

impl Events {
    fn new(logged: &[LoggedEvent], cursor: Cursor, before: Option<Cursor>, complete: bool) -> Self {
        let events: Vec<_> = logged.iter().filter_map(|event| event.decode().ok()).collect();
        Self { unreadable: logged.len() - events.len(), events, cursor, before, complete }
    }
}
