//! A research agent's run as events, for the tests of what people see; and events that make no sense.

use proptest::prelude::*;
use spanwright::{
    ExecutionId, StepId, StreamEvent, Timestamp,
    event::{
        AgentEnd, AgentStart, ArtifactCreated, Body, ContextSnapshot, Embedding, ErrorCategory, EvaluationScored,
        ExecutionEnd, ExecutionError, ExecutionFailed, ExecutionPaused, ExecutionStart, GuardrailDecision,
        GuardrailEvaluated, LlmCallEnd, LlmCallFailed, LlmCallStart, MemoryRecalled, MemoryStored, MemoryType,
        OperationProgress, Outcome, PermissionDecision, PermissionRequest, PermissionVerdict, PolicyDecision,
        PolicyVerdict, ReasoningDelta, Retrieval, StepEnd, StepFailed, StepStart, StepType, TextDelta, TextEnd,
        TokenUsage, ToolFailure, ToolInputAvailable, ToolInputStart, ToolOutputAvailable, ToolOutputError,
    },
    view::RunTree,
};

pub(crate) const START: i64 = 1_763_700_000_000;

pub(crate) fn time(ms: i64) -> Timestamp {
    Timestamp::from_unix_millis(START + ms).expect("time")
}

pub(crate) fn step(number: u64) -> StepId {
    StepId::from_span_id(number)
}

/// An event of the test's execution, `ms` after its start.
pub(crate) fn at(ms: i64, number: u64, body: impl Into<Body>) -> StreamEvent {
    StreamEvent::new(body).of_execution(ExecutionId::from_trace_id(0x7f3a)).of_step(step(number)).at(time(ms))
}

pub(crate) fn json(text: &str) -> spanwright::Json {
    spanwright::Json::parse(text).expect("JSON")
}

