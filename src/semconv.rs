//! Every attribute name that spans carry, once. `span` writes them, `layer` reads them; neither knows the other.
//!
//! `gen_ai.*` names are those of the OpenTelemetry GenAI conventions (Development; core release 1.41 where the newer
//! tree renamed them, because that is what other crates emit and back ends read). `spanwright.*` is our own namespace.

/// `gen_ai.operation.name`: what a span is. Everything else on it is detail.
pub const OPERATION_NAME: &str = "gen_ai.operation.name";

/// Values of [`OPERATION_NAME`] that `span` writes. The layer reads more than these (its table of operations).
pub mod operation {
    /// A model call.
    pub const CHAT: &str = "chat";
    /// A model call in the older completion form.
    pub const TEXT_COMPLETION: &str = "text_completion";
    /// A model call in Gemini's form.
    pub const GENERATE_CONTENT: &str = "generate_content";
    /// An embedding call.
    pub const EMBEDDINGS: &str = "embeddings";
    /// A search in a data source.
    pub const RETRIEVAL: &str = "retrieval";
    /// A run of an agent.
    pub const INVOKE_AGENT: &str = "invoke_agent";
    /// A run of a workflow: several agents or steps under one name.
    pub const INVOKE_WORKFLOW: &str = "invoke_workflow";
    /// A tool call.
    pub const EXECUTE_TOOL: &str = "execute_tool";
    /// A named step of an agent (proposed to the conventions, not yet in them).
    pub const RUN_STEP: &str = "run_step";
    /// A read from memory.
    pub const SEARCH_MEMORY: &str = "search_memory";
    /// A write to memory.
    pub const CREATE_MEMORY: &str = "create_memory";
    /// A change of something remembered.
    pub const UPDATE_MEMORY: &str = "update_memory";
    /// A write that creates or changes.
    pub const UPSERT_MEMORY: &str = "upsert_memory";
    /// Something forgotten on purpose.
    pub const DELETE_MEMORY: &str = "delete_memory";
    /// A check of input, output or a tool call (in-process; ours, the conventions have only a remote one).
    pub const RUN_GUARDRAIL: &str = "run_guardrail";
    /// The conventions' proposed remote form of the same.
    pub const APPLY_GUARDRAIL: &str = "apply_guardrail";
    /// A judgement of how good something is (ours: the conventions have an event for its result, and no span).
    pub const EVALUATE: &str = "evaluate";
}

/// Name of the agent.
pub const AGENT_NAME: &str = "gen_ai.agent.name";
/// Name of the workflow.
pub const WORKFLOW_NAME: &str = "gen_ai.workflow.name";
/// Name of the step (proposed to the conventions).
pub const STEP_NAME: &str = "gen_ai.step.name";
/// The conversation; only ever a real one.
pub const CONVERSATION_ID: &str = "gen_ai.conversation.id";
/// Who serves the model: `openai`, `anthropic` ….
pub const PROVIDER_NAME: &str = "gen_ai.provider.name";
/// The model asked for.
pub const REQUEST_MODEL: &str = "gen_ai.request.model";
/// True when the answer is streamed; else absent.
pub const REQUEST_STREAM: &str = "gen_ai.request.stream";
/// The model that answered.
pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
/// The provider's id of the answer.
pub const RESPONSE_ID: &str = "gen_ai.response.id";
/// Why the model stopped: a JSON array in a text.
pub const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// Seconds (f64), as the conventions ask.
pub const TIME_TO_FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";
/// The system prompt: a JSON text.
pub const SYSTEM_INSTRUCTIONS: &str = "gen_ai.system_instructions";
/// The messages sent: a JSON text.
pub const INPUT_MESSAGES: &str = "gen_ai.input.messages";
/// The answer's messages: a JSON text.
pub const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";
/// Deprecated in the conventions; rig still records it on the agent span it adopts.
pub const PROMPT: &str = "gen_ai.prompt";
/// Deprecated in the conventions; rig still records it on the agent span it adopts.
pub const COMPLETION: &str = "gen_ai.completion";

