//! What spans say: the table of operations, and the table of fields. One row for each name that is understood.
//!
//! Names that we write stand in `semconv`; names that only others write stand here and nowhere else. Indexed names, such
//! as OpenInference's `llm.input_messages.0.message.content`, are not read: a call site of `tracing` has fixed names, so
//! whoever flattens messages into fields has `input.value` beside them.

use crate::semconv::{self, operation};

/// What a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SpanKind {
    Agent,
    Step,
    Llm,
    Tool,
    MemoryRead,
    MemoryWrite,
    MemoryChange,
    Guardrail,
    Retriever,
    Embedding,
    Evaluator,
}

impl SpanKind {
    /// By `gen_ai.operation.name`. None for operations that are no span of ours; those only pass parenthood on.
    pub(super) fn of_operation(name: &str) -> Option<Self> {
        Some(match name {
            operation::INVOKE_AGENT | operation::INVOKE_WORKFLOW => Self::Agent,
            operation::RUN_STEP | "plan" | "agent_step" => Self::Step,
            operation::CHAT | operation::TEXT_COMPLETION | operation::GENERATE_CONTENT => Self::Llm,
            "chat_streaming" | "completion" | "generate" => Self::Llm,
            // rig's names for calls of other models: they use tokens and cost money as a chat does.
            "transcription" | "image_generation" | "audio_generation" => Self::Llm,
            operation::EXECUTE_TOOL => Self::Tool,
            operation::SEARCH_MEMORY => Self::MemoryRead,
            operation::CREATE_MEMORY | operation::UPSERT_MEMORY => Self::MemoryWrite,
            operation::UPDATE_MEMORY | operation::DELETE_MEMORY => Self::MemoryChange,
            operation::RUN_GUARDRAIL | operation::APPLY_GUARDRAIL => Self::Guardrail,
            operation::RETRIEVAL | "rerank" => Self::Retriever,
            operation::EMBEDDINGS => Self::Embedding,
            operation::EVALUATE => Self::Evaluator,
            _ => return None,
        })
    }

    /// By the kinds of OpenInference, Langfuse and Traceloop, in any case. None for a plain `SPAN`, and for what we have no
    /// word for.
    pub(super) fn of_observation(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "agent" | "workflow" => Self::Agent,
            "chain" | "task" | "step" | "prompt" | "decision" => Self::Step,
            "llm" | "generation" => Self::Llm,
            "tool" => Self::Tool,
            "guardrail" => Self::Guardrail,
            "retriever" | "reranker" => Self::Retriever,
            "embedding" => Self::Embedding,
            "evaluator" => Self::Evaluator,
            _ => return None,
        })
    }

    /// The field without which a start would not say what began, in order of preference.
    pub(super) const fn identity(self) -> Option<Slot> {
        match self {
            Self::Llm | Self::Embedding => Some(Slot::RequestModel),
            Self::Tool => Some(Slot::ToolName),
            _ => None,
        }
    }

    /// The field with what went in, which a start should have if the span has it.
    pub(super) const fn input(self) -> Slot {
        match self {
            Self::Tool => Slot::ToolArguments,
            Self::Llm => Slot::InputMessages,
            _ => Slot::InputValue,
        }
    }
}

macro_rules! fields {
    ($($slot:ident = $($name:expr),+;)+) => {
        /// What a field of a span means to us.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Slot {
            $($slot,)+
        }

        /// Every slot with the names it is known by, the convention's own first.
        pub(super) const FIELDS: &[(Slot, &[&str])] = &[$((Slot::$slot, &[$($name),+]),)+];
    };
}

/// Some of the slots: a bit for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Slots(u128);

const _: () = assert!(FIELDS.len() <= u128::BITS as usize);

impl Slots {
    pub(super) const fn with(self, slot: Slot) -> Self {
        Self(self.0 | 1 << slot as u32)
    }

    pub(super) const fn without(self, slot: Slot) -> Self {
        Self(self.0 & !(1 << slot as u32))
    }

    pub(super) const fn has(self, slot: Slot) -> bool {
        self.0 & 1 << slot as u32 != 0
    }
}

