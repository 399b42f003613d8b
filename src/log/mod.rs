//! What is kept: the durable record, batches in, cursors out.

mod execution;
pub mod jsonl;
mod list;
mod memory;
mod place;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use execution::{ExecutionRow, Status};
pub use list::{ExecutionsQuery, SessionRow, SessionsQuery};
pub use memory::MemoryLog;
#[cfg(feature = "sqlite")]
pub use sqlite::{Durability, SqliteLog, SqliteLogBuilder};

use crate::{
    Cursor, Error, EventId, ExecutionId, Pending, StreamEvent, Text, Timestamp,
    event::{Batch, Body, ExecutionContext, ExecutionEvent, Kind, OpenThings},
};
use std::sync::Arc;

/// A durable record of events.
///
/// Every question is answered with a [`Pending`], so that a log may live on its own thread or behind a network, and
/// its users need no particular runtime. Only the recorder appends.
pub trait EventLog: Send + Sync + std::fmt::Debug + 'static {
    /// The epoch of this opening, and the offset of the last event that was kept before it.
    fn opened_at(&self) -> Cursor;

    /// What was open in each running execution when the log was opened. Paused ones are not lost and not among them, and
    /// neither are those whose events are [`elsewhere`](crate::event::Recorded::elsewhere): they were not ended with the
    /// process that kept their record.
    fn unfinished(&self) -> Pending<Vec<OpenThings>>;

    /// Takes the next batch; offsets rise from batch to batch. Answered when its logged events are durable, which may
    /// wait a few milliseconds for more to come.
    fn append(&self, batch: Arc<Batch>) -> Pending<()>;

    /// Makes durable at once what was appended so far, and answers then.
    fn flush(&self) -> Pending<()>;

    /// Reads on from a place.
    fn read(&self, query: Query) -> Pending<Page>;

    /// The last event kept of an execution at this offset or before it; none where the record has none.
    fn last_before(&self, id: ExecutionId, offset: u64) -> Pending<Option<LoggedEvent>>;

    /// Finds the offset behind a cursor, of this epoch or an earlier one.
    fn resolve(&self, cursor: Cursor) -> Pending<Resolved>;

    /// The executions of the record, the newest first. `is_not_found` where the list is to go on after one that this
    /// record, or this tenant in it, does not have.
    fn executions(&self, query: ExecutionsQuery) -> Pending<Vec<ExecutionRow>>;

    /// One execution; none where the record has none of this id.
    fn execution(&self, id: ExecutionId) -> Pending<Option<ExecutionRow>>;

    /// The conversations of the record, those with the newest events first.
    fn sessions(&self, query: SessionsQuery) -> Pending<Vec<SessionRow>>;

    /// Where the reader of this name had come: the offset that it last gave to [`keep_place`](EventLog::keep_place); none
    /// where it never did. `is_invalid` where the name is none.
    fn place(&self, name: Text) -> Pending<Option<u64>>;

    /// Keeps the place of the reader of this name (1 to 256 bytes, no control characters): everything up to this offset
    /// is settled for it. Answered when that is durable, which may wait as [`append`](EventLog::append) does. The last
    /// word counts, also one that goes back.
    ///
    /// Later events have greater offsets, after a crash too, so that a reader which goes on from its place misses nothing.
    /// `is_invalid` where the offset is past what is durable: a page's [`read_to`](Page::read_to) never is.
    ///
    /// A place that cannot be written holds up no events, and is not tried again: whoever asked is told.
    fn keep_place(&self, name: Text, offset: u64) -> Pending<()>;

    /// Flushes and lets go of what the log holds. Questions asked later are answered with `is_closed`.
    fn close(&self) -> Pending<()>;
}

/// Whose events are meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Scope {
    /// Everyone's.
    #[default]
    Everything,
    /// One execution's.
    Execution(ExecutionId),
    /// Those of every execution of one conversation.
    Session(Text),
}

/// What to read: the events of a scope after an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// Whose.
    pub scope: Scope,
    /// Only of executions of this tenant.
    pub tenant_id: Option<Text>,
    /// Events with a greater offset.
    pub after: u64,
    /// Only events with a smaller offset, and of these the last ones, where it is given: reads backwards.
    pub before: Option<u64>,
    /// This many at most.
    pub limit: usize,
}

