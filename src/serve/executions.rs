//! Snapshots: which executions there are, and what the record has of one, page by page.

use super::{
    App,
    failure::{Failure, json},
    params::{Id, Params},
};
use crate::{
    Cursor, EventLog, Pending,
    event::ExecutionEvent,
    log::{ExecutionRow, ExecutionsQuery, LoggedEvent, Page, Query, Resolved, Scope},
};
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// How long the log may take for an answer.
const LOG_LIMIT: Duration = Duration::from_secs(5);
/// A page ends early when its events hold this much; one event is always on it.
const MAX_PAGE_BYTES: usize = 4 << 20;

#[derive(Serialize)]
struct List {
    executions: Vec<ExecutionRow>,
}

#[derive(Serialize)]
struct Snapshot {
    events: Vec<ExecutionEvent>,
    /// Where the next page begins, or a stream.
    cursor: Cursor,
    complete: bool,
    /// Events of this page that could not be read back.
    #[serde(skip_serializing_if = "is_zero")]
    unreadable: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// `GET /executions`: the newest first.
pub(super) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Response, Failure> {
    let limit = params.limit(100, 1_000)?;
    let executions = answer(app.log()?.executions(ExecutionsQuery::newest(limit))).await?;
    Ok(json(&List { executions }))
}

/// `GET /executions/{id}`.
pub(super) async fn one(State(app): State<Arc<App>>, Id(id): Id) -> Result<Response, Failure> {
    let row = answer(app.log()?.execution(id)).await?;
    row.map(|row| json(&row)).ok_or_else(no_execution)
}

/// `GET /executions/{id}/events`: what the record has, whatever was shown to those who watched.
pub(super) async fn events(State(app): State<Arc<App>>, Id(id): Id, params: Params) -> Result<Response, Failure> {
    let (log, limit) = (app.log()?, params.limit(200, 1_000)?);
    let after = match params.after()? {
        Some(cursor) => offset_of(log, cursor).await?,
        None => 0,
    };
    let page = answer(log.read(Query::new(Scope::Execution(id.clone()), after, limit))).await?;
    if page.events.is_empty() && answer(log.execution(id)).await?.is_none() {
        return Err(no_execution());
    }
    Ok(json(&snapshot(page, log.opened_at().epoch)))
}

async fn offset_of(log: &Arc<dyn EventLog>, cursor: Cursor) -> Result<u64, Failure> {
    match answer(log.resolve(cursor)).await? {
        Resolved::At(offset) | Resolved::Past(offset) => Ok(offset),
        Resolved::Unknown => {
            Err(Failure::new(StatusCode::GONE, "the cursor is not of this log: begin again, without after"))
        }
    }
}

fn snapshot(page: Page, epoch: u64) -> Snapshot {
    let fitting = fitting(&page.events);
    let events: Vec<_> = page.events[..fitting].iter().filter_map(|event| event.decode().ok()).collect();
    let whole = fitting == page.events.len();
    let cursor = match page.events[..fitting].last() {
        Some(last) if !(whole && page.complete) => last.cursor,
        // Of the present epoch: offsets run on from epoch to epoch.
        _ => Cursor::new(epoch, page.read_to),
    };
    Snapshot { unreadable: fitting - events.len(), events, cursor, complete: whole && page.complete }
}

/// How many of the events fit on a page.
fn fitting(events: &[LoggedEvent]) -> usize {
    let mut bytes = 0;
    let fits = |event: &&LoggedEvent| {
        bytes += event.fields.len();
        bytes <= MAX_PAGE_BYTES
    };
    events.iter().take_while(fits).count().max(1).min(events.len())
}

fn no_execution() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "the log has no execution of this id")
}

/// What the log says, if it does so in time.
pub(super) async fn answer<T>(pending: Pending<T>) -> Result<T, Failure> {
    match tokio::time::timeout(LOG_LIMIT, pending).await {
        Ok(answer) => answer.map_err(|error| Failure::of_log(&error)),
        Err(_) => Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "the log did not answer within 5 s")),
    }
}

impl App {
    fn log(&self) -> Result<&Arc<dyn EventLog>, Failure> {
        let none = "this recorder keeps no log: only /stream, /executions/{id}/stream, /health and /stats are served";
        self.recorder.log().ok_or_else(|| Failure::new(StatusCode::NOT_IMPLEMENTED, none))
    }
}