impl Slot {
    /// The slot of a field name, and the name's rank: where a span has several, the lower rank counts.
    pub(super) fn of(field: &str) -> Option<(Self, u8)> {
        FIELDS.iter().find_map(|(slot, names)| Some((*slot, names.iter().position(|name| *name == field)? as u8)))
    }

    /// Of the names for it the one that counts most.
    pub(super) fn name(self) -> &'static str {
        FIELDS.iter().find(|(slot, _)| *slot == self).map_or("", |(_, names)| names[0])
    }

    /// Whether a value for this may come in an event instead of on the span: what was said and what it took, never what
    /// the span is or how it ended.
    pub(super) const fn comes_in_events(self) -> bool {
        matches!(
            self,
            Self::RequestModel
                | Self::ResponseModel
                | Self::ResponseId
                | Self::FinishReasons
                | Self::InputTokens
                | Self::OutputTokens
                | Self::CacheReadTokens
                | Self::CacheCreationTokens
                | Self::ReasoningTokens
                | Self::AudioInputTokens
                | Self::AudioOutputTokens
                | Self::TotalTokens
                | Self::UsageDetails
                | Self::Cost
                | Self::InputMessages
                | Self::OutputMessages
                | Self::InputValue
                | Self::OutputValue
                | Self::ToolArguments
                | Self::ToolResult
        )
    }

    /// Whether a span that has a field for this may turn out to be an agent span, now or later.
    pub(super) const fn is_telling(self) -> bool {
        matches!(self, Self::Operation | Self::ObservationKind | Self::McpMethod)
    }
}