/// Input tokens, the cached ones among them.
pub const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// Output tokens, the reasoning ones among them.
pub const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// Subset of the input tokens.
pub const CACHE_READ_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
/// Subset of the input tokens (`cache_write` in the newest tree; every emitter still says `cache_creation`).
pub const CACHE_CREATION_TOKENS: &str = "gen_ai.usage.cache_creation.input_tokens";
/// The same in the newest tree.
pub const CACHE_WRITE_TOKENS: &str = "gen_ai.usage.cache_write.input_tokens";
/// Subset of the input tokens.
pub const AUDIO_INPUT_TOKENS: &str = "gen_ai.usage.audio.input_tokens";
/// Subset of the output tokens.
pub const AUDIO_OUTPUT_TOKENS: &str = "gen_ai.usage.audio.output_tokens";
/// What the call cost, in USD (f64), where its provider said so; used by many, proposed to the conventions as `….amount`.
pub const USAGE_COST: &str = "gen_ai.usage.cost";
/// In what it was paid for: an ISO 4217 code. On metrics (proposed to the conventions).
pub const COST_CURRENCY: &str = "gen_ai.usage.cost.currency";
/// Who said what it cost: `provider` or `local`. On metrics (proposed to the conventions).
pub const USAGE_COST_SOURCE: &str = "gen_ai.usage.cost.source";
/// What tokens are of: `input` or `output`. On metrics.
pub const TOKEN_TYPE: &str = "gen_ai.token.type";
/// What tokens say: `text`, `image`, `audio`, `unknown`. On metrics.
pub const TOKEN_MODALITY: &str = "gen_ai.token.modality";
/// Subset of the output tokens.
pub const REASONING_TOKENS: &str = "gen_ai.usage.reasoning.output_tokens";
/// rig's spelling of the same.
pub const REASONING_TOKENS_RIG: &str = "gen_ai.usage.reasoning_tokens";
/// rig's own count, declared so that rig adopts our span.
pub const TOOL_USE_PROMPT_TOKENS_RIG: &str = "gen_ai.usage.tool_use_prompt_tokens";

/// Name of the tool.
pub const TOOL_NAME: &str = "gen_ai.tool.name";
/// `function`, `extension` or `datastore`.
pub const TOOL_TYPE: &str = "gen_ai.tool.type";
/// What the tool is for.
pub const TOOL_DESCRIPTION: &str = "gen_ai.tool.description";
/// The tools that a model may ask for: a JSON text, an array.
pub const TOOL_DEFINITIONS: &str = "gen_ai.tool.definitions";
/// The provider's id of the call.
pub const TOOL_CALL_ID: &str = "gen_ai.tool.call.id";
/// A JSON text: `tracing` has no structured values.
pub const TOOL_CALL_ARGUMENTS: &str = "gen_ai.tool.call.arguments";
/// A JSON text.
pub const TOOL_CALL_RESULT: &str = "gen_ai.tool.call.result";
/// rig: `success`, `error`, `denied`, `skipped`.
pub const TOOL_CALL_OUTCOME: &str = "gen_ai.tool.call.outcome";
/// rig's spelling of `error.type` on a tool span.
pub const TOOL_ERROR_TYPE: &str = "gen_ai.tool.error.type";

/// The store.
pub const MEMORY_STORE_ID: &str = "gen_ai.memory.store.id";
/// The record.
pub const MEMORY_RECORD_ID: &str = "gen_ai.memory.record.id";
/// How many records were found or changed.
pub const MEMORY_RECORD_COUNT: &str = "gen_ai.memory.record.count";
/// What was looked for.
pub const MEMORY_QUERY_TEXT: &str = "gen_ai.memory.query.text";
/// The data source that was searched.
pub const DATA_SOURCE_ID: &str = "gen_ai.data_source.id";
/// What was looked for in it.
pub const RETRIEVAL_QUERY_TEXT: &str = "gen_ai.retrieval.query.text";
/// Name of the guardrail (proposed to the conventions).
pub const GUARDRAIL_NAME: &str = "gen_ai.guardrail.component.name";
/// Name of the evaluation: what was judged of it, `relevance`, `correctness` ….
pub const EVALUATION_NAME: &str = "gen_ai.evaluation.name";
/// f64: how good, on the evaluation's own scale.
pub const EVALUATION_SCORE: &str = "gen_ai.evaluation.score.value";
/// The score as a word: `pass`, `relevant`, `incorrect` ….
pub const EVALUATION_LABEL: &str = "gen_ai.evaluation.score.label";
/// Why it scored so.
pub const EVALUATION_EXPLANATION: &str = "gen_ai.evaluation.explanation";

/// OpenInference's generic input, used where the conventions have none (agent, step): a text or a JSON text.
pub const INPUT_VALUE: &str = "input.value";
/// OpenInference's generic output.
pub const OUTPUT_VALUE: &str = "output.value";

/// The server that a call went to: a name or an address.
pub const SERVER_ADDRESS: &str = "server.address";
/// Its port (i64); only beside [`SERVER_ADDRESS`].
pub const SERVER_PORT: &str = "server.port";

/// Low-cardinality class of an error; its presence means that the operation failed.
pub const ERROR_TYPE: &str = "error.type";

