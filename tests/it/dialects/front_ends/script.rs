//! A run with something of everything, for our tests and for the clients of `tests/real`.

use spanwright::{
    Json, StepId, StreamEvent, Timestamp,
    event::{
        AgentEnd, AgentStart, ArtifactCreated, Body, Citation, ExecutionEnd, ExecutionStart, LlmCallEnd, LlmCallStart,
        OperationProgress, PermissionDecision, PermissionRequest, PermissionVerdict, ProgressStatus, ReasoningDelta,
        ReasoningEnd, ReasoningStart, StateSnapshot, StepEnd, StepStart, StepType, TextDelta, TextEnd, TextStart,
        TokenUsage, ToolFailure, ToolInputAvailable, ToolInputDelta, ToolInputStart, ToolOutputAvailable,
        ToolOutputError,
    },
};

pub(crate) fn step(number: u8) -> StepId {
    format!("step_{number:016x}").parse().expect("id")
}

pub(crate) fn at(number: u8, body: impl Into<Body>) -> StreamEvent {
    let time = Timestamp::from_unix_millis(1_700_000_000_000 + i64::from(number)).expect("time");
    StreamEvent::new(body).of_step(step(number)).at(time)
}

/// Reasoning, text, a tool that answers and one that is denied, a sub-agent.
pub(crate) fn script() -> Vec<StreamEvent> {
    let mut events = vec![at(1, ExecutionStart::new().name("research").session_id("s-1"))];
    events.extend(first_round());
    events.extend(tools());
    events.extend(second_round());
    events.push(at(1, ExecutionEnd::new(1_500).final_output("Blue, says the page.")));
    events
}

pub(crate) fn first_round() -> Vec<StreamEvent> {
    vec![
        at(2, StepStart::new(StepType::FunctionNode, "look").parent_step_id(step(1))),
        at(3, LlmCallStart::new("ask", 2).model("m-1").provider("p").parent_step_id(step(2))),
        at(3, ReasoningStart::new("r")),
        at(3, ReasoningDelta::new("r", "Hm.")),
        at(3, ReasoningEnd::new("r").final_text("Hm.")),
        at(3, TextStart::new("t1")),
        at(3, TextDelta::new("t1", "Let me ")),
        at(3, TextDelta::new("t1", "look.\n")),
        at(3, TextEnd::new("t1").final_text("Let me look.\n")),
        at(3, ToolInputStart::new("call-1", "search")),
        at(3, ToolInputDelta::new("call-1", "{\"q\":")),
        at(3, ToolInputDelta::new("call-1", "\"sky\"}")),
        at(3, LlmCallEnd::new(9).finish_reasons(vec!["tool_calls".into()])),
        at(3, TokenUsage::new(20, 5, 25, 25).model("m-1").provider("p").cached_tokens(4).cost_usd(0.25)),
    ]
}

pub(crate) fn tools() -> Vec<StreamEvent> {
    let question = PermissionRequest::new("delete", Json::text("all"), "destructive");
    vec![
        at(4, ToolInputAvailable::new("call-1", "search", Json::parse("{\"q\":\"sky\"}").expect("JSON"))),
        at(4, OperationProgress::new("dl", "download", 5, ProgressStatus::Running).total(9)),
        at(4, ToolOutputAvailable::new("call-1", Json::text("blue")).duration_ms(3)),
        at(5, ToolInputAvailable::new("call-2", "delete", Json::text("all"))),
        at(5, question.permission_id("p-1").tool_call_id("call-2")),
        at(5, PermissionDecision::new("p-1", PermissionVerdict::Denied)),
        at(5, ToolOutputError::new("call-2", "not allowed", ToolFailure::Denied)),
        at(2, StepEnd::new(8)),
    ]
}

pub(crate) fn second_round() -> Vec<StreamEvent> {
    vec![
        at(6, AgentStart::new("writer").parent_step_id(step(1))),
        at(7, LlmCallStart::new("write", 3).model("m-1").provider("p").parent_step_id(step(6))),
        at(7, Citation::new("src").url("https://sky.example/").title("Sky").snippet("is blue")),
        at(7, TextStart::new("t2")),
        at(7, TextDelta::new("t2", "Blue.")),
        at(7, TextEnd::new("t2").final_text("Blue.")),
        at(7, LlmCallEnd::new(9).finish_reasons(vec!["stop".into()])),
        at(7, TokenUsage::new(30, 2, 32, 57).model("m-1").provider("p")),
        at(6, AgentEnd::new(11).output("Blue.")),
        at(1, ArtifactCreated::new("a-1", "image/png").uri("https://sky.example/sky.png").name("sky")),
        at(1, StateSnapshot::new(Json::parse("{\"done\":true}").expect("JSON"))),
    ]
}
