//! The roots of an execution: what runs it, and what other processes run of it. It is over when the first of them ends.

use super::{Body, Concept, Kind, Life, ParentType, StreamEvent};
use crate::StepId;
use std::collections::VecDeque;

/// Which roots of an execution are open. Mostly there is one; another one begins where a step of the execution calls a
/// process whose events come here too. That one ends alone, with the first all end.
///
/// A start that names no step that it goes on from is no other root: who says it may be in a loop of his own that begins
/// twice and ends once, and what he runs would be open for ever.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Roots {
    /// In the order in which they began.
    open: Vec<Root>,
    /// Steps of those that ended last: a second end of one ends no other.
    ended: VecDeque<StepId>,
}

/// One root, or several of which each goes on for the one before it after a pause: they end as one.
#[derive(Debug, Clone, PartialEq, Default)]
struct Root {
    steps: VecDeque<Option<StepId>>,
    waits: bool,
}

/// Ends that are remembered, and pauses of one root whose steps are.
const MAX_STEPS: usize = 16;
/// Roots that are open at once; the end of a further one is taken for the execution's.
const MAX_OPEN: usize = 1_024;

impl Roots {
    pub(crate) const fn new() -> Self {
        Self { open: Vec::new(), ended: VecDeque::new() }
    }

    /// Whether a root of this step is open.
    pub(crate) fn holds(&self, step_id: Option<&StepId>) -> bool {
        self.of_step(step_id).is_some()
    }

    /// Whether it is the root of this step that another process runs.
    pub(crate) fn is_part(&self, step_id: Option<&StepId>) -> bool {
        step_id.and_then(|_| self.of_step(step_id)).is_some_and(|place| place > 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes in the next event of the execution. Gives the steps of the roots that ended with it.
    pub(crate) fn apply(&mut self, event: &StreamEvent) -> Vec<Option<StepId>> {
        let step_id = event.step_id.as_ref();
        match (event.kind().life(), event.kind()) {
            (Life::Opens(Concept::Execution), _) => self.begin(step_id, is_called(event)),
            (Life::Closes(Concept::Execution), _) => return self.end(step_id),
            (_, Kind::ExecutionPaused) => self.pause(step_id),
            (_, Kind::ExecutionResumed) => self.open.iter_mut().for_each(|root| root.waits = false),
            _ => {}
        }
        Vec::new()
    }

    /// What begins after a pause goes on for what was paused. One that is told twice began once.
    fn begin(&mut self, step_id: Option<&StepId>, is_called: bool) {
        self.ended.retain(|ended| Some(ended) != step_id);
        let known = self.of_step(step_id);
        if known.is_some_and(|place| !self.open[place].waits) {
            return;
        }
        let waiting = known.or_else(|| self.open.iter().rposition(|root| root.waits));
        let is_another = self.open.is_empty() || is_called && self.open.len() < MAX_OPEN;
        if waiting.is_none() && !is_another {
            return;
        }
        let place = waiting.unwrap_or_else(|| {
            self.open.push(Root::default());
            self.open.len() - 1
        });
        let root = &mut self.open[place];
        root.waits = false;
        remember(&mut root.steps, step_id.cloned());
    }

    fn pause(&mut self, step_id: Option<&StepId>) {
        let place = self.of_step(step_id).unwrap_or(0);
        self.open.get_mut(place).into_iter().for_each(|root| root.waits = true);
    }

    /// The root of this step ends, else the first one; with the first all end. An end that names no step is the execution's.
    fn end(&mut self, step_id: Option<&StepId>) -> Vec<Option<StepId>> {
        let known = step_id.and_then(|_| self.of_step(step_id));
        let is_told_again = known.is_none() && step_id.is_some_and(|step_id| self.ended.contains(step_id));
        if is_told_again || self.open.is_empty() {
            return Vec::new();
        }
        let ended: Vec<_> = match known {
            Some(place @ 1..) => self.open.remove(place).steps.into(),
            _ => self.open.drain(..).flat_map(|root| root.steps).collect(),
        };
        ended.iter().flatten().for_each(|step| remember(&mut self.ended, step.clone()));
        ended
    }

    fn of_step(&self, step_id: Option<&StepId>) -> Option<usize> {
        self.open.iter().rposition(|root| root.steps.iter().any(|step| step.as_ref() == step_id))
    }
}

/// Whether it is a step of the execution that it goes on from, in another process.
fn is_called(event: &StreamEvent) -> bool {
    let Body::ExecutionStart(start) = &event.body else { return false };
    event.step_id.is_some() && start.parent_id.is_some() && start.parent_type == Some(ParentType::StepExecution)
}

fn remember<T>(steps: &mut VecDeque<T>, step: T) {
    if steps.len() == MAX_STEPS {
        steps.pop_front();
    }
    steps.push_back(step);
}
