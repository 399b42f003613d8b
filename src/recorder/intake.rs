//! `Intake`: events that somebody else made, taken in on behalf of a tenant; what of them is not the tenant's is denied.

use super::{
    Recorder,
    item::{Item, Waiter},
};
use crate::{
    Cursor, Error, Pending, StreamEvent, Text,
    event::{Concept, Life},
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Takes in events of executions that run elsewhere, and tells in the end what became of them.
///
/// Whose an execution is, is decided by the recorder's thread, in the order of the events: the first event makes a new
/// execution its tenant's, whatever it says of a tenant itself; for any other tenant's events the execution is as good as
/// not there. So it is over restarts, as long as there is a log. An execution that belongs to no tenant belongs to this
/// process, and takes nothing from tenants.
///
/// Emitting never fails and never blocks, as everywhere. What is taken in cannot be steered from here: it runs elsewhere.
pub struct Intake {
    recorder: Recorder,
    tally: Arc<Tally>,
}

/// What became of the events of an [`Intake`]: each was accepted, denied or shed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Admitted {
    /// Cursor of the last event before the intake was finished, whoever's.
    pub cursor: Cursor,
    /// Recorded, or of a piece what the content policy lets through of it.
    pub accepted: u64,
    /// Not recorded: of an execution that is not the tenant's, or of which the log could not say whose it is; of none at
    /// all; or about the stream itself, of which only the recorder speaks.
    pub denied: u64,
    /// How many of those denied may be the tenant's all the same: the log could not say whose they are. Worth another try.
    pub undecided: u64,
    /// Lost: there was no room, or the recorder takes no events any more.
    pub shed: u64,
}

/// An event and on whose behalf it comes: what waits in the queue, in a box of its own so that others need no room for it.
pub(super) struct Delegated {
    pub(super) event: StreamEvent,
    pub(super) tally: Arc<Tally>,
}

/// Whether an event may be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Admitted,
    Denied,
    /// Denied for now: nobody can say whose it is.
    Undecided,
}

/// The counts of one intake. Sheds are counted before the question for them is in line, the others by who answers it.
pub(super) struct Tally {
    pub(super) tenant_id: Option<Text>,
    accepted: AtomicU64,
    denied: AtomicU64,
    undecided: AtomicU64,
    shed: AtomicU64,
}

/// How much is emitted at once before it is waited for, and for how long.
const WINDOW_EVENTS: usize = 512;
const WINDOW_BYTES: usize = 1 << 20;
const WINDOW_LIMIT: Duration = Duration::from_secs(30);

impl Recorder {
    /// Takes events in on behalf of this tenant; on nobody's, of executions of any tenant, as they say it themselves.
    pub fn on_behalf_of(&self, tenant_id: Option<Text>) -> Intake {
        let counts: [AtomicU64; 4] = Default::default();
        let [accepted, denied, undecided, shed] = counts;
        Intake { recorder: self.clone(), tally: Arc::new(Tally { tenant_id, accepted, denied, undecided, shed }) }
    }
}

impl Intake {
    /// Emits an event of the execution that it names.
    pub fn emit(&self, event: impl Into<StreamEvent>) {
        let _ = self.put_in_line(event.into());
    }

    /// Emits all of these, as many as there may be: after each few hundred it waits until they are on disk, so that none is
    /// shed for want of room. Blocks; for what is there at once, such as the events of a file.
    ///
    /// # Errors
    /// As for [`finish`](Intake::finish), of which it is the answer; `is_timed_out` when the log takes longer than 30
    /// seconds. What was taken in before that is recorded all the same.
    pub fn emit_all(&self, events: impl IntoIterator<Item = StreamEvent>) -> Result<Admitted, Error> {
        let (mut waiting, mut bytes) = (0, 0);
        for event in events {
            waiting += 1;
            bytes += event.heap_bytes();
            self.emit(event);
            if waiting >= WINDOW_EVENTS || bytes >= WINDOW_BYTES {
                self.finish().wait(WINDOW_LIMIT)?;
                (waiting, bytes) = (0, 0);
            }
        }
        self.finish().wait(WINDOW_LIMIT)
    }

    /// As [`emit`](Intake::emit); false when it was shed, or nobody takes events any more.
    pub(crate) fn put_in_line(&self, event: StreamEvent) -> bool {
        let in_line = self.recorder.0.shared.emit_delegated(Delegated { event, tally: self.tally.clone() });
        if !in_line {
            self.tally.shed.fetch_add(1, Ordering::Relaxed);
        }
        in_line
    }

    /// Answered when everything that was taken in so far is on disk; without a log, when it is visible. More may follow:
    /// the counts go on.
    ///
    /// # Errors
    /// What the log says; `is_closed` after shutdown. What was taken in may have been recorded all the same.
    pub fn finish(&self) -> Pending<Admitted> {
        self.recorder.0.shared.ask(|answer| Item::Flush(Waiter::Intake(answer, self.tally.clone())))
    }
}

impl Delegated {
    /// Whether it may be anyone's at all.
    pub(super) fn is_sound(&self) -> bool {
        self.event.execution_id.is_some() && self.event.class() != crate::event::Class::Transport
    }

    pub(super) fn ends_execution(&self) -> bool {
        self.event.kind().life() == Life::Closes(Concept::Execution)
    }
}

impl Tally {
    pub(super) fn count(&self, admission: Admission) {
        let counter = if admission == Admission::Admitted { &self.accepted } else { &self.denied };
        counter.fetch_add(1, Ordering::Relaxed);
        self.undecided.fetch_add(u64::from(admission == Admission::Undecided), Ordering::Relaxed);
    }

    pub(super) fn admitted(&self, cursor: Cursor) -> Admitted {
        let counts = [&self.accepted, &self.denied, &self.undecided, &self.shed];
        let [accepted, denied, undecided, shed] = counts.map(|count| count.load(Ordering::Relaxed));
        Admitted { cursor, accepted, denied, undecided, shed }
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("tenant_id", &self.tally.tenant_id).finish_non_exhaustive()
    }
}
