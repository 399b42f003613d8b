//! One constructor, and one `tracing` callsite, for each kind of span.
//!
//! A callsite declares every name that may be recorded on its span later: `tracing` drops the others silently.

use std::cell::LazyCell;

use tracing::Level;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;

use super::AgentSpan;
use crate::semconv::{self, operation};

/// `tracing` evaluates the values only if somebody is interested; the first test spares making its empty span.
macro_rules! open {
    ($target:literal, $name:literal, $kind:literal, $operation:expr, $title:expr, { $($facts:tt)* }) => {
        if Level::INFO > LevelFilter::current() {
            AgentSpan::none()
        } else {
            AgentSpan::new(tracing::span!(
                target: $target, Level::INFO, $name,
                { semconv::OTEL_NAME } = $title.as_str(),
                { semconv::OTEL_KIND } = $kind,
                { semconv::OPERATION_NAME } = $operation,
                $($facts)*
                { semconv::INPUT_VALUE } = Empty,
                { semconv::OUTPUT_VALUE } = Empty,
                { semconv::EXECUTION_ID } = Empty,
                { semconv::CONVERSATION_ID } = Empty,
                { semconv::SESSION_ID } = Empty,
                { semconv::USER_ID } = Empty,
                { semconv::TENANT_ID } = Empty,
                { semconv::CALLABLE_NAME } = Empty,
                { semconv::FIELDS } = Empty,
                { semconv::OTEL_STATUS_CODE } = Empty,
                { semconv::OTEL_STATUS_DESCRIPTION } = Empty,
                { semconv::ERROR_TYPE } = Empty,
                { semconv::OUTCOME } = Empty,
            ))
        }
    };
}

/// A run of an agent.
pub fn agent(name: &str) -> AgentSpan {
    // `prompt` and `completion` stand here because rig records them on the agent span it finds.
    open!("spanwright::agent", "invoke_agent", "internal", operation::INVOKE_AGENT, title("invoke_agent", name), {
        { semconv::AGENT_NAME } = name,
        { semconv::PROVIDER_NAME } = Empty,
        { semconv::REQUEST_MODEL } = Empty,
        { semconv::SYSTEM_INSTRUCTIONS } = Empty,
        { semconv::INPUT_MESSAGES } = Empty,
        { semconv::OUTPUT_MESSAGES } = Empty,
        { semconv::FINISH_REASONS } = Empty,
        { semconv::PROMPT } = Empty,
        { semconv::COMPLETION } = Empty,
    })
}

/// A run of a workflow: several agents or steps under one name.
pub fn workflow(name: &str) -> AgentSpan {
    let operation = operation::INVOKE_WORKFLOW;
    open!("spanwright::workflow", "invoke_workflow", "internal", operation, title(operation, name), {
        { semconv::WORKFLOW_NAME } = name,
    })
}

/// A named step of an agent or a workflow.
pub fn step(name: &str) -> AgentSpan {
    open!("spanwright::step", "run_step", "internal", operation::RUN_STEP, title(operation::RUN_STEP, name), {
        { semconv::STEP_NAME } = name,
        { semconv::STEP_INDEX } = Empty,
    })
}

/// A call of a model.
pub fn llm(model: &str) -> AgentSpan {
    open_llm(|| Some(model.to_owned()))
}

pub(crate) fn open_llm(model: impl FnOnce() -> Option<String>) -> AgentSpan {
    let model = LazyCell::new(model);
    // rig fills this span in, and opens none of its own, if it declares its mark and all fourteen names that it needs.
    open!("spanwright::llm", "chat", "client", operation::CHAT, titled(operation::CHAT, model.as_deref()), {
        { semconv::RIG_COMPLETION_PARENT } = true,
        { semconv::PROVIDER_NAME } = Empty,
        { semconv::REQUEST_MODEL } = model.as_deref(),
        { semconv::REQUEST_STREAM } = Empty,
        { semconv::RESPONSE_MODEL } = Empty,
        { semconv::RESPONSE_ID } = Empty,
        { semconv::FINISH_REASONS } = Empty,
        { semconv::TIME_TO_FIRST_CHUNK } = Empty,
        { semconv::SYSTEM_INSTRUCTIONS } = Empty,
        { semconv::TOOL_DEFINITIONS } = Empty,
        { semconv::INPUT_MESSAGES } = Empty,
        { semconv::OUTPUT_MESSAGES } = Empty,
        { semconv::HISTORY_LENGTH } = Empty,
        { semconv::INPUT_TOKENS } = Empty,
        { semconv::OUTPUT_TOKENS } = Empty,
        { semconv::CACHE_READ_TOKENS } = Empty,
        { semconv::CACHE_CREATION_TOKENS } = Empty,
        { semconv::REASONING_TOKENS } = Empty,
        { semconv::REASONING_TOKENS_RIG } = Empty,
        { semconv::TOOL_USE_PROMPT_TOKENS_RIG } = Empty,
    })
    .timed()
}

