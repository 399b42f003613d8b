//! What the fold gives out: finished spans, as the events that they are made of.

use crate::{
    ExecutionId, Text, Timestamp,
    event::{Body, Operation, Outcome, ToolFailure},
};
use std::sync::Arc;

/// A finished span: its ids, its times, and the bodies of the events that opened it, happened in it and closed it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    pub(crate) run: Arc<Run>,
    /// Never zero, and never given out twice in a trace.
    pub(crate) span_id: u64,
    /// None for the first of a trace.
    pub(crate) parent: Option<u64>,
    pub(crate) links: Vec<Link>,
    pub(crate) start: Timestamp,
    /// Never before the start.
    pub(crate) end: Timestamp,
    /// What it is: the body of the event that opened it, or of the one event that it is made of (a fact without a step).
    pub(crate) opener: Body,
    /// None for what is made of one event, and for what was open when its execution ended.
    pub(crate) closer: Option<Body>,
    /// What happened in it, in order.
    pub(crate) facts: Vec<Fact>,
    /// Facts past the bound of one span.
    pub(crate) dropped_facts: u32,
    /// Name of the agent that it is part of: the nearest one around it.
    pub(crate) agent: Option<Text>,
    /// An agent's own calls, those of agents inside not among them.
    pub(crate) calls: Calls,
    /// Whether it was open when its execution ended, so that nobody said how it ended itself.
    pub(crate) unended: bool,
}

/// What all spans of an execution say: whose it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) execution_id: ExecutionId,
    pub(crate) trace_id: u128,
    pub(crate) session_id: Option<Text>,
    pub(crate) tenant_id: Option<Text>,
    pub(crate) user_id: Option<Text>,
}

/// Something that happened in a span.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fact {
    pub(crate) time: Timestamp,
    pub(crate) body: Body,
}

/// Another span of the same trace that has to do with this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) span_id: u64,
    pub(crate) why: LinkKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkKind {
    /// The agent that handed over to this one.
    Handoff,
    /// The earlier run that this one goes on from.
    Resumed,
}

/// How often an agent called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Calls {
    pub(crate) inference: u64,
    pub(crate) tool: u64,
}

/// What the fold gives out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Output {
    Finished(Box<Span>),
    /// What was said after everything that it could belong to had ended: feedback, an evaluation, anything.
    Late {
        run: Arc<Run>,
        parent: Option<u64>,
        fact: Fact,
    },
}

impl Output {
    pub(crate) fn is_span(&self) -> bool {
        matches!(self, Self::Finished(_))
    }
}

impl Span {
    /// What it says itself that it does, where it says it.
    pub(crate) fn operation(&self) -> Option<&Operation> {
        operation_of(&self.opener)
    }

    /// Whether it is a run of a workflow and of no agent.
    pub(crate) fn is_workflow(&self) -> bool {
        self.operation() == Some(&Operation::InvokeWorkflow)
    }

    /// How it ended; none where it ended well, or is made of one event.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        match self.closer.as_ref()? {
            Body::ExecutionEnd(end) => end.outcome.clone(),
            Body::ExecutionFailed(end) => Some(end.outcome.clone().unwrap_or(Outcome::Error)),
            Body::ExecutionCancelled(_) => Some(Outcome::Cancelled),
            Body::ExecutionLost(_) => Some(Outcome::Lost),
            Body::AgentEnd(end) => end.outcome.clone(),
            Body::StepEnd(end) => end.outcome.clone(),
            Body::StepFailed(end) => Some(end.outcome.clone().unwrap_or(Outcome::Error)),
            Body::LlmCallFailed(end) => Some(end.outcome.clone().unwrap_or(Outcome::Error)),
            Body::ToolOutputError(end) => Some(outcome_of(&end.outcome)),
            _ => None,
        }
        .filter(|outcome| *outcome != Outcome::Ok)
    }
}

/// As the event says it that opened something.
pub(super) fn operation_of(opener: &Body) -> Option<&Operation> {
    match opener {
        Body::ExecutionStart(start) => start.operation.as_ref(),
        Body::AgentStart(start) => start.operation.as_ref(),
        Body::StepStart(start) => start.operation.as_ref(),
        Body::LlmCallStart(start) => start.operation.as_ref(),
        _ => None,
    }
}

fn outcome_of(failure: &ToolFailure) -> Outcome {
    match failure {
        ToolFailure::TimedOut => Outcome::TimedOut,
        ToolFailure::Cancelled | ToolFailure::Skipped | ToolFailure::Unanswered => Outcome::Cancelled,
        ToolFailure::Panicked => Outcome::Panicked,
        ToolFailure::Lost => Outcome::Lost,
        _ => Outcome::Error,
    }
}
