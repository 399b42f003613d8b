//! The events of one agent, by its name: told apart here, since they are told apart by what came before.

use crate::{
    ExecutionId, StepId, StreamEvent,
    event::{Body, Class, Kind},
};
use std::{
    collections::{HashSet, VecDeque},
    hash::Hash,
};

/// Follows the agents of a name: executions that are called so, and sub-agents with every step below them.
#[derive(Debug)]
pub(super) struct Agent {
    name: String,
    executions: Recent<ExecutionId>,
    steps: Recent<(ExecutionId, StepId)>,
}

/// Executions and steps followed at once; what began before so many others is not followed any more.
const MAX_FOLLOWED: usize = 65_536;

impl Agent {
    pub(super) fn new(name: String) -> Self {
        Self { name, executions: Recent::default(), steps: Recent::default() }
    }

    /// Whether the event is of an agent of the name. Each event has to be shown, in order.
    pub(super) fn is_of(&mut self, event: &StreamEvent) -> bool {
        let Some(execution) = &event.execution_id else { return event.class() == Class::Transport };
        if matches!(&event.body, Body::ExecutionStart(start) if start.name.as_deref() == Some(&*self.name)) {
            self.executions.add(execution.clone());
        }
        if self.executions.has(execution) {
            return true;
        }
        let Some(step) = &event.step_id else { return false };
        let own = (execution.clone(), step.clone());
        let below = |parent: &StepId| self.steps.has(&(execution.clone(), parent.clone()));
        if self.is_named(&event.body) || event.body.parent_step_id().is_some_and(below) {
            self.steps.add(own);
            return true;
        }
        self.steps.has(&own)
    }

    fn is_named(&self, body: &Body) -> bool {
        matches!(body, Body::AgentStart(start) if start.name == *self.name)
    }
}

/// A set that forgets what was added first.
#[derive(Debug)]
struct Recent<T> {
    all: HashSet<T>,
    order: VecDeque<T>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self { all: HashSet::new(), order: VecDeque::new() }
    }
}

impl<T: Clone + Eq + Hash> Recent<T> {
    fn has(&self, one: &T) -> bool {
        self.all.contains(one)
    }

    fn add(&mut self, one: T) {
        if !self.all.insert(one.clone()) {
            return;
        }
        self.order.push_back(one);
        if self.order.len() > MAX_FOLLOWED
            && let Some(first) = self.order.pop_front()
        {
            self.all.remove(&first);
        }
    }
}

/// The kinds asked for; none for all.
pub(super) type Kinds = Option<HashSet<Kind>>;
