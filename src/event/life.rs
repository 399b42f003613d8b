//! What is open in an execution, and how it is closed when its process is gone.

use super::{
    AgentEnd, Body, Concept, ErrorCategory, ExecutionError, ExecutionLost, Finish, Life, LlmCallFailed, Outcome,
    ReasoningEnd, StepFailed, StreamEvent, TextEnd, ToolFailure, ToolOutputError,
};
use crate::{ExecutionId, StepId, Text, Timestamp};

/// Everything of one execution that began and has not ended yet.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenThings {
    execution_id: ExecutionId,
    open: Vec<Open>,
}

#[derive(Debug, Clone, PartialEq)]
struct Open {
    concept: Concept,
    step_id: Option<StepId>,
    key: Option<Text>,
}

/// Said of everything that is found open after a crash.
const LOST: &str = "its process ended before it did";

impl OpenThings {
    /// Nothing open yet.
    pub const fn new(execution_id: ExecutionId) -> Self {
        Self { execution_id, open: Vec::new() }
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
        match event.kind().life() {
            Life::Opens(concept) if self.find(concept, event).is_none() => {
                self.open.push(Open { concept, step_id: event.step_id.clone(), key: event.body.key().cloned() })
            }
            Life::Closes(Concept::Execution) => self.open.clear(),
            Life::Closes(concept) => {
                self.find(concept, event).map(|at| self.open.remove(at));
            }
            _ => {}
        }
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