/// Read by tracing-opentelemetry: the span's display name.
pub const OTEL_NAME: &str = "otel.name";
/// Read by tracing-opentelemetry: `client`, `internal` ….
pub const OTEL_KIND: &str = "otel.kind";
/// Read by tracing-opentelemetry: only ever `error`; success leaves it unset.
pub const OTEL_STATUS_CODE: &str = "otel.status_code";
/// Read by tracing-opentelemetry: the error's message.
pub const OTEL_STATUS_DESCRIPTION: &str = "otel.status_description";

/// How the span ended: `ok`, `error`, `cancelled`, `panicked`, `timed_out`. Written by the guard of `span` on drop; a
/// span that closes without it is taken as `ok` unless it carries an error (foreign spans know nothing of outcomes).
pub const OUTCOME: &str = "spanwright.outcome";
/// Values of [`OUTCOME`].
pub mod outcome {
    /// The work ended as its author meant it to.
    pub const OK: &str = "ok";
    /// The work returned an error, or said that it failed.
    pub const ERROR: &str = "error";
    /// The future was dropped, or the handle let go, before the work ended.
    pub const CANCELLED: &str = "cancelled";
    /// The work panicked.
    pub const PANICKED: &str = "panicked";
    /// The work was given up because it took too long.
    pub const TIMED_OUT: &str = "timed_out";
}
/// `pass`, `warn` or `block`.
pub const GUARDRAIL_DECISION: &str = "spanwright.guardrail.decision";
/// Why the guardrail decided so.
pub const GUARDRAIL_REASON: &str = "spanwright.guardrail.reason";
/// f64, 0 to 1.
pub const GUARDRAIL_SCORE: &str = "spanwright.guardrail.score";
/// `input`, `output` or `tool`.
pub const GUARDRAIL_STAGE: &str = "spanwright.guardrail.stage";
/// `episodic`, `semantic` or `working`.
pub const MEMORY_TYPE: &str = "spanwright.memory.type";
/// Number of messages sent to the model.
pub const HISTORY_LENGTH: &str = "spanwright.history_length";
/// Position of a step among its siblings, from 0.
pub const STEP_INDEX: &str = "spanwright.step.index";
/// The name of the instrumented function or callable, where it is not the span's own name.
pub const CALLABLE_NAME: &str = "spanwright.callable";
/// A JSON object: what the author said with `fields(..)` beyond the names on this page.
pub const FIELDS: &str = "spanwright.fields";
/// Tenant of an execution; on its root span.
pub const TENANT_ID: &str = "spanwright.tenant.id";
/// OpenTelemetry's user id; on an execution's root span.
pub const USER_ID: &str = "user.id";
/// OpenTelemetry's session id; on an execution's root span.
pub const SESSION_ID: &str = "session.id";

/// Target of the `tracing` events that carry a piece of a stream; the layer takes them, other layers may hide them.
pub const DELTA_TARGET: &str = "spanwright::delta";
/// Field of such an event: a piece of the answer's text.
pub const DELTA_TEXT: &str = "spanwright.delta.text";
/// Field of such an event: a piece of the model's reasoning.
pub const DELTA_REASONING: &str = "spanwright.delta.reasoning";
/// Field of such an event: a piece of the input that the model writes for a tool, part of a JSON text. It goes with
/// [`DELTA_TOOL_CALL_ID`].
pub const DELTA_TOOL_INPUT: &str = "spanwright.delta.tool_input";
/// Field of such an event: the model's id of the tool call that the input is for.
pub const DELTA_TOOL_CALL_ID: &str = "spanwright.delta.tool_call_id";
/// Field of such an event: the name of the tool; on the first piece of a call.
pub const DELTA_TOOL_NAME: &str = "spanwright.delta.tool_name";
/// Field of such an event (true): the text that was being written is whole.
pub const DELTA_END: &str = "spanwright.delta.end";

/// Declared (true) on our model spans: rig's provider code then fills our span in instead of opening a child.
pub const RIG_COMPLETION_PARENT: &str = "rig.completion_parent";

/// Id of the execution that a root span opens, where the author wants to choose it.
pub const EXECUTION_ID: &str = "spanwright.execution.id";

/// On a span that is no agent span: the place that the trace goes on from, as a W3C `traceparent`.
pub const TRACEPARENT: &str = "spanwright.traceparent";
/// Beside [`TRACEPARENT`]: the W3C `tracestate` that came with it.
pub const TRACESTATE: &str = "spanwright.tracestate";
/// Beside [`TRACEPARENT`]: the W3C `baggage` that came with it.
pub const BAGGAGE: &str = "spanwright.baggage";

