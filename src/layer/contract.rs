//! What spans say: the table of operations, and the table of fields. One row for each name that is understood.

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
            operation::RUN_STEP | "plan" => Self::Step,
            operation::CHAT | operation::TEXT_COMPLETION | operation::GENERATE_CONTENT | "chat_streaming" => Self::Llm,
            operation::EXECUTE_TOOL => Self::Tool,
            operation::SEARCH_MEMORY => Self::MemoryRead,
            operation::CREATE_MEMORY | operation::UPSERT_MEMORY => Self::MemoryWrite,
            operation::UPDATE_MEMORY | operation::DELETE_MEMORY => Self::MemoryChange,
            operation::RUN_GUARDRAIL | operation::APPLY_GUARDRAIL => Self::Guardrail,
            operation::RETRIEVAL => Self::Retriever,
            operation::EMBEDDINGS => Self::Embedding,
            operation::EVALUATE => Self::Evaluator,
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
    ($($slot:ident $(= $name:ident)+,)+) => {
        /// What a field of a span means to us.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Slot {
            $($slot,)+
        }

        impl Slot {
            /// The slot of a field name.
            pub(super) fn of(field: &str) -> Option<Self> {
                $($(if field == semconv::$name {
                    return Some(Self::$slot);
                })+)+
                None
            }
        }
    };
}

fields! {
    Operation = OPERATION_NAME,
    AgentName = AGENT_NAME = WORKFLOW_NAME,
    StepName = STEP_NAME,
    SessionId = CONVERSATION_ID = SESSION_ID,
    TenantId = TENANT_ID,
    UserId = USER_ID,
    ExecutionId = EXECUTION_ID,
    Provider = PROVIDER_NAME,
    RequestModel = REQUEST_MODEL,
    ResponseModel = RESPONSE_MODEL,
    ResponseId = RESPONSE_ID,
    FinishReasons = FINISH_REASONS,
    TimeToFirstChunk = TIME_TO_FIRST_CHUNK,
    InputTokens = INPUT_TOKENS,
    OutputTokens = OUTPUT_TOKENS,
    CacheReadTokens = CACHE_READ_TOKENS,
    CacheCreationTokens = CACHE_CREATION_TOKENS = CACHE_WRITE_TOKENS,
    ReasoningTokens = REASONING_TOKENS = REASONING_TOKENS_RIG,
    AudioInputTokens = AUDIO_INPUT_TOKENS,
    AudioOutputTokens = AUDIO_OUTPUT_TOKENS,
    Cost = USAGE_COST,
    InputMessages = INPUT_MESSAGES,
    OutputMessages = OUTPUT_MESSAGES,
    InputValue = INPUT_VALUE = PROMPT,
    OutputValue = OUTPUT_VALUE = COMPLETION,
    HistoryLength = HISTORY_LENGTH,
    CallableName = CALLABLE_NAME,
    ToolName = TOOL_NAME,
    ToolCallId = TOOL_CALL_ID,
    ToolArguments = TOOL_CALL_ARGUMENTS,
    ToolResult = TOOL_CALL_RESULT,
    ToolOutcome = TOOL_CALL_OUTCOME,
    MemoryQuery = MEMORY_QUERY_TEXT,
    MemoryCount = MEMORY_RECORD_COUNT,
    MemoryRecordId = MEMORY_RECORD_ID,
    MemoryType = MEMORY_TYPE,
    DataSourceId = DATA_SOURCE_ID,
    RetrievalQuery = RETRIEVAL_QUERY_TEXT,
    GuardrailName = GUARDRAIL_NAME,
    GuardrailDecision = GUARDRAIL_DECISION,
    GuardrailReason = GUARDRAIL_REASON,
    GuardrailScore = GUARDRAIL_SCORE,
    GuardrailStage = GUARDRAIL_STAGE,
    EvaluationName = EVALUATION_NAME,
    EvaluationScore = EVALUATION_SCORE,
    EvaluationLabel = EVALUATION_LABEL,
    EvaluationExplanation = EVALUATION_EXPLANATION,
    StepIndex = STEP_INDEX,
    ErrorType = ERROR_TYPE = TOOL_ERROR_TYPE,
    StatusCode = OTEL_STATUS_CODE,
    StatusDescription = OTEL_STATUS_DESCRIPTION,
    Outcome = OUTCOME,
    Fields = FIELDS,
    DeltaText = DELTA_TEXT,
    DeltaReasoning = DELTA_REASONING,
    Traceparent = TRACEPARENT,
    Tracestate = TRACESTATE,
    Baggage = BAGGAGE,
    DeltaToolInput = DELTA_TOOL_INPUT,
    DeltaToolCallId = DELTA_TOOL_CALL_ID,
    DeltaToolName = DELTA_TOOL_NAME,
    DeltaEnd = DELTA_END,
}
