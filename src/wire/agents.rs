//! Which of a run's agents speaks: found by the steps around an event.

use crate::{
    StepId, StreamEvent, Text,
    event::{Body, Concept, Life},
};
use std::collections::{HashMap, VecDeque};

/// The agents inside a run that are open, and the steps that lead to them.
#[derive(Default)]
pub(super) struct Agents {
    open: HashMap<Option<StepId>, Agent>,
    parents: HashMap<StepId, StepId>,
    /// The steps of `parents`, the oldest first.
    order: VecDeque<StepId>,
    begun: u64,
}

/// An agent inside a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Agent {
    /// Its place among the run's agents, from 1.
    pub(super) number: u64,
    pub(super) name: Text,
}

/// Steps whose parents are remembered.
const MAX_STEPS: usize = 16_384;
/// Steps between an event and its agent; also what ends a circle.
const MAX_DEPTH: usize = 64;

impl Agents {
    /// Takes note of what begins or ends here. An agent that ends is given back.
    pub(super) fn note(&mut self, event: &StreamEvent) -> Option<Agent> {
        if let (Some(step), Some(parent)) = (&event.step_id, event.body.parent_step_id()) {
            self.remember(step, parent);
        }
        if let Body::AgentStart(start) = &event.body {
            self.begun += 1;
            self.open.insert(event.step_id.clone(), Agent { number: self.begun, name: start.name.clone() });
        }
        let ends = event.kind().life() == Life::Closes(Concept::Agent);
        if ends { self.open.remove(&event.step_id) } else { None }
    }

    /// The agent that speaks in this step; none where it is the run's own.
    pub(super) fn of(&self, step: Option<&StepId>) -> Option<&Agent> {
        let mut step = step?;
        for _ in 0..MAX_DEPTH {
            if let Some(agent) = self.open.get(&Some(step.clone())) {
                return Some(agent);
            }
            step = self.parents.get(step)?;
        }
        None
    }

    /// The agent that the event's own step is.
    pub(super) fn here(&self, event: &StreamEvent) -> Option<&Agent> {
        self.open.get(&event.step_id)
    }

    /// The agent around one that begins.
    pub(super) fn around(&self, event: &StreamEvent) -> Option<&Agent> {
        // Steps may be said to be around each other.
        let own = self.here(event).map(|agent| agent.number);
        self.of(event.body.parent_step_id()).filter(|agent| Some(agent.number) != own)
    }

    fn remember(&mut self, step: &StepId, parent: &StepId) {
        if step == parent || self.parents.insert(step.clone(), parent.clone()).is_some() {
            return;
        }
        self.order.push_back(step.clone());
        if self.order.len() > MAX_STEPS
            && let Some(oldest) = self.order.pop_front()
        {
            self.parents.remove(&oldest);
        }
    }
}
