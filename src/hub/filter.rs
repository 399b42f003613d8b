//! What a reader wants to see, and from where.

use super::ring::Segment;
use crate::{
    Cursor, StreamEvent,
    event::{Class, Recorded, StreamMode},
    log::Scope,
};

/// What a reader wants to see.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Filter {
    /// Whose events.
    pub scope: Scope,
    /// How much of them.
    pub mode: StreamMode,
}

impl Filter {
    /// Everything of everyone.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Everything of this scope.
    pub fn of(scope: Scope) -> Self {
        Self { scope, mode: StreamMode::Full }
    }

    /// The same, shown only in this mode.
    pub fn in_mode(mut self, mode: StreamMode) -> Self {
        self.mode = mode;
        self
    }

    /// Whether the event is of the scope. One that belongs to no execution is nobody's, unless it is about the stream
    /// itself: what the gate had to shed may have been anyone's.
    pub(super) fn in_scope(&self, recorded: &Recorded) -> bool {
        let Some(id) = &recorded.event.execution_id else {
            return self.scope == Scope::Everything || recorded.event.class() == Class::Transport;
        };
        match &self.scope {
            Scope::Everything => true,
            Scope::Execution(wanted) => wanted == id,
            Scope::Session(wanted) => recorded.session_id.as_ref() == Some(wanted),
        }
    }

    /// Whether every event of the segment is of the scope.
    pub(super) fn covers(&self, segment: &Segment) -> bool {
        match &self.scope {
            Scope::Everything => true,
            Scope::Execution(wanted) => matches!(&segment.extents[..], [only] if only.id == *wanted),
            Scope::Session(_) => false,
        }
    }

    pub(super) fn shows(&self, event: &StreamEvent) -> bool {
        self.mode.shows(event.class())
    }
}

/// Where a stream begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum From {
    /// With what happens from now on.
    #[default]
    Live,
    /// With the first event that the record still has.
    Start,
    /// After the event with this cursor: what a client sends as `Last-Event-ID`.
    After(Cursor),
}