/// Numbers in a vector (i64).
pub const EMBEDDINGS_DIMENSIONS: &str = "gen_ai.embeddings.dimension.count";
/// What a search found: a JSON text.
pub const RETRIEVAL_DOCUMENTS: &str = "gen_ai.retrieval.documents";
/// What was remembered or found in memory: a JSON text.
pub const MEMORY_RECORDS: &str = "gen_ai.memory.records";
/// What a guardrail looked at (proposed to the conventions).
pub const GUARDRAIL_SOURCE: &str = "gen_ai.guardrail.source";
/// The verdict in the guardrail's own word (proposed to the conventions).
pub const GUARDRAIL_RESULT: &str = "gen_ai.guardrail.result.value";
/// Why (proposed to the conventions).
pub const GUARDRAIL_RESULT_REASON: &str = "gen_ai.guardrail.result.reason";
/// What a call cost, in USD, as Logfire reads it.
pub const OPERATION_COST: &str = "operation.cost";
/// Class of what went wrong, on an `exception` event.
pub const EXCEPTION_TYPE: &str = "exception.type";
/// What went wrong in words, on an `exception` event.
pub const EXCEPTION_MESSAGE: &str = "exception.message";

/// Names of span events that leave over OTLP.
pub mod span_event {
    /// OpenTelemetry's.
    pub const EXCEPTION: &str = "exception";
    /// The GenAI conventions'.
    pub const EVALUATION_RESULT: &str = "gen_ai.evaluation.result";
    /// Proposed to the GenAI conventions.
    pub const GUARDRAIL_RESULT: &str = "gen_ai.guardrail.result";
    /// The one that OpenInference's own instrumentations write.
    pub const FIRST_TOKEN: &str = "First Token Stream Event";
}

/// Names of log events that leave over OTLP, all of the GenAI conventions.
pub mod log_event {
    /// A verdict on what was done.
    pub const EVALUATION_RESULT: &str = super::span_event::EVALUATION_RESULT;
    /// Everything about a model call; only where it is asked for.
    pub const INFERENCE_DETAILS: &str = "gen_ai.client.inference.operation.details";
    /// A model call failed.
    pub const OPERATION_EXCEPTION: &str = "gen_ai.client.operation.exception";
}

/// OpenInference: what a span is.
pub const OPENINFERENCE_KIND: &str = "openinference.span.kind";
/// OpenInference: `text/plain` or `application/json`.
pub const INPUT_MIME_TYPE: &str = "input.mime_type";
/// OpenInference: `text/plain` or `application/json`.
pub const OUTPUT_MIME_TYPE: &str = "output.mime_type";
/// OpenInference: a JSON object of whatever else is known.
pub const METADATA: &str = "metadata";
/// OpenInference's full vocabulary; indexed names are made of these.
pub mod openinference {
    /// Name of the agent.
    pub const AGENT_NAME: &str = "agent.name";
    /// Whose API is spoken.
    pub const LLM_SYSTEM: &str = "llm.system";
    /// Who serves the model.
    pub const LLM_PROVIDER: &str = "llm.provider";
    /// The model that answered, else the one asked for.
    pub const LLM_MODEL_NAME: &str = "llm.model_name";
    /// A JSON object.
    pub const LLM_INVOCATION_PARAMETERS: &str = "llm.invocation_parameters";
    /// Why the model stopped.
    pub const LLM_FINISH_REASON: &str = "llm.finish_reason";
    /// Before the index of a message sent.
    pub const LLM_INPUT_MESSAGES: &str = "llm.input_messages";
    /// Before the index of a message of the answer.
    pub const LLM_OUTPUT_MESSAGES: &str = "llm.output_messages";
    /// Input tokens.
    pub const TOKENS_PROMPT: &str = "llm.token_count.prompt";
    /// Output tokens.
    pub const TOKENS_COMPLETION: &str = "llm.token_count.completion";
    /// Both.
    pub const TOKENS_TOTAL: &str = "llm.token_count.total";
    /// Part of the input tokens.
    pub const TOKENS_CACHE_READ: &str = "llm.token_count.prompt_details.cache_read";
    /// Part of the input tokens.
    pub const TOKENS_CACHE_WRITE: &str = "llm.token_count.prompt_details.cache_write";
    /// Part of the input tokens.
    pub const TOKENS_AUDIO_INPUT: &str = "llm.token_count.prompt_details.audio";
    /// Part of the output tokens.
    pub const TOKENS_REASONING: &str = "llm.token_count.completion_details.reasoning";
    /// Part of the output tokens.
    pub const TOKENS_AUDIO_OUTPUT: &str = "llm.token_count.completion_details.audio";
    /// In USD.
    pub const COST_TOTAL: &str = "llm.cost.total";
    /// Name of the tool.
    pub const TOOL_NAME: &str = "tool.name";
    /// Id of the call.
    pub const TOOL_ID: &str = "tool.id";
    /// What the tool is for.
    pub const TOOL_DESCRIPTION: &str = "tool.description";
    /// The arguments: a JSON text.
    pub const TOOL_PARAMETERS: &str = "tool.parameters";
    /// The model that embeds.
    pub const EMBEDDING_MODEL_NAME: &str = "embedding.model_name";
    /// Before the index of a document.
    pub const RETRIEVAL_DOCUMENTS: &str = "retrieval.documents";
}

