//! What a span is in each dialect: one table.

use crate::{
    event::{Body, MemoryOperation, Operation, StepStart, StepType},
    otlp::{sink::SpanKind, span::Span},
    semconv::operation,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concept {
    Agent,
    Workflow,
    Step,
    Model,
    Tool,
    MemorySearch,
    MemoryCreate,
    MemoryUpdate,
    MemoryDelete,
    Guardrail,
    Retrieval,
    Embedding,
    Evaluation,
}

/// What the dialects call it.
pub(super) struct Words {
    /// `gen_ai.operation.name`; the span's name begins with it.
    pub(super) operation: &'static str,
    /// As our own spans say it with `otel.kind`.
    pub(super) kind: SpanKind,
    pub(super) openinference: &'static str,
    pub(super) langfuse: &'static str,
}

impl Concept {
    pub(super) const fn words(self) -> Words {
        use SpanKind::{Client, Internal};
        match self {
            Self::Agent => words(operation::INVOKE_AGENT, Internal, "AGENT", "agent"),
            Self::Workflow => words(operation::INVOKE_WORKFLOW, Internal, "CHAIN", "chain"),
            Self::Step => words(operation::RUN_STEP, Internal, "CHAIN", "span"),
            Self::Model => words(operation::CHAT, Client, "LLM", "generation"),
            Self::Tool => words(operation::EXECUTE_TOOL, Internal, "TOOL", "tool"),
            // No viewer has a kind for memory: what is read is shown as a search, what is written as a link of a chain.
            Self::MemorySearch => words(operation::SEARCH_MEMORY, Internal, "RETRIEVER", "retriever"),
            Self::MemoryCreate => words(operation::CREATE_MEMORY, Internal, "CHAIN", "span"),
            Self::MemoryUpdate => words(operation::UPDATE_MEMORY, Internal, "CHAIN", "span"),
            Self::MemoryDelete => words(operation::DELETE_MEMORY, Internal, "CHAIN", "span"),
            Self::Guardrail => words(operation::RUN_GUARDRAIL, Internal, "GUARDRAIL", "guardrail"),
            Self::Retrieval => words(operation::RETRIEVAL, Client, "RETRIEVER", "retriever"),
            Self::Embedding => words(operation::EMBEDDINGS, Client, "EMBEDDING", "embedding"),
            Self::Evaluation => words(operation::EVALUATE, Internal, "EVALUATOR", "evaluator"),
        }
    }

    /// `gen_ai.operation.name`: the span's own word, where that is one for what it is.
    pub(super) fn operation(self, span: &Span) -> &str {
        let own = span.operation().filter(|operation| Self::of_operation(operation) == Some(self));
        own.map_or(self.words().operation, Operation::as_str)
    }

    /// By what opened it. What a step does is said by the event of it that says most.
    pub(super) fn of(span: &Span) -> Self {
        match &span.opener {
            Body::ExecutionStart(_) | Body::AgentStart(_) if span.is_workflow() => Self::Workflow,
            Body::ExecutionStart(_) | Body::AgentStart(_) => Self::Agent,
            Body::LlmCallStart(_) => Self::Model,
            Body::ToolInputStart(_) | Body::ToolInputAvailable(_) => Self::Tool,
            Body::StepStart(start) => Self::of_step(start, span),
            body => Self::of_fact(body).unwrap_or(Self::Step),
        }
    }

    /// A step of memory says itself what it does there, else what was done says it; of one that failed nothing else does.
    fn of_step(start: &StepStart, span: &Span) -> Self {
        let own = start.operation.as_ref().and_then(Self::of_operation);
        let told = || own.or_else(|| span.facts.iter().find_map(|fact| Self::of_fact(&fact.body)));
        match &start.step_type {
            StepType::GraphNode => Self::Workflow,
            StepType::GuardrailNode => Self::Guardrail,
            StepType::RetrieverNode => Self::Retrieval,
            StepType::EmbeddingNode => Self::Embedding,
            StepType::EvaluatorNode => Self::Evaluation,
            StepType::MemoryNode => told().filter(|concept| concept.is_memory()).unwrap_or(Self::Step),
            _ => Self::Step,
        }
    }

    /// None for a word of another version.
    const fn of_operation(operation: &Operation) -> Option<Self> {
        Some(match operation {
            Operation::Chat | Operation::TextCompletion | Operation::GenerateContent => Self::Model,
            Operation::Transcription | Operation::ImageGeneration | Operation::AudioGeneration => Self::Model,
            Operation::InvokeAgent => Self::Agent,
            Operation::InvokeWorkflow => Self::Workflow,
            Operation::SearchMemory => Self::MemorySearch,
            Operation::CreateMemory | Operation::UpsertMemory => Self::MemoryCreate,
            Operation::UpdateMemory => Self::MemoryUpdate,
            Operation::DeleteMemory => Self::MemoryDelete,
            Operation::Other(_) => return None,
        })
    }

    fn of_fact(body: &Body) -> Option<Self> {
        Some(match body {
            Body::MemoryRecalled(_) => Self::MemorySearch,
            Body::MemoryStored(_) => Self::MemoryCreate,
            Body::MemoryUpdated(event) if event.operation == MemoryOperation::Forgotten => Self::MemoryDelete,
            Body::MemoryUpdated(_) => Self::MemoryUpdate,
            Body::GuardrailEvaluated(_) => Self::Guardrail,
            Body::Retrieval(_) => Self::Retrieval,
            Body::Embedding(_) => Self::Embedding,
            Body::EvaluationScored(_) => Self::Evaluation,
            _ => return None,
        })
    }

    pub(super) const fn is_memory(self) -> bool {
        matches!(self, Self::MemorySearch | Self::MemoryCreate | Self::MemoryUpdate | Self::MemoryDelete)
    }

    /// Whether this event says what a span of this concept did.
    pub(super) fn is_told_by(self, body: &Body) -> bool {
        Self::of_fact(body) == Some(self)
    }
}

const fn words(operation: &'static str, kind: SpanKind, openinference: &'static str, langfuse: &'static str) -> Words {
    Words { operation, kind, openinference, langfuse }
}
