//! One span of each concept, as the fold would give it out.

use crate::{
    ExecutionId, Json, Timestamp,
    event::{
        AgentEnd, AgentHandoff, AgentStart, ArtifactCreated, Body, CheckpointSaved, CostSource, Embedding,
        ErrorCategory, ErrorCode, EvaluationScored, ExecutionCancelled, ExecutionEnd, ExecutionError, ExecutionFailed,
        ExecutionStart, GuardrailDecision, GuardrailEvaluated, GuardrailStage, Life, LlmCallEnd, LlmCallFailed,
        LlmCallStart, MemoryOperation, MemoryRecalled, MemoryStored, MemoryType, MemoryUpdated, Note, Operation,
        Outcome, PermissionRequest, ReasoningEnd, Retrieval, StepEnd, StepFailed, StepStart, StepType, TextEnd,
        TokenUsage, ToolFailure, ToolInputAvailable, ToolOutputAvailable, ToolOutputError,
    },
    otlp::span::{Calls, Fact, Link, LinkKind, Run, Span},
};
use std::sync::Arc;

const BEGAN: i64 = 1_763_000_000_000_000_000;
const MILLI: i64 = 1_000_000;

/// A second long; what happened in it, happened after half of it.
pub(super) fn span(opener: impl Into<Body>, facts: Vec<Body>, closer: Option<Body>) -> Span {
    let execution_id = ExecutionId::from_trace_id(0x019a_0000_0000_0000_0000_0000_0000_0001);
    let run = Run {
        trace_id: execution_id.trace_id(),
        execution_id,
        session_id: Some("conversation-7".into()),
        tenant_id: Some("acme".into()),
        user_id: Some("ada".into()),
    };
    let opener = opener.into();
    let at = |millis: i64| Timestamp::from_unix_nanos(BEGAN + millis * MILLI);
    Span {
        run: Arc::new(run),
        span_id: 0xb0b,
        parent: Some(0xa),
        links: Vec::new(),
        start: at(0),
        end: at(1000),
        // As the fold has it.
        unended: closer.is_none() && opener.kind().life() != Life::AtOnce,
        opener,
        closer,
        facts: facts.into_iter().map(|body| Fact { time: at(500), body }).collect(),
        dropped_facts: 0,
        agent: Some("researcher".into()),
        calls: Calls::default(),
    }
}

pub(super) fn json(text: &str) -> Json {
    Json::parse(text).expect("JSON")
}

