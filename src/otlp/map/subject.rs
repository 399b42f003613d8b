//! A span taken apart: what it is, what it is called, what went in and came out.

use super::{concept::Concept, content::Content, failure::Failure};
use crate::{
    Json, Text,
    event::{Body, ExecutionStart, LlmCallEnd, LlmCallStart, Outcome, StepStart},
    otlp::span::Span,
};

pub(super) struct Subject<'a> {
    pub(super) span: &'a Span,
    pub(super) concept: Concept,
    /// The event that says what it did: what was recalled, the verdict. Of a span made of one event that event.
    pub(super) told: Option<&'a Body>,
    /// The place of that event among the facts.
    pub(super) told_at: Option<usize>,
    /// How it ended, where not well.
    pub(super) outcome: Option<Outcome>,
    pub(super) failure: Option<Failure<'a>>,
}

impl<'a> Subject<'a> {
    pub(super) fn of(span: &'a Span) -> Self {
        let concept = Concept::of(span);
        let told_at = span.facts.iter().position(|fact| concept.is_told_by(&fact.body));
        let told = match concept.is_told_by(&span.opener) {
            true => Some(&span.opener),
            false => told_at.map(|at| &span.facts[at].body),
        };
        let outcome = span.outcome();
        let failure = outcome.as_ref().and_then(|outcome| Failure::of_outcome(span, outcome));
        Self { span, concept, told, told_at, outcome, failure }
    }

    /// The start of the execution: this span's, or that of the one that was made for this alone.
    pub(super) fn execution_start(&self) -> Option<&'a ExecutionStart> {
        match (&self.span.opener, self.span.facts.first().map(|fact| &fact.body)) {
            (Body::ExecutionStart(start), _) | (_, Some(Body::ExecutionStart(start))) => Some(start),
            _ => None,
        }
    }

    pub(super) fn step_start(&self) -> Option<&'a StepStart> {
        match &self.span.opener {
            Body::StepStart(start) => Some(start),
            _ => None,
        }
    }

    pub(super) fn model_start(&self) -> Option<&'a LlmCallStart> {
        match &self.span.opener {
            Body::LlmCallStart(start) => Some(start),
            _ => None,
        }
    }

    pub(super) fn model_end(&self) -> Option<&'a LlmCallEnd> {
        match &self.span.closer {
            Some(Body::LlmCallEnd(end)) => Some(end),
            _ => None,
        }
    }

    /// What stands in the span's name after the operation: of low cardinality, as the conventions ask.
    pub(super) fn name(&self) -> Option<&'a Text> {
        let step = || self.step_start().map(|start| &start.name);
        match (&self.span.opener, self.told) {
            _ if self.concept.is_memory() => None,
            (Body::AgentStart(start), _) => Some(&start.name),
            (Body::ExecutionStart(start), _) => start.name.as_ref(),
            (Body::LlmCallStart(_), _) => self.request_model().or_else(|| self.model_end()?.model.as_ref()),
            (Body::ToolInputStart(start), _) => Some(&start.tool_name),
            (Body::ToolInputAvailable(start), _) => Some(&start.tool_name),
            (_, Some(Body::GuardrailEvaluated(event))) => Some(&event.guardrail_name),
            (_, Some(Body::EvaluationScored(event))) => Some(&event.name),
            (_, Some(Body::Embedding(event))) => Some(&event.model),
            (_, Some(Body::Retrieval(event))) => event.data_source_id.as_ref().or_else(step),
            _ => step(),
        }
    }

    pub(super) fn tool_description(&self) -> Option<&'a Text> {
        match &self.span.opener {
            Body::ToolInputAvailable(start) => start.description.as_ref(),
            _ => None,
        }
    }

    /// None of one that failed: what its step is called may be anything.
    pub(super) fn embedding_model(&self) -> Option<&'a Text> {
        match self.told {
            Some(Body::Embedding(event)) => Some(&event.model),
            _ => None,
        }
    }

    /// The provider's id of a tool call. One that has none is called like its step in the record, and that is no such id.
    pub(super) fn call_id(&self) -> Option<&'a Text> {
        self.span.opener.key().filter(|id| step_of(id) != Some(self.span.span_id))
    }

    pub(super) fn request_model(&self) -> Option<&'a Text> {
        let failed = match &self.span.closer {
            Some(Body::LlmCallFailed(failed)) => failed.model.as_ref(),
            _ => None,
        };
        self.model_start()?.model.as_ref().or(failed)
    }

    /// What else its author said of it.
    pub(super) fn fields(&self) -> Option<&'a Json> {
        let own = match &self.span.opener {
            Body::AgentStart(start) => start.fields.as_ref(),
            Body::StepStart(start) => start.fields.as_ref(),
            Body::LlmCallStart(start) => start.fields.as_ref(),
            Body::ToolInputAvailable(start) => start.fields.as_ref(),
            _ => None,
        };
        own.or_else(|| self.execution_start()?.fields.as_ref())
    }

    pub(super) fn input(&self) -> Option<Content<'a>> {
        let own = match (&self.span.opener, self.told) {
            (_, Some(Body::MemoryRecalled(event))) => Content::of_text(Some(&event.query)),
            (_, Some(Body::MemoryStored(event))) => Content::of_json(event.record.as_ref()),
            (_, Some(Body::Retrieval(event))) => Content::of_text(Some(&event.query)),
            (Body::AgentStart(start), _) => Content::of_json(start.input.as_ref()),
            (Body::LlmCallStart(start), _) => Content::of_json(start.input.as_ref()),
            (Body::ToolInputAvailable(start), _) => Content::of_json(Some(&start.input)),
            _ => None,
        };
        let of_step = || Content::of_json(self.step_start()?.input.as_ref());
        own.or_else(of_step).or_else(|| Content::of_json(self.execution_start()?.input.as_ref()))
    }

    pub(super) fn output(&self) -> Option<Content<'a>> {
        let told = match self.told {
            Some(Body::MemoryRecalled(event)) => Content::of_json(event.records.as_ref()),
            Some(Body::Retrieval(event)) => Content::of_json(event.documents.as_ref()),
            _ => None,
        };
        let own = || match self.span.closer.as_ref()? {
            Body::ExecutionEnd(end) => Content::of_text(end.final_output.as_ref()),
            Body::AgentEnd(end) => Content::of_text(end.output.as_ref()),
            // Vectors are no reading.
            Body::StepEnd(end) if self.concept != Concept::Embedding => Content::of_text(end.output.as_ref()),
            Body::LlmCallEnd(end) => Content::of_json(end.output.as_ref()),
            Body::ToolOutputAvailable(end) => Content::of_json(Some(&end.output)),
            _ => None,
        };
        told.or_else(own).or_else(|| self.said())
    }

    /// The message to the user that an agent was seen to send, where its end does not say what came out.
    fn said(&self) -> Option<Content<'a>> {
        let finish = self.span.facts.iter().rev().find_map(|fact| match &fact.body {
            Body::Finish(finish) => finish.final_output.as_ref(),
            _ => None,
        });
        Content::of_text(finish).filter(|_| self.concept == Concept::Agent)
    }
}

/// The span that a step of ours is called by.
fn step_of(id: &str) -> Option<u64> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let digits = id.strip_prefix("step_").filter(|digits| digits.len() == 16 && digits.bytes().all(is_digit))?;
    u64::from_str_radix(digits, 16).ok()
}
