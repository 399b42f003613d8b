//! The record as handlers read it: only what belongs to who asks, and never more than a bound.

use super::{App, access::Allowed, failure::Failure};
use crate::{
    Cursor, EventLog, ExecutionId, Pending, Text,
    event::KindSet,
    log::{ExecutionRow, ExecutionsQuery, LoggedEvent, Query, Resolved, Scope, SessionRow, SessionsQuery},
};
use axum::http::StatusCode;
use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

/// How long the log may take for an answer.
const LOG_LIMIT: Duration = Duration::from_secs(5);
/// A page ends early when its events hold this much; one event is always on it.
const MAX_PAGE_BYTES: usize = 4 << 20;
/// A page ends early when so many events were looked at for it, most of them of other kinds.
const MAX_LOOKED_AT: usize = 20_000;
/// What is asked of the log at once, and how often for one page: also where it finds nothing.
const CHUNK: usize = 1_000;
const MAX_CHUNKS: usize = 32;
/// Events that are folded for one answer that sums up many executions.
const MAX_FOLDED: usize = 40_000;

/// The record, as far as one client may see it.
pub(super) struct Record<'a> {
    pub(super) log: &'a Arc<dyn EventLog>,
    pub(super) allowed: Allowed,
    /// How far the record goes; no good cursor leads further.
    newest: u64,
    /// Events that may still be folded for this answer.
    pub(super) budget: AtomicUsize,
}

/// A page that is asked for.
pub(super) struct Wanted {
    pub(super) scope: Scope,
    pub(super) from: Place,
    /// Of this tenant, where not of everyone who may be seen.
    pub(super) tenant: Option<Text>,
    pub(super) kinds: KindSet,
    pub(super) limit: usize,
}

/// Where a page begins, and in which direction it goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    After(u64),
    Before(u64),
}

/// What was found, in the direction of reading.
pub(super) struct Found {
    pub(super) events: Vec<LoggedEvent>,
    /// The first event that was looked at; none where there is none.
    pub(super) first: Option<Cursor>,
    /// Where another page goes on, in the same direction.
    pub(super) rest: Cursor,
    /// Nothing is left in this direction.
    pub(super) complete: bool,
    bytes: usize,
    looked_at: usize,
}

impl<'a> Record<'a> {
    pub(super) fn of(app: &'a App, allowed: Allowed) -> Result<Self, Failure> {
        let newest = app.recorder.hub().newest().offset;
        Ok(Self { log: app.log()?, allowed, newest, budget: AtomicUsize::new(MAX_FOLDED) })
    }

    /// An execution; that of another tenant is as unknown as one that never was.
    pub(super) async fn execution(&self, id: ExecutionId) -> Result<ExecutionRow, Failure> {
        let row = answer(self.log.execution(id)).await?.filter(|row| self.may_see(row));
        row.ok_or_else(no_execution)
    }

    pub(super) fn may_see(&self, row: &ExecutionRow) -> bool {
        self.allowed.tenant().is_none_or(|tenant| row.tenant_id.as_ref() == Some(tenant))
    }

    /// The offset behind a cursor that a client came with.
    pub(super) async fn offset_of(&self, cursor: Cursor) -> Result<u64, Failure> {
        match answer(self.log.resolve(cursor)).await? {
            Resolved::At(offset) | Resolved::Past(offset) if offset <= self.newest => Ok(offset),
            Resolved::At(_) | Resolved::Past(_) | Resolved::Unknown => {
                Err(Failure::new(StatusCode::GONE, "the cursor is not of this log: begin again, without it"))
            }
        }
    }

    /// A page of events.
    pub(super) async fn page(&self, wanted: &Wanted) -> Result<Found, Failure> {
        let mut found = Found::new(self.log.opened_at());
        let mut place = wanted.from;
        for _ in 0..MAX_CHUNKS {
            let all = wanted.kinds == KindSet::ALL;
            let chunk = if all { wanted.limit - found.events.len() } else { CHUNK };
            let page = answer(self.log.read(self.query(wanted, place, chunk))).await?;
            let (many, complete) = (page.events.len(), page.complete);
            let (next, taken) = match place {
                Place::After(_) => (Place::After(page.read_to), found.take(page.events.into_iter(), wanted)),
                Place::Before(_) => (Place::Before(page.read_from), found.take(page.events.into_iter().rev(), wanted)),
            };
            if taken < many {
                return Ok(found);
            }
            found.complete = complete;
            // Of the present epoch: offsets run on from epoch to epoch.
            found.rest = Cursor::new(found.rest.epoch, next.offset());
            if complete || !found.has_room(wanted) {
                break;
            }
            place = next;
        }
        Ok(found)
    }

    /// Executions, the newest first.
    pub(super) async fn executions(&self, mut query: ExecutionsQuery) -> Result<Vec<ExecutionRow>, Failure> {
        query.tenant_id = self.tenant().or(query.tenant_id);
        answer(self.log.executions(query)).await
    }

    /// Conversations, those with the newest events first.
    pub(super) async fn sessions(&self, limit: usize) -> Result<Vec<SessionRow>, Failure> {
        let mut query = SessionsQuery::newest(limit);
        query.tenant_id = self.tenant();
        answer(self.log.sessions(query)).await
    }

    fn tenant(&self) -> Option<Text> {
        self.allowed.tenant().cloned()
    }

    fn query(&self, wanted: &Wanted, place: Place, limit: usize) -> Query {
        let mut query = match place {
            Place::After(offset) => Query::new(wanted.scope.clone(), offset, limit),
            Place::Before(offset) => Query::back(wanted.scope.clone(), offset, limit),
        };
        query.tenant_id = wanted.tenant.clone().or_else(|| self.tenant());
        query
    }
}

impl Place {
    const fn offset(self) -> u64 {
        match self {
            Self::After(offset) | Self::Before(offset) => offset,
        }
    }
}

impl Found {
    fn new(opened_at: Cursor) -> Self {
        Self { events: Vec::new(), first: None, rest: opened_at, complete: false, bytes: 0, looked_at: 0 }
    }

    fn has_room(&self, wanted: &Wanted) -> bool {
        self.events.len() < wanted.limit && self.looked_at < MAX_LOOKED_AT
    }

    /// Takes events while there is room; how many were looked at.
    fn take(&mut self, events: impl Iterator<Item = LoggedEvent>, wanted: &Wanted) -> usize {
        let before = self.looked_at;
        for event in events {
            let is_wanted = wanted.kinds.contains(event.kind);
            let bytes = if is_wanted { event.fields.len() } else { 0 };
            if self.events.len() >= wanted.limit || (self.bytes + bytes > MAX_PAGE_BYTES && !self.events.is_empty()) {
                break;
            }
            self.first = self.first.or(Some(event.cursor));
            (self.rest.offset, self.bytes, self.looked_at) =
                (event.cursor.offset, self.bytes + bytes, self.looked_at + 1);
            if is_wanted {
                self.events.push(event);
            }
        }
        self.looked_at - before
    }
}

pub(super) fn no_execution() -> Failure {
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
        let none = "this recorder keeps no log: only streams, /health and /stats are served";
        self.recorder.log().ok_or_else(|| Failure::new(StatusCode::NOT_IMPLEMENTED, none))
    }
}
