//! What a reader wants to see, and from where.

use super::{marks::Marks, ring::Segment};
use crate::{
    Cursor, StreamEvent, Text,
    event::{Class, Kind, KindSet, Life, Recorded, StreamMode},
    log::Scope,
};

/// What a reader wants to see.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Filter {
    /// Whose events.
    pub scope: Scope,
    /// Only of executions of this tenant.
    pub tenant_id: Option<Text>,
    /// How much of them.
    pub mode: StreamMode,
    /// Only of these kinds. What is told of the stream itself is always shown.
    pub kinds: KindSet,
}

impl Default for Filter {
    fn default() -> Self {
        Self::of(Scope::Everything)
    }
}

impl Filter {
    /// Everything of everyone.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Everything of this scope.
    pub fn of(scope: Scope) -> Self {
        Self { scope, tenant_id: None, mode: StreamMode::Full, kinds: KindSet::ALL }
    }

    /// The same, shown only in this mode.
    pub fn in_mode(mut self, mode: StreamMode) -> Self {
        self.mode = mode;
        self
    }

    /// The same, only of executions of this tenant, whatever the scope: one of the same name that is another's shows
    /// nothing. Where an execution's tenant is said late, it is seen from then on, and in the record as a whole.
    ///
    /// Of others such a reader learns only how busy the whole is: offsets count everyone's events, and where there is no
    /// log, a reader that falls behind is told a gap though it may have been others' events alone.
    pub fn of_tenant(mut self, tenant_id: impl Into<Text>) -> Self {
        self.tenant_id = Some(tenant_id.into());
        self
    }

    /// The same, only of these kinds.
    pub fn of_kinds(mut self, kinds: impl Into<KindSet>) -> Self {
        self.kinds = kinds.into();
        self
    }

    /// Whether everyone's events are meant: then each offset that is passed is one that was meant.
    pub(super) fn is_of_everyone(&self) -> bool {
        self.scope == Scope::Everything && self.tenant_id.is_none()
    }

    /// Whether the event is of the scope. One that belongs to no execution is nobody's, unless it is about the stream
    /// itself: what the gate had to shed may have been anyone's.
    pub(super) fn in_scope(&self, recorded: &Recorded) -> bool {
        let Some(id) = &recorded.event.execution_id else {
            return self.is_of_everyone() || recorded.event.class() == Class::Transport;
        };
        if self.tenant_id.is_some() && self.tenant_id != recorded.tenant_id {
            return false;
        }
        match &self.scope {
            Scope::Everything => true,
            Scope::Execution(wanted) => wanted == id,
            Scope::Session(wanted) => recorded.session_id.as_ref() == Some(wanted),
        }
    }

    /// What to look for.
    pub(super) fn marks(&self) -> Marks {
        let id = if let Scope::Execution(id) = &self.scope { Some(id) } else { None };
        Marks::wanted(id, self.tenant_id.as_ref())
    }

    /// Whether every event of the segment is of the scope.
    pub(super) fn covers(&self, segment: &Segment) -> bool {
        if self.tenant_id.is_some() && segment.tenant_id != self.tenant_id {
            return false;
        }
        match &self.scope {
            Scope::Everything => true,
            Scope::Execution(wanted) => matches!(&segment.extents[..], [only] if only.id == *wanted),
            Scope::Session(_) => false,
        }
    }

    pub(super) fn shows(&self, event: &StreamEvent) -> bool {
        let class = event.class();
        self.mode.shows(class) && (class == Class::Transport || self.kinds.contains(event.kind()))
    }

    pub(super) fn wants(&self) -> Wants {
        let all = || Kind::ALL.iter().copied().chain([Kind::Unknown]);
        let kept = all().filter(|kind| kind.event_type().is_some()).collect();
        let pieces = all().filter(|kind| matches!(kind.life(), Life::Continues(_))).collect();
        Wants {
            all: self.mode == StreamMode::Full,
            kinds: self.kinds,
            kept: self.mode.shows(Class::Structural) && self.kinds.contains_all(kept),
            pieces: match self.mode.shows(Class::Bulk) && self.kinds.contains_any(pieces) {
                false => Share::None,
                true if self.kinds.contains_all(pieces) => Share::All,
                true => Share::Some,
            },
        }
    }
}

/// What a reader is shown of an execution, and so can lose of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wants {
    /// Whether its mode shows everything.
    pub(super) all: bool,
    pub(super) kinds: KindSet,
    /// Whether it is shown all that is kept. If not, nobody knows how many of those that are gone it would have seen.
    pub(super) kept: bool,
    pub(super) pieces: Share,
}

/// How much of the pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    None,
    /// Of some kinds: of pieces that are gone nobody knows which they were.
    Some,
    All,
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
