//! What is kept: the durable record, batches in, cursors out.

mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use memory::MemoryLog;
#[cfg(feature = "sqlite")]
pub use sqlite::{Durability, SqliteLog, SqliteLogBuilder};

use crate::{
    Cursor, Error, EventId, ExecutionId, Pending, StepId, StreamEvent, Text, Timestamp,
    event::{Batch, Body, ExecutionContext, ExecutionEvent, Kind, OpenThings},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A durable record of events.
///
/// Every question is answered with a [`Pending`], so that a log may live on its own thread or behind a network, and
/// its users need no particular runtime. Only the recorder appends.
pub trait EventLog: Send + Sync + std::fmt::Debug + 'static {
    /// The epoch of this opening, and the offset of the last event that was kept before it.
    fn opened_at(&self) -> Cursor;

    /// What was open in each running execution when the log was opened. Paused ones are not lost and not among them.
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

    /// The executions of the record, the newest first.
    fn executions(&self, limit: usize) -> Pending<Vec<ExecutionRow>>;

    /// One execution; none where the record has none of this id.
    fn execution(&self, id: ExecutionId) -> Pending<Option<ExecutionRow>>;

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
    /// Events with a greater offset.
    pub after: u64,
    /// This many at most.
    pub limit: usize,
}

impl Query {
    /// The events of `scope` after `offset`, `limit` at most.
    pub const fn new(scope: Scope, after: u64, limit: usize) -> Self {
        Self { scope, after, limit }
    }
}

/// Some of the record, in order.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Page {
    /// The events.
    pub events: Vec<LoggedEvent>,
    /// Everything in scope up to this offset is on this page or before it.
    pub read_to: u64,
    /// False when the page's limit cut it off.
    pub complete: bool,
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

    fn body(&self) -> Result<Body, Error> {
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

/// How far an execution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// At work.
    Running,
    /// Waiting.
    Paused,
    /// Ended well.
    Completed,
    /// Ended with an error.
    Failed,
    /// Given up.
    Cancelled,
    /// Found open after its process had ended.
    Lost,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Running, Self::Paused, Self::Completed, Self::Failed, Self::Cancelled, Self::Lost];

    /// The status's name, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }

    /// The status that an event of this kind leaves its execution in; none where it changes nothing.
    pub const fn after(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::ExecutionStart | Kind::ExecutionResumed => Self::Running,
            Kind::ExecutionPaused => Self::Paused,
            Kind::ExecutionEnd => Self::Completed,
            Kind::ExecutionFailed => Self::Failed,
            Kind::ExecutionCancelled => Self::Cancelled,
            Kind::ExecutionLost => Self::Lost,
            _ => return None,
        })
    }

    /// True when nothing more is expected.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Running | Self::Paused)
    }
}

/// One execution of the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExecutionRow {
    /// Its id.
    pub execution_id: ExecutionId,
    /// Name of its agent or workflow.
    pub name: Option<Text>,
    /// The conversation it belongs to.
    pub session_id: Option<Text>,
    /// Whose data it is.
    pub tenant_id: Option<Text>,
    /// For whom it runs.
    pub user_id: Option<Text>,
    /// How far it is.
    pub status: Status,
    /// When its first event happened.
    pub started_at: Timestamp,
    /// When it ended; none while it runs.
    pub ended_at: Option<Timestamp>,
    /// How many events of it are kept: the sequence of the last.
    pub events: u64,
    /// How many bulk events, which are not kept, it had when the last kept one was written.
    pub pieces: u64,
    /// Cursor of its last kept event.
    pub cursor: Cursor,
}

impl ExecutionRow {
    /// An execution before its first event.
    pub(crate) fn new(execution_id: ExecutionId, started_at: Timestamp, cursor: Cursor) -> Self {
        Self {
            execution_id,
            name: None,
            session_id: None,
            tenant_id: None,
            user_id: None,
            status: Status::Running,
            started_at,
            ended_at: None,
            events: 0,
            pieces: 0,
            cursor,
        }
    }

    /// Takes in the next event of the execution.
    pub(crate) fn apply(&mut self, cursor: Cursor, recorded: &crate::event::Recorded) {
        (self.events, self.pieces, self.cursor) = (recorded.sequence, recorded.pieces, cursor);
        if let Body::ExecutionStart(start) = &recorded.event.body {
            let known = |new: &Option<Text>, old: &mut Option<Text>| *old = new.clone().or_else(|| old.take());
            known(&start.name, &mut self.name);
            known(&start.session_id, &mut self.session_id);
            known(&start.tenant_id, &mut self.tenant_id);
            known(&start.user_id, &mut self.user_id);
        }
        if let Some(status) = Status::after(recorded.event.kind()) {
            self.status = status;
            self.ended_at = if status.is_final() { recorded.event.time } else { None };
        }
    }

    /// The context of this execution's events.
    pub(crate) fn context(&self, step_id: Option<StepId>) -> ExecutionContext {
        let mut context = ExecutionContext::new(self.execution_id.clone());
        context.step_id = step_id;
        (context.tenant_id, context.user_id) = (self.tenant_id.clone(), self.user_id.clone());
        context
    }
}