/// What Langfuse reads before anything else.
pub mod langfuse {
    /// What a span is.
    pub const TYPE: &str = "langfuse.observation.type";
    /// What went in, where nothing else that Langfuse reads says it.
    pub const INPUT: &str = "langfuse.observation.input";
    /// What came out, likewise.
    pub const OUTPUT: &str = "langfuse.observation.output";
    /// Tokens: a JSON object that is taken as it is, where names of their own would be summed up.
    pub const USAGE_DETAILS: &str = "langfuse.observation.usage_details";
    /// Money: a JSON object, in USD.
    pub const COST_DETAILS: &str = "langfuse.observation.cost_details";
    /// When the first token came: ISO 8601.
    pub const COMPLETION_START_TIME: &str = "langfuse.observation.completion_start_time";
    /// `WARNING` for what was given up; errors are seen by the status.
    pub const LEVEL: &str = "langfuse.observation.level";
    /// In words.
    pub const STATUS_MESSAGE: &str = "langfuse.observation.status_message";
    /// Name of the trace; on its first span.
    pub const TRACE_NAME: &str = "langfuse.trace.name";
}

/// Why a span ended as [`OUTCOME`] says, where that is no error.
pub const OUTCOME_REASON: &str = "spanwright.outcome.reason";
/// True on what was open when its execution ended, so that nobody said how it ended itself.
pub const UNENDED: &str = "spanwright.unended";
/// Which try, from 1.
pub const ATTEMPT: &str = "spanwright.attempt";
/// What a step does, in our own word.
pub const STEP_TYPE: &str = "spanwright.step.type";
/// What was done to something remembered: `forgotten`, `consolidated` ….
pub const MEMORY_OPERATION: &str = "spanwright.memory.operation";
/// How many documents were found.
pub const RETRIEVAL_COUNT: &str = "spanwright.retrieval.documents_count";
/// Model calls of an agent's own.
pub const INFERENCE_CALLS: &str = "spanwright.agent.inference_calls";
/// Tool calls of an agent's own.
pub const TOOL_CALLS: &str = "spanwright.agent.tool_calls";
/// Output tokens for each second from the first chunk on (f64).
pub const TOKENS_PER_SECOND: &str = "spanwright.tokens_per_second";
/// `unknown` where nobody said what a call used: it is not 0.
pub const USAGE_REPORT: &str = "spanwright.usage.report";
/// True where the counts sum up calls that have spans of their own.
pub const USAGE_AGGREGATE: &str = "spanwright.usage.aggregate";
/// Part of the input tokens; in the newest tree it has a name of the conventions' own.
pub const USAGE_AUDIO_INPUT: &str = "spanwright.usage.audio.input_tokens";
/// Part of the output tokens; in the newest tree it has a name of the conventions' own.
pub const USAGE_AUDIO_OUTPUT: &str = "spanwright.usage.audio.output_tokens";
/// Who said the price: `provider` or `local` (our table).
pub const COST_SOURCE: &str = "spanwright.cost.source";
/// What caused an execution: an id.
pub const PARENT_ID: &str = "spanwright.parent.id";
/// What kind of thing caused it.
pub const PARENT_TYPE: &str = "spanwright.parent.type";
/// What went into something that no convention has a name for.
pub const INPUT: &str = "spanwright.input";
/// What came out of it.
pub const OUTPUT: &str = "spanwright.output";
/// On a link: `handoff` or `resumed`.
pub const LINK: &str = "spanwright.link";

/// The service that a program is (resource).
pub const SERVICE_NAME: &str = "service.name";
/// What made the telemetry (resource): this library.
pub const TELEMETRY_SDK_NAME: &str = "telemetry.sdk.name";
/// The language of what made the telemetry (resource).
pub const TELEMETRY_SDK_LANGUAGE: &str = "telemetry.sdk.language";
/// The version of what made the telemetry (resource).
pub const TELEMETRY_SDK_VERSION: &str = "telemetry.sdk.version";