/// A research agent up to where its second model call streams and a tool waits for a person.
pub(crate) fn research_begins() -> Vec<StreamEvent> {
    let inner = |ms, number, name: &str, kind| at(ms, number, StepStart::new(kind, name).parent_step_id(step(1)));
    vec![
        at(0, 1, ExecutionStart::new().name("research").input("why is the sky blue")),
        inner(1, 2, "recall", StepType::MemoryNode),
        at(13, 2, MemoryRecalled::new("sky colour", 3, 12)),
        at(13, 2, StepEnd::new(12)),
        inner(14, 3, "pii", StepType::GuardrailNode),
        at(16, 3, GuardrailEvaluated::new("pii", GuardrailDecision::Warn).reason("one value redacted")),
        at(16, 3, StepEnd::new(2)),
        at(20, 4, LlmCallStart::new("chat", 3).model("gpt-5").parent_step_id(step(1))),
        at(330, 4, ReasoningDelta::new("r1", "Scattering, surely.")),
        at(900, 4, TextDelta::new("t1", "Let me look that up.")),
        at(
            1420,
            4,
            LlmCallEnd::new(1400).prompt_tokens(2600).completion_tokens(81).cached_tokens(2048).model("gpt-5-2026-01"),
        ),
        at(1420, 4, TokenUsage::new(2600, 81, 2681, 2681).cost_usd(0.0018).cumulative_cost_usd(0.0018)),
        at(
            1430,
            5,
            ToolInputAvailable::new("call_1", "search", json(r#"{"query":"rayleigh scattering"}"#))
                .parent_step_id(step(1)),
        ),
        at(1431, 6, AgentStart::new("reader").parent_step_id(step(5))),
        at(1432, 7, StepStart::new(StepType::RetrieverNode, "papers").parent_step_id(step(6))),
        at(1440, 7, Retrieval::new("rayleigh", 12, 8)),
        at(1440, 7, StepEnd::new(8)),
        at(1440, 8, LlmCallStart::new("chat", 1).model("gpt-5-mini").parent_step_id(step(6))),
        at(1840, 8, LlmCallEnd::new(400).prompt_tokens(1100).completion_tokens(131)),
        at(1840, 8, TokenUsage::new(1100, 131, 1231, 3912).cost_usd(0.0004).cumulative_cost_usd(0.0022)),
        at(1845, 6, AgentEnd::new(414)),
        at(1850, 5, ToolOutputAvailable::new("call_1", json("[]")).duration_ms(420)),
        at(1900, 1, ContextSnapshot::new(9, 78_000, 61.0).max_tokens(128_000)),
        at(2000, 9, LlmCallStart::new("chat", 5).model("gpt-5").parent_step_id(step(1))),
        at(2310, 9, TextDelta::new("t2", "The sky is blue because ".repeat(9))),
        at(
            6300,
            10,
            ToolInputAvailable::new("call_2", "write_file", json(r#"{"path":"report.md","mode":"new"}"#))
                .parent_step_id(step(1)),
        ),
        at(
            6301,
            10,
            PermissionRequest::new("write_file", json("{}"), "ask").permission_id("p1").tool_call_id("call_2"),
        ),
    ]
}

/// The rest of it: a permission, and an end of every kind.
pub(crate) fn research_ends() -> Vec<StreamEvent> {
    let tool = |ms, number, name: &str, input: &str| {
        at(ms, number, ToolInputAvailable::new(format!("call_{number}"), name, json(input)).parent_step_id(step(1)))
    };
    let failed = |ms, number, error: &str, why, took| {
        at(ms, number, ToolOutputError::new(format!("call_{number}"), error, why).duration_ms(took))
    };
    vec![
        at(
            7100,
            9,
            LlmCallEnd::new(5100).prompt_tokens(3000).completion_tokens(413).finish_reasons(vec!["length".into()]),
        ),
        at(7100, 9, TokenUsage::new(3000, 413, 3413, 7325).cost_usd(0.0031).cumulative_cost_usd(0.0053)),
        at(7200, 10, PermissionDecision::new("p1", PermissionVerdict::Granted).decided_by("anna")),
        at(7230, 10, ToolOutputAvailable::new("call_2", json("true")).duration_ms(930)),
        at(7231, 1, ArtifactCreated::new("a1", "text/markdown").name("report.md").size_bytes(12_345)),
        tool(7300, 11, "fetch", r#"{"url":"https://example.org/a","tries":3}"#),
        failed(7400, 11, "HTTP 503 from example.org", ToolFailure::Error, 100),
        tool(7400, 12, "shell", r#"{"command":"rm -rf /"}"#),
        at(7401, 12, PolicyDecision::new("shell", PolicyVerdict::Deny).reason("destructive").tool_call_id("call_12")),
        failed(7402, 12, "the policy said no", ToolFailure::Denied, 2),
        tool(7500, 13, "crawl", r#"{"depth":9}"#),
        tool(7500, 14, "render", r#"{"page":1}"#),
        failed(38_500, 13, "no answer within 31 s", ToolFailure::TimedOut, 31_000),
        failed(38_510, 14, "index out of bounds", ToolFailure::Panicked, 31_010),
        at(38_600, 15, StepStart::new(StepType::FunctionNode, "second opinion").parent_step_id(step(1)).attempt(2)),
        at(38_610, 16, LlmCallStart::new("chat", 1).model("other-model").parent_step_id(step(15))),
        at(38_700, 16, LlmCallFailed::new("dropped").outcome(Outcome::Cancelled).duration_ms(90)),
        at(
            38_701,
            15,
            StepFailed::new(ExecutionError::new(ErrorCategory::Timeout, "given up"))
                .outcome(Outcome::Cancelled)
                .duration_ms(101),
        ),
        at(38_800, 17, StepStart::new(StepType::MemoryNode, "store").parent_step_id(step(1))),
        at(38_805, 17, MemoryStored::new(MemoryType::Episodic)),
        at(38_805, 17, StepEnd::new(5)),
        at(38_806, 18, AgentStart::new("critic").parent_step_id(step(1))),
        at(38_900, 18, AgentEnd::new(0).outcome(Outcome::Lost).error("its process ended before it did")),
        at(39_000, 1, EvaluationScored::new("faithful").score(0.9).explanation("all claims have a source")),
        at(39_000, 1, ExecutionEnd::new(39_000).final_output("Rayleigh scattering.")),
    ]
}

pub(crate) fn whole_research() -> Vec<StreamEvent> {
    research_begins().into_iter().chain(research_ends()).collect()
}

pub(crate) fn tree_of(events: impl IntoIterator<Item = StreamEvent>) -> RunTree {
    let mut tree = RunTree::new();
    for event in events {
        tree.apply(&event);
    }
    tree
}

/// Few ids, so that events meet; hostile texts and numbers.
fn any_event() -> impl Strategy<Value = StreamEvent> {
    let id = || prop::sample::select(vec![1_u64, 2, 3, 4]);
    let text = || prop_oneof![any::<String>(), Just("t1".to_owned()), Just("call".to_owned())];
    let number = || prop_oneof![any::<u64>(), 0..100_u64];
    let body = (0..30_u8, id(), text(), number(), any::<f64>())
        .prop_map(|(kind, id, text, number, real)| any_body(kind, step(id), &text, number, real));
    (body, prop::option::of(id()), prop::option::of(any::<i64>())).prop_map(|(body, id, nanos)| {
        let mut event = StreamEvent::new(body);
        event.step_id = id.map(step);
        event.time = nanos.map(Timestamp::from_unix_nanos);
        event
    })
}

fn any_body(kind: u8, parent: StepId, text: &str, number: u64, real: f64) -> Body {
    let error = || ExecutionError::new(ErrorCategory::ToolError, text);
    match kind {
        0 => ExecutionStart::new().name(text).input(text).attempt(number).into(),
        1 => ExecutionEnd::new(number).outcome(text).into(),
        2 => ExecutionFailed::new(error()).into(),
        3 => ExecutionPaused::new(text).into(),
        4 => StepStart::new(StepType::from(text), text).parent_step_id(parent).into(),
        5 => StepStart::new(StepType::MemoryNode, text).into(),
        6 => StepEnd::new(number).into(),
        7 => StepFailed::new(error()).outcome(text).into(),
        8 => AgentStart::new(text).parent_step_id(parent).into(),
        9 => AgentEnd::new(number).error(text).into(),
        10 => ToolInputStart::new(text, text).parent_step_id(parent).into(),
        11 => ToolInputAvailable::new(text, text, text).into(),
        12 => ToolOutputAvailable::new(text, text).duration_ms(number).into(),
        13 => ToolOutputError::new(text, text, text).into(),
        14 => LlmCallStart::new(text, number).parent_step_id(parent).into(),
        15 => LlmCallEnd::new(number).prompt_tokens(number).completion_tokens(number).cached_tokens(number).into(),
        16 => LlmCallFailed::new(text).into(),
        17 => TokenUsage::new(number, number, number, number).cost_usd(real).cumulative_cost_usd(real).into(),
        18 => ContextSnapshot::new(number, number, real).into(),
        19 => MemoryRecalled::new(text, number, number).into(),
        20 => GuardrailEvaluated::new(text, text).reason(text).into(),
        21 => PermissionRequest::new(text, text, text).permission_id(text).tool_call_id(text).into(),
        22 => PermissionDecision::new(text, text).decided_by(text).into(),
        23 => PolicyDecision::new(text, text).reason(text).into(),
        24 => OperationProgress::new(text, text, number, text).total(number).message(text).into(),
        25 => TextDelta::new(text, text).into(),
        26 => TextEnd::new(text).final_text(text).into(),
        27 => EvaluationScored::new(text).score(real).explanation(text).into(),
        28 => Embedding::new(text, number).prompt_tokens(number).into(),
        _ => ArtifactCreated::new(text, text).size_bytes(number).into(),
    }
}

pub(crate) fn any_events() -> impl Strategy<Value = Vec<StreamEvent>> {
    prop::collection::vec(any_event(), 0..60)
}
