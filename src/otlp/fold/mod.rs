//! Events of the log to finished spans.
//!
//! What is given out is decided by the execution's events in their order and by nothing else, no clock and no timer: so an
//! execution can be forgotten and folded anew from the log, in this process or the next, and gives out no span twice.

mod execution;
mod facts;
mod places;
mod story;

use super::span::Output;
use crate::{
    ExecutionId,
    event::{ExecutionEvent, Holds, Treatment},
};
use execution::Execution;
pub(super) use places::{is_derived, remote_parent};
use std::collections::HashMap;

/// All executions that are at work, as far as they were read.
#[derive(Debug)]
pub(crate) struct Fold {
    executions: HashMap<ExecutionId, Known>,
    limits: Limits,
    /// Whether what was said and given is left out: then the spans do not have it.
    without_content: bool,
    bytes: usize,
    events: u64,
}

#[derive(Debug)]
struct Known {
    execution: Execution,
    /// Number of the last event that it took in: the smallest is the one to forget first.
    touched: u64,
}

/// How much is held of executions at work; of more, those that were quiet for longest are read again when they go on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) executions: usize,
    pub(crate) bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { executions: 4_096, bytes: 64 << 20 }
    }
}

impl Fold {
    pub(crate) fn new(limits: Limits, without_content: bool) -> Self {
        Self { executions: HashMap::new(), limits, without_content, bytes: 0, events: 0 }
    }

    /// Whether the execution's earlier events were taken in. If not, and it has some, they come first.
    pub(crate) fn knows(&self, id: &ExecutionId) -> bool {
        self.executions.contains_key(id)
    }

    /// Takes in the next event of its execution; `out` gets what is finished by it.
    pub(crate) fn apply(&mut self, mut event: ExecutionEvent, out: &mut Vec<Output>) {
        if self.without_content {
            event.body.treat(&mut NoContent);
        }
        self.events += 1;
        let touched = self.events;
        let id = event.context.execution_id.clone();
        let before = self.executions.get(&id).map_or(0, |known| known.execution.heap_bytes());
        let known =
            self.executions.entry(id).or_insert_with(|| Known { execution: Execution::new(&event.context), touched });
        known.execution.apply(event, out);
        known.touched = touched;
        self.bytes = (self.bytes + known.execution.heap_bytes()).saturating_sub(before);
        self.make_room();
    }

    /// Forgets an execution: when it goes on, its earlier events come first again.
    pub(crate) fn forget(&mut self, id: &ExecutionId) {
        if let Some(gone) = self.executions.remove(id) {
            self.bytes = self.bytes.saturating_sub(gone.execution.heap_bytes());
        }
    }

    /// The same for all.
    pub(crate) fn forget_all(&mut self) {
        self.executions.clear();
        self.bytes = 0;
    }

    /// What is over is forgotten before what is at work. The one that took in the last event stays, however large it is, and
    /// also when it is over: it may be being read again.
    /// An eighth goes at once: finding who was quiet for longest costs a look at all of them.
    fn make_room(&mut self) {
        if self.executions.len() <= 1 || self.has_room(self.limits) {
            return;
        }
        let others = self.executions.iter().filter(|(_, known)| known.touched != self.events);
        let mut quiet: Vec<_> =
            others.map(|(id, known)| (!known.execution.is_over(), known.touched, id.clone())).collect();
        quiet.sort_unstable_by_key(|(at_work, touched, _)| (*at_work, *touched));
        let Limits { executions, bytes } = self.limits;
        let enough = Limits { executions: executions - executions / 8, bytes: bytes - bytes / 8 };
        for (.., id) in quiet {
            if self.has_room(enough) {
                return;
            }
            self.forget(&id);
        }
    }

    fn has_room(&self, limits: Limits) -> bool {
        self.executions.len() <= limits.executions && self.bytes <= limits.bytes
    }
}

/// Leaves out what was said, given or found; names, ids, counts and reasons stay.
struct NoContent;

impl Treatment for NoContent {
    fn leaves_out(&self, holds: Holds) -> bool {
        holds == Holds::Content
    }

    fn text(&mut self, _: &mut crate::Text) {}

    fn json(&mut self, _: &mut crate::Json) {}
}

#[cfg(test)]
mod tests {
    use super::{Fold, Limits, Output};
    use crate::{
        Cursor, EventId, ExecutionId, StepId, Timestamp,
        event::{Body, ExecutionContext, ExecutionEnd, ExecutionEvent, ExecutionStart, MemoryRecalled},
    };

    fn event(run: u128, sequence: u64, body: impl Into<Body>) -> ExecutionEvent {
        let mut context = ExecutionContext::new(ExecutionId::from_trace_id(run));
        context.step_id = Some(StepId::from_span_id(1));
        let event_id = EventId::at(Cursor::new(1, sequence));
        ExecutionEvent { event_id, sequence, context, timestamp: Timestamp::from_unix_nanos(1), body: body.into() }
    }

    fn fold(executions: usize) -> Fold {
        Fold::new(Limits { executions, bytes: usize::MAX }, false)
    }

    /// Else what is said of it after its end is told of an execution that nobody knows, with span ids that are taken.
    #[test]
    fn what_has_just_ended_is_not_forgotten_for_what_is_at_work() {
        let (mut fold, mut out) = (fold(1), Vec::new());
        fold.apply(event(1, 1, ExecutionStart::new()), &mut out);
        fold.apply(event(2, 1, ExecutionStart::new()), &mut out);
        fold.apply(event(1, 1, ExecutionStart::new()), &mut out);
        fold.apply(event(1, 2, ExecutionEnd::new(0)), &mut out);
        fold.apply(event(1, 3, MemoryRecalled::new("where", 1, 0)), &mut out);
        let ids: Vec<u64> = out
            .iter()
            .filter_map(|output| if let Output::Finished(span) = output { Some(span.span_id) } else { None })
            .collect();
        assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:x?}");
    }

    #[test]
    fn the_bytes_that_are_held_are_those_of_what_is_remembered() {
        let (mut fold, mut out) = (fold(4), Vec::new());
        for run in 1..100 {
            fold.apply(event(run, 1, ExecutionStart::new().name("a")), &mut out);
        }
        let held: usize = fold.executions.values().map(|known| known.execution.heap_bytes()).sum();
        assert_eq!((fold.executions.len(), fold.bytes), (4, held));
    }
}