/// A call of an embedding model.
pub fn embedding(model: &str) -> AgentSpan {
    open_embedding(|| Some(model.to_owned()))
}

pub(crate) fn open_embedding(model: impl FnOnce() -> Option<String>) -> AgentSpan {
    let model = LazyCell::new(model);
    let operation = operation::EMBEDDINGS;
    open!("spanwright::embedding", "embeddings", "client", operation, titled(operation, model.as_deref()), {
        { semconv::PROVIDER_NAME } = Empty,
        { semconv::REQUEST_MODEL } = model.as_deref(),
        { semconv::RESPONSE_MODEL } = Empty,
        { semconv::RESPONSE_ID } = Empty,
        { semconv::INPUT_TOKENS } = Empty,
    })
}

/// A call of a tool.
pub fn tool(name: &str) -> AgentSpan {
    open!("spanwright::tool", "execute_tool", "internal", operation::EXECUTE_TOOL, title("execute_tool", name), {
        { semconv::TOOL_NAME } = name,
        { semconv::TOOL_TYPE } = "function",
        { semconv::TOOL_DESCRIPTION } = Empty,
        { semconv::TOOL_CALL_ID } = Empty,
        { semconv::TOOL_CALL_ARGUMENTS } = Empty,
        { semconv::TOOL_CALL_RESULT } = Empty,
    })
}

/// A read from memory, by a query.
pub fn memory_recall(query: &str) -> AgentSpan {
    let span = open_memory(operation::SEARCH_MEMORY);
    span.query(query);
    span
}

/// A write to the memory store of this name.
pub fn memory_store(store: &str) -> AgentSpan {
    let span = open_memory(operation::CREATE_MEMORY);
    span.store_id(store);
    span
}

/// A change of the memory with this id.
pub fn memory_update(record: &str) -> AgentSpan {
    let span = open_memory(operation::UPDATE_MEMORY);
    span.record_id(record);
    span
}

/// The memory with this id, forgotten on purpose.
pub fn memory_forget(record: &str) -> AgentSpan {
    let span = open_memory(operation::DELETE_MEMORY);
    span.record_id(record);
    span
}

pub(crate) fn open_memory(operation: &'static str) -> AgentSpan {
    open!("spanwright::memory", "memory", "internal", operation, operation.to_owned(), {
        { semconv::MEMORY_STORE_ID } = Empty,
        { semconv::MEMORY_RECORD_ID } = Empty,
        { semconv::MEMORY_RECORD_COUNT } = Empty,
        { semconv::MEMORY_QUERY_TEXT } = Empty,
        { semconv::MEMORY_TYPE } = Empty,
    })
}

/// A check of an input, an output or a tool call.
pub fn guardrail(name: &str) -> AgentSpan {
    let operation = operation::RUN_GUARDRAIL;
    open!("spanwright::guardrail", "run_guardrail", "internal", operation, title(operation, name), {
        { semconv::GUARDRAIL_NAME } = name,
        { semconv::GUARDRAIL_DECISION } = Empty,
        { semconv::GUARDRAIL_REASON } = Empty,
        { semconv::GUARDRAIL_SCORE } = Empty,
        { semconv::GUARDRAIL_STAGE } = Empty,
    })
}

/// A judgement of how good something is; the name is that of the evaluation: `relevance`, `correctness` ….
pub fn evaluator(name: &str) -> AgentSpan {
    let operation = operation::EVALUATE;
    open!("spanwright::evaluator", "evaluate", "internal", operation, title(operation, name), {
        { semconv::EVALUATION_NAME } = name,
        { semconv::EVALUATION_SCORE } = Empty,
        { semconv::EVALUATION_LABEL } = Empty,
        { semconv::EVALUATION_EXPLANATION } = Empty,
    })
}

/// A search in the data source of this name.
pub fn retriever(source: &str) -> AgentSpan {
    let operation = operation::RETRIEVAL;
    open!("spanwright::retriever", "retrieval", "client", operation, title(operation, source), {
        { semconv::DATA_SOURCE_ID } = source,
        { semconv::PROVIDER_NAME } = Empty,
        { semconv::RETRIEVAL_QUERY_TEXT } = Empty,
    })
}

fn title(operation: &str, name: &str) -> String {
    titled(operation, Some(name))
}

fn titled(operation: &str, name: Option<&str>) -> String {
    match name {
        Some(name) if !name.is_empty() => format!("{operation} {name}"),
        _ => operation.to_owned(),
    }
}