impl Query {
    /// The events of `scope` after `offset`, `limit` at most.
    pub const fn new(scope: Scope, after: u64, limit: usize) -> Self {
        Self { scope, tenant_id: None, after, before: None, limit }
    }

    /// The last events of `scope` before `offset`, `limit` at most.
    pub const fn back(scope: Scope, offset: u64, limit: usize) -> Self {
        Self { scope, tenant_id: None, after: 0, before: Some(offset), limit }
    }

    /// The same, only of executions of this tenant, whatever the scope.
    pub fn of_tenant(mut self, tenant_id: impl Into<Text>) -> Self {
        self.tenant_id = Some(tenant_id.into());
        self
    }
}

/// Some of the record, in order.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Page {
    /// The events, in the order in which they happened, also when it was read backwards.
    pub events: Vec<LoggedEvent>,
    /// Everything in scope up to this offset is on this page or before it.
    pub read_to: u64,
    /// Read backwards, everything in scope from this offset on is on this page or after it; else 0.
    pub read_from: u64,
    /// False when there may be more after it, or, when it was read backwards, before it: a limit cut the page off, also
    /// one on how much is looked through for it.
    pub complete: bool,
}

#[cfg(feature = "sqlite")]
impl Page {
    /// Nothing found yet after this offset, and nothing to come.
    pub(crate) const fn from(offset: u64) -> Self {
        Self { events: Vec::new(), read_to: offset, read_from: 0, complete: true }
    }
}

/// Where a cursor points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolved {
    /// To this offset; what follows it in the record is what the cursor's owner has not seen.
    At(u64),
    /// Past the end of an earlier epoch: a crash took back what the owner saw after this offset.
    Past(u64),
    /// To no epoch of this log.
    Unknown,
}

/// An event as the log keeps it; its fields are decoded when asked for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LoggedEvent {
    /// Its place.
    pub cursor: Cursor,
    /// Its place in its execution, from 1.
    pub sequence: u64,
    /// How many bulk events, which are not kept, its execution had before it; those that were not shown do not count.
    pub pieces: u64,
    /// Where it belongs.
    pub context: ExecutionContext,
    /// Whether its emitter's mode let it be shown.
    pub shown: bool,
    /// When it happened.
    pub time: Timestamp,
    /// What kind of event it is.
    pub kind: Kind,
    /// The fields of its kind, as a JSON object.
    pub fields: String,
}

impl LoggedEvent {
    /// The event in its persisted form.
    ///
    /// # Errors
    /// `is_corrupt` when its fields do not fit its kind.
    pub fn decode(&self) -> Result<ExecutionEvent, Error> {
        let body = self.body()?;
        Ok(ExecutionEvent {
            event_id: EventId::at(self.cursor),
            sequence: self.sequence,
            context: self.context.clone(),
            timestamp: self.time,
            body,
        })
    }

    /// The event as live readers saw it.
    ///
    /// # Errors
    /// As for [`decode`](LoggedEvent::decode).
    pub fn to_stream(&self) -> Result<StreamEvent, Error> {
        let mut event = StreamEvent::new(self.body()?).of_execution(self.context.execution_id.clone()).at(self.time);
        event.step_id = self.context.step_id.clone();
        Ok(event)
    }

    pub(crate) fn body(&self) -> Result<Body, Error> {
        self.kind
            .read(&self.fields)
            .map_err(|source| Error::corrupt(format!("event at {} of the log", self.cursor)).with_source(source))
    }
}

/// The fields of an event of an unknown kind, as [`LoggedEvent`] holds them: its tag is among them, as it stands nowhere
/// else.
fn fields_of_unknown(tag: &str, fields: &str) -> String {
    let mut out = String::with_capacity(fields.len() + tag.len() + 12);
    out.push_str("{\"type\":");
    crate::json::write_str(tag, &mut out);
    let rest = fields.strip_prefix('{').unwrap_or("}");
    if rest.trim() != "}" {
        out.push(',');
    }
    out.push_str(rest);
    out
}

fn no_place(id: &ExecutionId) -> Error {
    Error::not_found(format!("{id}: no execution of this list, so nothing stands after it"))
}