fields! {
    Operation = semconv::OPERATION_NAME;
    ObservationKind = "openinference.span.kind", "langfuse.observation.type", "langfuse.type", "traceloop.span.kind";
    McpMethod = "mcp.method.name";
    OtelName = semconv::OTEL_NAME;
    EntityName = "traceloop.entity.name", "graph.node.name";
    AgentName = semconv::AGENT_NAME, semconv::WORKFLOW_NAME, "agent.name", "team.member";
    StepName = semconv::STEP_NAME;
    SessionId = semconv::CONVERSATION_ID, "langfuse.session.id", semconv::SESSION_ID, "gcp.vertex.agent.session_id",
        "traceloop.association.properties.session_id";
    TenantId = semconv::TENANT_ID;
    UserId = semconv::USER_ID, "langfuse.user.id", "gen_ai.user", "traceloop.association.properties.user_id";
    ExecutionId = semconv::EXECUTION_ID;
    Provider = semconv::PROVIDER_NAME, "gen_ai.system", "llm.provider", "llm.system", "provider";
    RequestModel = semconv::REQUEST_MODEL, "llm.request.model_name", "langfuse.observation.model.name", "llm.model_name",
        "embedding.model_name", "reranker.model_name", "langfuse.model", "model", "model.name";
    ResponseModel = semconv::RESPONSE_MODEL, "gen_ai.response.model_name", "llm.response.model_name";
    ResponseId = semconv::RESPONSE_ID;
    FinishReasons = semconv::FINISH_REASONS, "gen_ai.response.finish_reason", "llm.finish_reason";
    TimeToFirstChunk = semconv::TIME_TO_FIRST_CHUNK;
    InputTokens = semconv::INPUT_TOKENS, "gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "prompt_tokens";
    OutputTokens = semconv::OUTPUT_TOKENS, "gen_ai.usage.completion_tokens", "llm.token_count.completion",
        "completion_tokens";
    TotalTokens = "gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total", "total_tokens";
    CacheReadTokens = semconv::CACHE_READ_TOKENS, "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.cache_read_tokens", "gen_ai.usage.cached_tokens", "llm.token_count.prompt_details.cache_read";
    CacheCreationTokens = semconv::CACHE_CREATION_TOKENS, semconv::CACHE_WRITE_TOKENS,
        "gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.cache_creation_tokens",
        "llm.token_count.prompt_details.cache_write";
    ReasoningTokens = semconv::REASONING_TOKENS, semconv::REASONING_TOKENS_RIG, "gen_ai.usage.thinking_tokens",
        "llm.token_count.completion_details.reasoning";
    UsageDetails = "langfuse.observation.usage_details", "langfuse.usage_details", "langfuse.usage";
    AudioInputTokens = semconv::AUDIO_INPUT_TOKENS, "llm.token_count.prompt_details.audio";
    AudioOutputTokens = semconv::AUDIO_OUTPUT_TOKENS, "llm.token_count.completion_details.audio";
    Cost = semconv::USAGE_COST, "gen_ai.usage.cost.amount", "operation.cost", "llm.cost.total";
    InputMessages = semconv::INPUT_MESSAGES, "gcp.vertex.agent.llm_request";
    OutputMessages = semconv::OUTPUT_MESSAGES, "gcp.vertex.agent.llm_response";
    InputValue = semconv::INPUT_VALUE, semconv::PROMPT, "langfuse.observation.input", "langfuse.input",
        "traceloop.entity.input", "input";
    OutputValue = semconv::OUTPUT_VALUE, semconv::COMPLETION, "gen_ai.retrieval.documents",
        "langfuse.observation.output", "langfuse.output", "traceloop.entity.output", "output";
    HistoryLength = semconv::HISTORY_LENGTH;
    CallableName = semconv::CALLABLE_NAME;
    ToolName = semconv::TOOL_NAME, "tool.name", "tool";
    ToolCallId = semconv::TOOL_CALL_ID, "gen_ai.tool.call_id", "tool.id";
    ToolDescription = semconv::TOOL_DESCRIPTION, "tool.description";
    ToolDefinitions = semconv::TOOL_DEFINITIONS;
    ToolArguments = semconv::TOOL_CALL_ARGUMENTS, "gcp.vertex.agent.tool_call_args";
    ToolResult = semconv::TOOL_CALL_RESULT, "gcp.vertex.agent.tool_response";
    ToolOutcome = semconv::TOOL_CALL_OUTCOME;
    MemoryQuery = semconv::MEMORY_QUERY_TEXT;
    MemoryCount = semconv::MEMORY_RECORD_COUNT;
    MemoryStoreId = semconv::MEMORY_STORE_ID;
    MemoryRecordId = semconv::MEMORY_RECORD_ID;
    MemoryType = semconv::MEMORY_TYPE;
    DataSourceId = semconv::DATA_SOURCE_ID;
    RetrievalQuery = semconv::RETRIEVAL_QUERY_TEXT, "reranker.query";
    GuardrailName = semconv::GUARDRAIL_NAME;
    GuardrailDecision = semconv::GUARDRAIL_DECISION;
    GuardrailReason = semconv::GUARDRAIL_REASON;
    GuardrailScore = semconv::GUARDRAIL_SCORE;
    GuardrailStage = semconv::GUARDRAIL_STAGE;
    EvaluationName = semconv::EVALUATION_NAME;
    EvaluationScore = semconv::EVALUATION_SCORE;
    EvaluationLabel = semconv::EVALUATION_LABEL;
    EvaluationExplanation = semconv::EVALUATION_EXPLANATION;
    StepIndex = semconv::STEP_INDEX;
    ErrorType = semconv::ERROR_TYPE, semconv::TOOL_ERROR_TYPE;
    ErrorText = "error", "error.message", "exception.message";
    StatusCode = semconv::OTEL_STATUS_CODE;
    StatusDescription = semconv::OTEL_STATUS_DESCRIPTION, "otel.status_message";
    Outcome = semconv::OUTCOME;
    Fields = semconv::FIELDS;
    DeltaText = semconv::DELTA_TEXT;
    DeltaReasoning = semconv::DELTA_REASONING;
    Traceparent = semconv::TRACEPARENT;
    Tracestate = semconv::TRACESTATE;
    Baggage = semconv::BAGGAGE;
    DeltaToolInput = semconv::DELTA_TOOL_INPUT;
    DeltaToolCallId = semconv::DELTA_TOOL_CALL_ID;
    DeltaToolName = semconv::DELTA_TOOL_NAME;
    DeltaEnd = semconv::DELTA_END;
}