pub(super) fn model() -> Span {
    let input = r#"[{"role":"system","content":"Be brief."},{"role":"user","content":"Why is the sky blue?"},
        {"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"search","arguments":"{\"query\":\"sky\"}"}}]},
        {"role":"tool","tool_call_id":"call_1","content":"Rayleigh scattering"}]"#;
    let output = r#"[{"role":"assistant","parts":[{"type":"reasoning","content":"Physics."},{"type":"text","content":"Air scatters blue."}],"finish_reason":"stop"}]"#;
    let start = LlmCallStart::new("answer", 4).model("gpt-4o").provider("openai").attempt(2).input(json(input));
    let start =
        start.fields(json(r#"{"temperature":0.2,"gen_ai.request.max_tokens":512,"server.address":"api.openai.com"}"#));
    let end = LlmCallEnd::new(1000)
        .prompt_tokens(120)
        .completion_tokens(30)
        .model("gpt-4o-2024-08-06")
        .response_id("resp_1")
        .finish_reasons(vec!["stop".into()])
        .time_to_first_chunk_ms(250)
        .tokens_per_second(40.0)
        .output(json(output));
    let usage = TokenUsage::new(120, 30, 150, 150)
        .cost_usd(0.0006)
        .cost_source(CostSource::Local)
        .cached_tokens(64)
        .cache_creation_tokens(16)
        .reasoning_tokens(10)
        .audio_input_tokens(4)
        .audio_output_tokens(2);
    span(start, vec![usage.into()], Some(end.into()))
}

fn agent() -> Span {
    let start = ExecutionStart::new().name("researcher").input(json(r#"{"question":"why"}"#)).attempt(1);
    let happened: Vec<Body> = vec![
        PermissionRequest::new("pay", json(r#"{"amount":3}"#), "spending").permission_id("p1").into(),
        CheckpointSaved::new("c1", "abc").into(),
        ArtifactCreated::new("a1", "report").size_bytes(12).into(),
        Note::new("plan", json(r#"["look","write"]"#)).into(),
        AgentHandoff::new("writer").reason("it is found").into(),
        TokenUsage::new(120, 30, 150, 150).aggregate(true).into(),
    ];
    let mut span = span(start, happened, Some(ExecutionEnd::new(1000).final_output("because").into()));
    span.parent = None;
    span.calls = Calls { inference: 2, tool: 1 };
    span.links.push(Link { span_id: 0xcafe, why: LinkKind::Resumed });
    span
}

fn sub_agent() -> Span {
    let start = AgentStart::new("writer").handoff_from("researcher").input(json(r#""write it""#));
    let mut span = span(start, Vec::new(), Some(AgentEnd::new(1000).output("written").into()));
    span.links.push(Link { span_id: 0xa, why: LinkKind::Handoff });
    span
}

fn failed_agent() -> Span {
    let error = ExecutionError::new(ErrorCategory::QuotaExceeded, "no money left").with_code(ErrorCode::RateLimit);
    span(ExecutionStart::new().name("researcher"), Vec::new(), Some(ExecutionFailed::new(error).into()))
}

fn cancelled_agent() -> Span {
    let mut span = span(ExecutionStart::new(), Vec::new(), Some(ExecutionCancelled::new("the user left").into()));
    span.parent = None;
    span
}

fn workflow() -> Span {
    let start =
        ExecutionStart::new().name("report").operation(Operation::InvokeWorkflow).input(json(r#"{"year":2026}"#));
    let mut span = span(start, Vec::new(), Some(ExecutionEnd::new(1000).final_output("a report").into()));
    (span.parent, span.agent) = (None, None);
    span
}

fn completion() -> Span {
    let start = LlmCallStart::new("complete", 1).model("babbage-002").provider("openai");
    let tools = json(r#"[{"type":"function","name":"search","description":"Looks things up."}]"#);
    let start = start.operation(Operation::TextCompletion).tool_definitions(tools);
    span(start, Vec::new(), Some(LlmCallEnd::new(1000).output(json(r#""and so on""#)).into()))
}

fn failed_model() -> Span {
    let end = LlmCallFailed::new("the connection was reset").error_type("reqwest::Error").outcome(Outcome::Error);
    let facts = vec![TextEnd::new("t1").final_text("Air scat").truncated(true).into()];
    span(LlmCallStart::new("answer", 1).model("claude-sonnet-4-5").provider("anthropic"), facts, Some(end.into()))
}

/// Alone in its execution, with pieces that were joined, and a provider that says nothing of usage.
fn lone_model() -> Span {
    let start = ExecutionStart::new().name("llama3").input(json(r#""hello""#));
    let facts = vec![
        start.into(),
        ReasoningEnd::new("r1").final_text("A greeting.").into(),
        TextEnd::new("t1").final_text("Hello!").into(),
    ];
    let end = LlmCallEnd::new(1000).usage(crate::event::UsageReport::Unknown);
    let mut span = span(LlmCallStart::new("hello", 0).model("llama3"), facts, Some(end.into()));
    span.parent = None;
    span
}

fn tool() -> Span {
    let start = ToolInputAvailable::new("call_1", "search", json(r#"{"query":"sky"}"#)).fields(json(r#"{"page":2}"#));
    let start = start.description("Looks things up.");
    let output = ToolOutputAvailable::new("call_1", json(r#"["a page about the sky"]"#));
    span(start, Vec::new(), Some(output.into()))
}

fn denied_tool() -> Span {
    let start = ToolInputAvailable::new("call_2", "pay", json(r#"{"amount":3}"#));
    span(start, Vec::new(), Some(ToolOutputError::new("call_2", "the user said no", ToolFailure::Denied).into()))
}

fn lost_tool() -> Span {
    let start = ToolInputAvailable::new("call_3", "crawl", Json::null());
    span(start, Vec::new(), Some(ToolOutputError::new("call_3", "its process ended", ToolFailure::Lost).into()))
}

fn step() -> Span {
    let start = StepStart::new(StepType::LoopNode, "turn").index(3).input(json(r#"{"n":3}"#));
    span(start, Vec::new(), Some(StepEnd::new(1000).output("done").into()))
}

fn unended_step() -> Span {
    span(StepStart::new(StepType::FunctionNode, "wait"), Vec::new(), None)
}

fn panicked_step() -> Span {
    let error = ExecutionError::new(ErrorCategory::KernelInternal, "index out of bounds");
    span(
        StepStart::new(StepType::FunctionNode, "parse"),
        Vec::new(),
        Some(StepFailed::new(error).outcome(Outcome::Panicked).into()),
    )
}

fn graph() -> Span {
    let start = StepStart::new(StepType::GraphNode, "review").input(json(r#""a draft""#));
    span(start, Vec::new(), Some(StepEnd::new(1000).output("fine").into()))
}

fn recall() -> Span {
    let start = StepStart::new(StepType::MemoryNode, "recall_facts");
    let fact =
        MemoryRecalled::new("sky", 2, 12).records(json(r#"["it is blue",{"content":"it is high","score":0.5}]"#));
    span(start, vec![fact.into()], Some(StepEnd::new(1000).into()))
}

fn store() -> Span {
    span(MemoryStored::new(MemoryType::Semantic).record_id("m1").record(json(r#"{"fact":"blue"}"#)), Vec::new(), None)
}

fn upsert() -> Span {
    let start = StepStart::new(StepType::MemoryNode, "remember").operation(Operation::UpsertMemory);
    let fact = MemoryStored::new(MemoryType::Semantic).record_id("m2").store_id("facts");
    span(start, vec![fact.into()], Some(StepEnd::new(1000).into()))
}

/// Nothing was found, and so nothing says what was done but its start.
fn failed_recall() -> Span {
    let start = StepStart::new(StepType::MemoryNode, "recall_facts").operation(Operation::SearchMemory);
    let error = ExecutionError::new(ErrorCategory::NetworkError, "the store is away");
    span(start, Vec::new(), Some(StepFailed::new(error).into()))
}

fn forget() -> Span {
    span(MemoryUpdated::new(MemoryOperation::Forgotten).record_id("m1").count(1), Vec::new(), None)
}

fn consolidate() -> Span {
    span(MemoryUpdated::new(MemoryOperation::Consolidated).count(5), Vec::new(), None)
}

fn guardrail() -> Span {
    let start = StepStart::new(StepType::GuardrailNode, "pii").input(json(r#""my card""#));
    let verdict = GuardrailEvaluated::new("pii", GuardrailDecision::Block).reason("a card number").score(0.9);
    span(start, vec![verdict.stage(GuardrailStage::Input).into()], Some(StepEnd::new(1000).output("no").into()))
}

fn retrieval() -> Span {
    let documents = r#"[{"id":"d1","score":0.75,"content":"Blue light","metadata":{"page":4}},"Rayleigh"]"#;
    span(Retrieval::new("sky", 2, 12).data_source_id("encyclopedia").documents(json(documents)), Vec::new(), None)
}

fn embedding() -> Span {
    let start = StepStart::new(StepType::EmbeddingNode, "text-embedding-3-small").input(json(r#"["sky"]"#));
    let fact = Embedding::new("text-embedding-3-small", 12).prompt_tokens(3).dimensions(1536);
    span(start, vec![fact.into()], Some(StepEnd::new(1000).output("[0.1,0.2]").into()))
}

fn evaluation() -> Span {
    let start = StepStart::new(StepType::EvaluatorNode, "relevance");
    let score = EvaluationScored::new("relevance").score(0.8).label("relevant").explanation("it answers");
    span(start, vec![score.into()], Some(StepEnd::new(1000).into()))
}

pub(super) fn all() -> Vec<Span> {
    let one_of_each = [
        agent,
        sub_agent,
        failed_agent,
        cancelled_agent,
        workflow,
        model,
        completion,
        failed_model,
        lone_model,
        tool,
        denied_tool,
        lost_tool,
        step,
        unended_step,
        panicked_step,
        graph,
        recall,
        failed_recall,
        store,
        upsert,
        forget,
        consolidate,
        guardrail,
        retrieval,
        embedding,
        evaluation,
    ];
    one_of_each.iter().map(|make| make()).collect()
}
