//! What the content policy holds back of a text: it comes before whatever ends the text, and is not lost to any end.

use spanwright::{
    ExecutionId, Json, Recorder, StepId, StreamEvent,
    event::{
        AgentEnd, Body, ExecutionCancelled, ExecutionEnd, ExecutionStart, Kind, LlmCallEnd, LlmCallStart, ParentType,
        ReasoningDelta, TextDelta, TextEnd, TextStart, ToolInputAvailable, ToolInputDelta, ToolInputStart,
    },
    hub::{Filter, From, Received},
};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

fn recorder() -> Recorder {
    Recorder::builder().start().expect("start")
}

fn pieces(events: &[StreamEvent]) -> String {
    let piece = |event: &StreamEvent| match &event.body {
        Body::TextDelta(piece) => Some(piece.delta.to_string()),
        Body::ReasoningDelta(piece) => Some(piece.delta.to_string()),
        Body::ToolInputDelta(piece) => Some(piece.input_text_delta.to_string()),
        _ => None,
    };
    events.iter().filter_map(piece).collect()
}

fn kinds(events: &[StreamEvent]) -> Vec<Kind> {
    events.iter().map(StreamEvent::kind).collect()
}

#[test]
fn the_input_that_a_model_wrote_is_shown_whole_before_the_tool_runs_in_a_step_of_its_own() {
    let emitter = recorder().emitter();
    let (model, tool) = (StepId::new(), StepId::new());
    let of = |step: &StepId, event: StreamEvent| {
        let mut event = event;
        event.step_id = Some(step.clone());
        event
    };
    emitter.emit(of(&model, ToolInputStart::new("call-1", "weather").into()));
    emitter.emit(of(&model, ToolInputDelta::new("call-1", "{\"city\":").into()));
    emitter.emit(of(&model, ToolInputDelta::new("call-1", "\"Paris\"}").into()));
    emitter.emit(of(&tool, ToolInputAvailable::new("call-1", "weather", Json::null()).into()));
    let events = emitter.drain();
    assert_eq!(kinds(&events), [Kind::ToolInputStart, Kind::ToolInputDelta, Kind::ToolInputAvailable]);
    assert_eq!(pieces(&events), "{\"city\":\"Paris\"}");
    assert_eq!(events[1].step_id, Some(model), "where the model wrote it");
}

/// What is held back may be half a secret.
#[test]
fn the_end_of_what_an_execution_called_elsewhere_shows_nothing_before_its_time() {
    let emitter = recorder().emitter();
    let [own, other] = [1, 2].map(StepId::from_span_id);
    emitter.emit(StreamEvent::new(ExecutionStart::new()).of_step(own.clone()));
    emitter.emit(TextDelta::new("t", "the key is sk-proj-CANARY01234"));
    let called = ExecutionStart::new().parent_id(own.to_string()).parent_type(ParentType::StepExecution);
    emitter.emit(StreamEvent::new(called).of_step(other.clone()));
    emitter.emit(StreamEvent::new(ExecutionEnd::new(1)).of_step(other));
    emitter.emit(TextDelta::new("t", "56789abcdefCANARY indeed"));
    emitter.emit(TextEnd::new("t"));
    let shown = pieces(&emitter.drain());
    assert!(shown.starts_with("the key is ") && shown.ends_with(" indeed") && !shown.contains("CANARY"), "{shown}");
}

#[test]
fn a_model_call_that_ends_shows_what_it_wrote() {
    let emitter = recorder().emitter();
    let step = StepId::new();
    let of = |event: StreamEvent| {
        let mut event = event;
        event.step_id = Some(step.clone());
        event
    };
    emitter.emit(of(LlmCallStart::new("chat", 1).into()));
    emitter.emit(of(ToolInputStart::new("call-1", "weather").into()));
    emitter.emit(of(ToolInputDelta::new("call-1", "{\"city\":\"Paris\"}").into()));
    emitter.emit(of(LlmCallEnd::new(1).into()));
    let events = emitter.drain();
    assert_eq!(pieces(&events), "{\"city\":\"Paris\"}");
    assert_eq!(events.last().map(StreamEvent::kind), Some(Kind::LlmCallEnd));
}

#[test]
fn what_is_held_back_is_shown_before_the_execution_ends_however_it_ends() {
    for end in [StreamEvent::from(ExecutionEnd::new(1)), ExecutionCancelled::new("enough").into()] {
        let emitter = recorder().emitter();
        emitter.emit(ExecutionStart::new());
        emitter.emit(TextStart::new("t"));
        emitter.emit(TextDelta::new("t", "The sky is blue"));
        emitter.emit(ReasoningDelta::new("r", "why"));
        emitter.emit(end);
        let events = emitter.drain();

        assert_eq!(pieces(&events), "The sky is bluewhy");
        assert!(matches!(kinds(&events).last(), Some(Kind::ExecutionEnd | Kind::ExecutionCancelled)));
    }
}

#[test]
fn what_is_held_back_is_shown_before_the_recorder_ends() {
    let recorder = recorder();
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    recorder.emit(StreamEvent::from(TextDelta::new("t", "The sky is blue")).of_execution(ExecutionId::new()));
    recorder.shutdown(SOON).expect("shutdown");
    let mut events = Vec::new();
    while let Received::Event(event) = stream.recv_timeout(SOON) {
        events.push(event);
    }
    assert_eq!(pieces(&events), "The sky is blue");
}

#[test]
fn texts_that_never_end_do_not_spoil_those_that_come_after_them() {
    let recorder = recorder();
    for n in 0..5_000 {
        let id = ExecutionId::new();
        recorder.emit(StreamEvent::from(TextDelta::new("t", "never ends")).of_execution(id));
        if n % 500 == 0 {
            recorder.settle().wait(SOON).expect("settle");
        }
    }
    let emitter = recorder.emitter();
    emitter.emit(TextDelta::new("t", "The sky is bl"));
    recorder.emit(StreamEvent::from(TextDelta::new("t", "another")).of_execution(ExecutionId::new()));
    emitter.emit(TextDelta::new("t", "ue."));
    emitter.emit(AgentEnd::new(1));
    emitter.emit(ExecutionEnd::new(1));
    assert_eq!(pieces(&emitter.drain()), "The sky is blue.");
}

#[test]
fn a_text_that_the_gate_could_not_follow_does_not_pass_its_end_off_as_the_whole() {
    let emitter = recorder().emitter();
    for n in 0..100 {
        emitter.emit(TextDelta::new(format!("text-{n}"), "from the beginning "));
    }
    for n in 0..100 {
        emitter.emit(TextDelta::new(format!("text-{n}"), "to the end "));
        emitter.emit(TextEnd::new(format!("text-{n}")));
    }
    emitter.emit(TextStart::new("new"));
    emitter.emit(TextDelta::new("new", "from the beginning "));
    emitter.emit(TextDelta::new("new", "to the end "));
    emitter.emit(TextEnd::new("new"));
    for event in emitter.drain() {
        let Body::TextEnd(end) = event.body else { continue };
        assert!(end.id != "new" || end.truncated.is_none(), "{end:?}");
        let whole = end.final_text.as_deref() == Some("from the beginning to the end ");
        assert!(whole || end.truncated == Some(true), "{end:?}");
    }
}
