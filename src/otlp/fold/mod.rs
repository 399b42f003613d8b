//! Events of the log to finished spans.
//!
//! What is given out is decided by the execution's events in their order and by nothing else, no clock and no timer: so an
//! execution can be forgotten and folded anew from the log, in this process or the next, and gives out no span twice.

mod entry;
mod execution;
mod facts;
mod places;
mod story;

use super::span::Output;
use crate::ExecutionId;
pub(crate) use entry::Entry;
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
    /// What it holds, as it was counted last.
    bytes: usize,
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
    pub(crate) fn apply(&mut self, entry: Entry<'_>, out: &mut Vec<Output>) {
        self.events += 1;
        let begin = || Known { execution: Execution::new(&entry), touched: 0, bytes: 0 };
        let known = self.executions.entry(entry.execution_id.clone()).or_insert_with(begin);
        known.execution.apply(entry, self.without_content, out);
        let before = std::mem::replace(&mut known.bytes, known.execution.heap_bytes());
        known.touched = self.events;
        self.bytes = (self.bytes + known.bytes).saturating_sub(before);
        self.make_room();
    }

    /// Forgets an execution: when it goes on, its earlier events come first again.
    pub(crate) fn forget(&mut self, id: &ExecutionId) {
        if let Some(gone) = self.executions.remove(id) {
            self.bytes = self.bytes.saturating_sub(gone.bytes);
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

#[cfg(test)]
mod tests {
    use super::{Entry, Fold, Limits, Output};
    use crate::{
        ExecutionId, StepId, StreamEvent, Timestamp,
        event::{Body, ExecutionEnd, ExecutionStart, MemoryRecalled, Recorded},
    };

    fn apply(fold: &mut Fold, run: u128, sequence: u64, body: impl Into<Body>, out: &mut Vec<Output>) {
        let event = StreamEvent::new(body).of_execution(ExecutionId::from_trace_id(run));
        let event = event.of_step(StepId::from_span_id(1)).at(Timestamp::from_unix_nanos(1));
        let recorded = Recorded::new(event, sequence, 0, true);
        fold.apply(Entry::held(&recorded).expect("logged"), out);
    }

    fn fold(executions: usize) -> Fold {
        Fold::new(Limits { executions, bytes: usize::MAX }, false)
    }

    /// Else what is said of it after its end is told of an execution that nobody knows, with span ids that are taken.
    #[test]
    fn what_has_just_ended_is_not_forgotten_for_what_is_at_work() {
        let (mut fold, mut out) = (fold(1), Vec::new());
        apply(&mut fold, 1, 1, ExecutionStart::new(), &mut out);
        apply(&mut fold, 2, 1, ExecutionStart::new(), &mut out);
        apply(&mut fold, 1, 1, ExecutionStart::new(), &mut out);
        apply(&mut fold, 1, 2, ExecutionEnd::new(0), &mut out);
        apply(&mut fold, 1, 3, MemoryRecalled::new("where", 1, 0), &mut out);
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
            apply(&mut fold, run, 1, ExecutionStart::new().name("a"), &mut out);
        }
        let held: usize = fold.executions.values().map(|known| known.execution.heap_bytes()).sum();
        assert_eq!((fold.executions.len(), fold.bytes), (4, held));
    }
}
