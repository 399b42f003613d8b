//! One span while it is open.

use super::execution::Told;
use crate::{
    StepId, Text, Timestamp,
    event::{
        Body, Concept, Life, Operation, OperationProgress, Outcome, StepType, ToolFailure, ToolOutputError, UsageReport,
    },
    otlp::span::{Calls, Fact, Link, Run, Span, operation_of},
};
use std::sync::Arc;

/// What happened in one span; past it facts are counted only. OpenTelemetry's limit on the events of a span is 128; texts
/// and usage are facts too, and no events there.
const MAX_FACTS: usize = 512;

#[derive(Debug)]
pub(super) struct Story {
    pub(super) concept: Concept,
    /// Whether an execution ends with it. A thing that is alone in its execution is both: a model call, say, and a root.
    pub(super) is_root: bool,
    /// A root that goes on for one that was paused: both end together.
    pub(super) resumes: bool,
    /// The step that its events name.
    pub(super) step_id: Option<StepId>,
    /// A tool call's id.
    pub(super) key: Option<Text>,
    pub(super) span_id: u64,
    pub(super) parent: Option<u64>,
    pub(super) links: Vec<Link>,
    pub(super) start: Timestamp,
    /// Sequence of the event that opened it.
    pub(super) opened_by: u64,
    pub(super) opener: Body,
    pub(super) closer: Option<Body>,
    pub(super) end: Option<Timestamp>,
    pub(super) facts: Vec<Fact>,
    pub(super) dropped_facts: u32,
    pub(super) agent: Option<Text>,
    pub(super) calls: Calls,
    /// A tool call that runs, not one that a model only announced.
    pub(super) is_called: bool,
    /// Its end waits for this event of the execution at the latest: the usage of a model call is told after it.
    pub(super) lingers_until: Option<u64>,
    pub(super) bytes: usize,
}

impl Story {
    pub(super) fn new(concept: Concept, span_id: u64, told: Told) -> Self {
        let Told { sequence, time, step_id, body: opener } = told;
        let bytes = size_of::<Self>() + opener.heap_bytes();
        Self {
            concept,
            is_root: concept == Concept::Execution,
            resumes: false,
            step_id,
            key: opener.key().cloned(),
            span_id,
            parent: None,
            links: Vec::new(),
            start: time,
            opened_by: sequence,
            is_called: !matches!(opener, Body::ToolInputStart(_)),
            opener,
            closer: None,
            end: None,
            facts: Vec::new(),
            dropped_facts: 0,
            agent: None,
            calls: Calls::default(),
            lingers_until: None,
            bytes,
        }
    }

    /// Whether it is open and an end of this step closes it.
    pub(super) fn is_open(&self, concept: Concept, step_id: Option<&StepId>) -> bool {
        self.concept == concept && self.closer.is_none() && self.step_id.as_ref() == step_id
    }

    /// Whether what happens inside is done by it. A workflow does nothing itself.
    pub(super) fn is_agent(&self) -> bool {
        (self.is_root || self.concept == Concept::Agent) && !self.is_workflow()
    }

    fn is_workflow(&self) -> bool {
        operation_of(&self.opener) == Some(&Operation::InvokeWorkflow)
    }

    pub(super) fn is_step(&self, step_type: &StepType) -> bool {
        matches!(&self.opener, Body::StepStart(start) if start.step_type == *step_type)
    }

    /// The agent that it is, where it is one: what happens inside is done by it.
    pub(super) fn own_agent(&self) -> Option<&Text> {
        match &self.opener {
            _ if self.is_workflow() => None,
            Body::ExecutionStart(start) => start.name.as_ref(),
            Body::AgentStart(start) => Some(&start.name),
            _ => None,
        }
    }

    /// A root and the one thing that it was made for.
    pub(super) fn become_one_with(&mut self, concept: Concept, told: Told) {
        let key = told.body.key().cloned();
        let body = std::mem::replace(&mut self.opener, told.body);
        self.bytes += self.opener.heap_bytes();
        (self.concept, self.key) = (concept, key);
        self.facts.push(Fact { time: self.start, body });
    }

    /// What was announced is called now, maybe by a step of its own.
    pub(super) fn is_called_by(&mut self, span_id: u64, told: Told) {
        self.bytes += told.body.heap_bytes();
        (self.span_id, self.step_id, self.start) = (span_id, told.step_id, told.time);
        (self.opener, self.is_called) = (told.body, true);
    }

    /// The first end counts: what was alone in its execution says more than the execution.
    pub(super) fn end_with(&mut self, time: Timestamp, body: Body) {
        if self.closer.is_none() {
            self.bytes += body.heap_bytes();
            (self.end, self.closer) = (Some(time), Some(body));
        }
    }

    /// Whether what it used may still be told: nobody said yet that it is not known.
    pub(super) fn awaits_usage(&self) -> bool {
        let may_come = match &self.closer {
            Some(Body::LlmCallEnd(end)) => end.usage != Some(UsageReport::Unknown),
            Some(Body::LlmCallFailed(end)) => end.outcome != Some(Outcome::Lost),
            _ => false,
        };
        may_come && !self.facts.iter().any(|fact| matches!(fact.body, Body::TokenUsage(_)))
    }

    pub(super) fn note(&mut self, fact: Fact) {
        if let Body::OperationProgress(progress) = &fact.body
            && let Some(earlier) = self.facts.iter_mut().find(|earlier| is_of_operation(earlier, progress))
        {
            *earlier = fact;
            return;
        }
        if self.facts.len() >= MAX_FACTS {
            self.dropped_facts = self.dropped_facts.saturating_add(1);
            return;
        }
        self.bytes += size_of::<Fact>() + fact.body.heap_bytes();
        self.facts.push(fact);
    }

    /// Nobody ran what a model announced: then there is no span of it.
    pub(super) fn was_never_called(&self) -> bool {
        let unanswered = |end: &ToolOutputError| end.outcome == ToolFailure::Unanswered;
        self.concept == Concept::ToolCall
            && match &self.closer {
                Some(Body::ToolOutputError(end)) if unanswered(end) => true,
                Some(_) => false,
                None => !self.is_called,
            }
    }

    /// The span, which ends now unless its end was told before.
    pub(super) fn finish(self, run: &Arc<Run>, now: Timestamp) -> Box<Span> {
        let end = self.end.unwrap_or(now).max(self.start);
        Box::new(Span {
            run: run.clone(),
            span_id: self.span_id,
            parent: self.parent,
            links: self.links,
            start: self.start,
            end,
            // What happened at once is over by itself.
            unended: self.closer.is_none() && self.opener.kind().life() != Life::AtOnce,
            opener: self.opener,
            closer: self.closer,
            facts: self.facts,
            dropped_facts: self.dropped_facts,
            agent: self.agent,
            calls: self.calls,
        })
    }
}

fn is_of_operation(fact: &Fact, progress: &OperationProgress) -> bool {
    matches!(&fact.body, Body::OperationProgress(earlier) if earlier.operation_id == progress.operation_id)
}
