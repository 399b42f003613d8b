//! What is open in an execution, and how it is closed when its process is gone.

use super::{
    AgentEnd, Body, Concept, ErrorCategory, ExecutionError, ExecutionLost, Finish, Life, LlmCallFailed, Outcome,
    ReasoningEnd, Roots, StepFailed, StreamEvent, TextEnd, ToolFailure, ToolOutputError,
};
use crate::{ExecutionId, StepId, Text, Timestamp};

/// Everything of one execution that began and has not ended yet.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenThings {
    execution_id: ExecutionId,
    open: Vec<Open>,
    roots: Roots,
}

#[derive(Debug, Clone, PartialEq)]
struct Open {
    concept: Concept,
    step_id: Option<StepId>,
    key: Option<Text>,
    /// The step around it, where it says one.
    around: Option<StepId>,
}

/// How far up a root is looked for.
const MAX_DEPTH: usize = 256;
/// Said of everything that is found open after a crash.
const LOST: &str = "its process ended before it did";

impl OpenThings {
    /// Nothing open yet.
    pub const fn new(execution_id: ExecutionId) -> Self {
        Self { execution_id, open: Vec::new(), roots: Roots::new() }
    }

    /// The execution whose things these are.
    pub const fn execution_id(&self) -> &ExecutionId {
        &self.execution_id
    }

    /// True when everything that began has ended.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// How many things are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Takes in the next event of the execution.
    pub fn apply(&mut self, event: &StreamEvent) {
        let ended = self.roots.apply(event);
        match event.kind().life() {
            Life::Opens(concept) if self.find(concept, event).is_none() => self.open.push(Open {
                concept,
                step_id: event.step_id.clone(),
                key: event.body.key().cloned(),
                around: event.body.parent_step_id().cloned(),
            }),
            Life::Closes(Concept::Execution) => self.end(&ended),
            Life::Closes(concept) => {
                self.find(concept, event).map(|at| self.open.remove(at));
            }
            _ => {}
        }
    }

    /// With the last root everything ends, with one of several what is inside it.
    fn end(&mut self, roots: &[Option<StepId>]) {
        let goes = |open: &Open| match open.concept {
            _ if self.roots.is_empty() => true,
            Concept::Execution => !self.roots.holds(open.step_id.as_ref()),
            _ => self.is_inside(open, roots),
        };
        let stays: Vec<bool> = self.open.iter().map(|open| !goes(open)).collect();
        let mut stays = stays.into_iter();
        self.open.retain(|_| stays.next().unwrap_or_default());
    }

    fn is_inside(&self, open: &Open, roots: &[Option<StepId>]) -> bool {
        let mut step = open.around.as_ref().or(open.step_id.as_ref());
        for _ in 0..MAX_DEPTH {
            if roots.iter().any(|root| root.as_ref() == step) {
                return true;
            }
            let of_step = |other: &&Open| other.step_id.as_ref() == step && other.around.is_some();
            match self.open.iter().find(of_step) {
                Some(other) => step = other.around.as_ref(),
                None => return false,
            }
        }
        false
    }

    /// Whether the execution itself is open.
    #[cfg(feature = "sqlite")]
    pub(crate) fn is_running(&self) -> bool {
        !self.roots.is_empty()
    }

    /// Whether the thing that the event is about is open.
    pub(crate) fn holds(&self, concept: Concept, event: &StreamEvent) -> bool {
        self.find(concept, event).is_some()
    }

    /// A thing is found by its own key where it has one, else by its step.
    fn find(&self, concept: Concept, event: &StreamEvent) -> Option<usize> {
        let key = event.body.key();
        self.open.iter().rposition(|open| {
            open.concept == concept
                && if key.is_some() { open.key.as_ref() == key } else { open.step_id == event.step_id }
        })
    }

    /// The events that close as `lost` what is open: what began last first, the execution at the end.
    pub fn lost(&self, at: Timestamp) -> Vec<StreamEvent> {
        let (executions, inner): (Vec<&Open>, Vec<&Open>) =
            self.open.iter().rev().partition(|open| open.concept == Concept::Execution);
        inner.into_iter().chain(executions).map(|open| self.lost_event(open, at)).collect()
    }

    fn lost_event(&self, open: &Open, at: Timestamp) -> StreamEvent {
        let mut event = StreamEvent::new(open.lost_body(at)).of_execution(self.execution_id.clone()).at(at);
        event.step_id = open.step_id.clone();
        event
    }
}

impl Open {
    fn lost_body(&self, at: Timestamp) -> Body {
        let key = self.key.clone().unwrap_or_default();
        match self.concept {
            Concept::Execution => ExecutionLost::new(LOST).into(),
            Concept::Message => Finish::new(key).into(),
            Concept::Agent => AgentEnd::new(0).outcome(Outcome::Lost).error(LOST).into(),
            Concept::Step => {
                let error = ExecutionError::new(ErrorCategory::KernelInternal, LOST).occurred(at);
                StepFailed::new(error).outcome(Outcome::Lost).into()
            }
            Concept::LlmCall => LlmCallFailed::new(LOST).outcome(Outcome::Lost).into(),
            Concept::ToolCall => ToolOutputError::new(key, LOST, ToolFailure::Lost).into(),
            Concept::Text => TextEnd::new(key).outcome(Outcome::Lost).into(),
            Concept::Reasoning => ReasoningEnd::new(key).outcome(Outcome::Lost).into(),
        }
    }
}
