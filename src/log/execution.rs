//! One execution as the record has it: whose it is, and how far.

use crate::{
    Cursor, ExecutionId, StepId, Text, Timestamp,
    event::{Body, ExecutionContext, Kind, Recorded},
};
use serde::{Deserialize, Serialize};

/// How far an execution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

    /// The same of an event as the gate recorded it: that of one root leaves an execution that goes on as it was.
    pub(crate) fn left_by(recorded: &Recorded) -> Option<Self> {
        Self::after(recorded.event.kind()).filter(|_| !recorded.goes_on)
    }

    /// True when nothing more is expected.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Running | Self::Paused)
    }
}

/// One execution of the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

    /// Takes in the next event of the execution. Whose it is and whether it goes on, the gate has decided.
    pub(crate) fn apply(&mut self, cursor: Cursor, recorded: &Recorded) {
        (self.events, self.pieces, self.cursor) = (recorded.sequence, recorded.pieces, cursor);
        if let Body::ExecutionStart(start) = &recorded.event.body {
            let known = |new: &Option<Text>, old: &mut Option<Text>| *old = new.clone().or_else(|| old.take());
            known(&start.name, &mut self.name);
            known(&start.session_id, &mut self.session_id);
            known(&start.user_id, &mut self.user_id);
        }
        if self.tenant_id.is_none() {
            self.tenant_id.clone_from(&recorded.tenant_id);
        }
        if let Some(status) = Status::left_by(recorded) {
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
