//! The roots of an execution: what runs it, maybe several at once. It is over when the last of them ends.

use super::{Concept, Kind, Life, StreamEvent};
use crate::StepId;
use std::collections::VecDeque;

/// Which roots of an execution are open. Mostly there is one; another one begins where the execution goes on in another
/// process, after a pause or beside the first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Roots {
    /// The one that began last stands last.
    open: Vec<Root>,
    /// Steps of those that ended last: a second end of one ends no other.
    ended: VecDeque<StepId>,
}

/// One root, or several of which each goes on for the one before it after a pause: with the last of them all end.
#[derive(Debug, Clone, PartialEq, Default)]
struct Root {
    steps: VecDeque<Option<StepId>>,
    waits: bool,
}

/// Ends that are remembered, and pauses of one root whose steps are.
const MAX_STEPS: usize = 16;

impl Roots {
    pub(crate) const fn new() -> Self {
        Self { open: Vec::new(), ended: VecDeque::new() }
    }

    /// Whether a root of this step is open.
    pub(crate) fn holds(&self, step_id: Option<&StepId>) -> bool {
        self.of_step(step_id).is_some()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes in the next event of the execution. Gives the steps of the roots that ended with it.
    pub(crate) fn apply(&mut self, event: &StreamEvent) -> Vec<Option<StepId>> {
        let step_id = event.step_id.as_ref();
        match (event.kind().life(), event.kind()) {
            (Life::Opens(Concept::Execution), _) => self.begin(step_id),
            (Life::Closes(Concept::Execution), _) => return self.end(step_id),
            (_, Kind::ExecutionPaused) => self.pause(step_id),
            (_, Kind::ExecutionResumed) => self.open.iter_mut().for_each(|root| root.waits = false),
            _ => {}
        }
        Vec::new()
    }

    /// What begins after a pause goes on for what was paused. One that is told twice began once.
    fn begin(&mut self, step_id: Option<&StepId>) {
        self.ended.retain(|ended| Some(ended) != step_id);
        let known = self.of_step(step_id);
        if known.is_some_and(|place| !self.open[place].waits) {
            return;
        }
        let waiting = known.or_else(|| self.open.iter().rposition(|root| root.waits));
        let mut root = waiting.map(|place| self.open.remove(place)).unwrap_or_default();
        root.waits = false;
        remember(&mut root.steps, step_id.cloned());
        self.open.push(root);
    }

    fn pause(&mut self, step_id: Option<&StepId>) {
        let place = self.of_step(step_id).or(self.open.len().checked_sub(1));
        if let Some(place) = place {
            self.open[place].waits = true;
        }
    }

    /// The root of this step ends, else the last one, and each that it went on for.
    fn end(&mut self, step_id: Option<&StepId>) -> Vec<Option<StepId>> {
        if !self.holds(step_id) && step_id.is_some_and(|step_id| self.ended.contains(step_id)) {
            return Vec::new();
        }
        let Some(place) = self.of_step(step_id).or(self.open.len().checked_sub(1)) else { return Vec::new() };
        let root = &mut self.open[place];
        let last = root.steps.iter().rposition(|step| step.as_ref() == step_id);
        let ended: Vec<_> = root.steps.drain(..=last.unwrap_or(root.steps.len() - 1)).collect();
        if root.steps.is_empty() {
            self.open.remove(place);
        }
        ended.iter().flatten().for_each(|step| remember(&mut self.ended, step.clone()));
        ended
    }

    fn of_step(&self, step_id: Option<&StepId>) -> Option<usize> {
        self.open.iter().rposition(|root| root.steps.iter().any(|step| step.as_ref() == step_id))
    }
}

/// As a file keeps them.
#[cfg(feature = "sqlite")]
impl Roots {
    /// One that is open, of a step that is not known. `waits`: paused.
    pub(crate) fn one(waits: bool) -> Self {
        let root = Root { steps: VecDeque::from([None]), waits };
        Self { open: vec![root], ..Self::new() }
    }

    /// As [`steps`](Self::steps) gave them.
    pub(crate) fn of_steps(steps: impl IntoIterator<Item = Vec<Option<StepId>>>) -> Self {
        let open = steps.into_iter().map(|steps| Root { steps: steps.into(), waits: false });
        Self { open: open.collect(), ..Self::new() }
    }

    /// The steps of each that is open, in the order in which they began.
    pub(crate) fn steps(&self) -> impl Iterator<Item = impl Iterator<Item = Option<&StepId>>> {
        self.open.iter().map(|root| root.steps.iter().map(Option::as_ref))
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }
}

fn remember<T>(steps: &mut VecDeque<T>, step: T) {
    if steps.len() == MAX_STEPS {
        steps.pop_front();
    }
    steps.push_back(step);
}
