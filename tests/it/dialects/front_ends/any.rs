//! Events in any order: what a dialect's grammar is held against.

use super::script::{first_round, script, second_round, step, tools};
use proptest::{collection::vec, prelude::*, sample::select};
use spanwright::{
    Json, StreamEvent,
    event::{
        AgentEnd, AgentStart, Body, Connected, Error, ErrorCategory, ExecutionCancelled, ExecutionEnd, ExecutionError,
        ExecutionFailed, ExecutionLost, ExecutionPaused, ExecutionStart, FeedbackReceived, FeedbackType, Finish,
        FinishStep, LlmCallEnd, LlmCallFailed, LlmCallStart, Note, Outcome, Ping, ReasoningDelta, ReasoningEnd,
        ReasoningStart, ReasoningTrace, ReasoningType, Start, StartStep, StateSnapshot, StepEnd, StepFailed, StepStart,
        StepType, StreamGap, StreamLagged, TextDelta, TextEnd, TextStart, ToolFailure, ToolInputAvailable,
        ToolInputDelta, ToolInputStart, ToolOutputAvailable, ToolOutputError,
    },
};

fn of_id(id: &str) -> Vec<Body> {
    vec![
        TextStart::new(id).into(),
        TextDelta::new(id, "a\r\n\u{2028}").into(),
        TextDelta::new(id, "b").into(),
        TextEnd::new(id).into(),
        TextEnd::new(id).final_text("a\r\n\u{2028}b").into(),
        ReasoningStart::new(id).into(),
        ReasoningDelta::new(id, "c").into(),
        ReasoningEnd::new(id).final_text("cd").into(),
        ToolInputStart::new(id, "search").into(),
        ToolInputDelta::new(id, "{}").into(),
        ToolInputAvailable::new(id, "search", Json::parse("{\"__proto__\":1}").expect("JSON")).into(),
        ToolInputAvailable::new(id, "search", Json::null()).into(),
        ToolOutputAvailable::new(id, Json::parse("[1,\n2]").expect("JSON")).into(),
        ToolOutputError::new(id, "no", ToolFailure::Skipped).into(),
        Start::new(id).into(),
        Finish::new(id).into(),
    ]
}

fn of_steps() -> Vec<Body> {
    let error = || ExecutionError::new(ErrorCategory::ToolError, "broken");
    vec![
        StepStart::new(StepType::FunctionNode, "same").into(),
        StepStart::new(StepType::FunctionNode, "same").parent_step_id(step(1)).into(),
        StepEnd::new(1).into(),
        StepFailed::new(error()).into(),
        LlmCallStart::new("ask", 1).parent_step_id(step(2)).into(),
        LlmCallEnd::new(1).finish_reasons(vec!["weird".into()]).into(),
        LlmCallFailed::new("no").into(),
        AgentStart::new("inner").parent_step_id(step(3)).into(),
        AgentStart::new("inner").into(),
        AgentEnd::new(1).into(),
        AgentEnd::new(1).outcome(Outcome::Panicked).into(),
        StartStep::new().into(),
        FinishStep::new().into(),
    ]
}

fn of_runs() -> Vec<Body> {
    let error = || ExecutionError::new(ErrorCategory::ToolError, "broken");
    let unknown = |tag: &str| StreamEvent::from_json(&format!("{{\"type\":{tag:?},\"x\":null}}")).expect("event").body;
    vec![
        ExecutionStart::new().into(),
        ExecutionPaused::new("lunch").into(),
        Error::new(error()).into(),
        ReasoningTrace::new(ReasoningType::Plan, "first this").into(),
        StateSnapshot::new(Json::null()).into(),
        Note::new("n", Json::parse("{\"constructor\":{\"pr\\u006ftotype\":1}}").expect("JSON")).into(),
        FeedbackReceived::new(FeedbackType::ThumbsUp).into(),
        unknown("data-of-another-version"),
        unknown("odd\ntag"),
        Connected::new().into(),
        Ping::new().into(),
        StreamLagged::new(3).into(),
        StreamGap::new().into(),
    ]
}

fn ends() -> Vec<Body> {
    vec![
        ExecutionEnd::new(1).into(),
        ExecutionEnd::new(1).final_output("all").into(),
        ExecutionEnd::new(1).outcome(Outcome::TimedOut).into(),
        ExecutionEnd::new(1).outcome(Outcome::Cancelled).into(),
        ExecutionFailed::new(ExecutionError::new(ErrorCategory::ToolError, "broken")).into(),
        ExecutionCancelled::new("enough").into(),
        ExecutionLost::new("gone").into(),
    ]
}

fn event(bodies: Vec<Body>) -> impl Strategy<Value = StreamEvent> {
    (select(bodies), 0..4_u8).prop_map(|(body, number)| match number {
        0 => StreamEvent::new(body),
        number => StreamEvent::new(body).of_step(step(number)),
    })
}

/// Events as they should never come.
fn wild() -> impl Strategy<Value = Vec<StreamEvent>> {
    let bodies = [of_id("x"), of_id("y"), of_id("result"), of_steps(), of_runs()].concat();
    let middle = prop_oneof![40 => event(bodies), 1 => event(ends())];
    (any::<bool>(), vec(middle, 0..60)).prop_map(|(begins, mut events)| {
        if begins {
            events.insert(0, ExecutionStart::new().into());
        }
        events
    })
}

/// A run as it should come, of which some is missing, doubled or elsewhere.
fn damaged() -> impl Strategy<Value = Vec<StreamEvent>> {
    let changes = vec((0..5_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..12);
    (select(vec![script(), first_round(), tools(), second_round()]), changes).prop_map(|(mut events, changes)| {
        for (change, one, other) in changes {
            let (one, other) = (one.index(events.len()), other.index(events.len()));
            match change {
                0 if events.len() > 1 => drop(events.remove(one)),
                1 => events.insert(other, events[one].clone()),
                2 => events.swap(one, other),
                3 => events[one] = StreamLagged::new(1).into(),
                _ => events.insert(one, StreamLagged::new(1).into()),
            }
        }
        events
    })
}

/// Any sequence of events.
pub(in super::super) fn events() -> impl Strategy<Value = Vec<StreamEvent>> {
    prop_oneof![wild(), damaged()]
}
