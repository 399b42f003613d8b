//! A delivery that is torn anywhere, and goes on.

use super::exported::{arrived, deliver, deliver_with, record};
use crate::scratch::Scratch;
use proptest::{collection::vec, prelude::*};
use spanwright::{
    ExecutionId, Json, Recorder, StepId, StreamEvent,
    event::{
        AgentEnd, AgentStart, ErrorCategory, ExecutionEnd, ExecutionError, ExecutionFailed, ExecutionPaused,
        ExecutionStart, GuardrailDecision, GuardrailEvaluated, LlmCallEnd, LlmCallStart, MemoryRecalled, Note, StepEnd,
        StepStart, StepType, TokenUsage, ToolInputAvailable, ToolInputStart, ToolOutputAvailable,
    },
    hub::HubLimits,
    log::MemoryLog,
    otlp::Destination,
};
use std::collections::BTreeSet;

/// Any event, of few executions, steps and calls, so that they meet.
fn any_event() -> impl Strategy<Value = StreamEvent> {
    (0..24_u8, 1..4_u128, 0..6_u64, 0..6_u64, 0..3_u8).prop_map(|(kind, run, step, parent, call)| {
        let around = (parent > 0 && parent != step).then(|| StepId::from_span_id(parent));
        let call = format!("call-{call}");
        let mut event: StreamEvent = match kind {
            0 | 1 => ExecutionStart::new().name("a").into(),
            2 => ExecutionEnd::new(0).into(),
            3 => ExecutionFailed::new(ExecutionError::new(ErrorCategory::ToolError, "bad")).into(),
            4 => ExecutionPaused::new("wait").into(),
            5 => with(AgentStart::new("b"), around, AgentStart::parent_step_id),
            6 => AgentEnd::new(0).into(),
            7 | 8 => with(StepStart::new(StepType::FunctionNode, "s"), around, StepStart::parent_step_id),
            9 => with(StepStart::new(StepType::GuardrailNode, "g"), around, StepStart::parent_step_id),
            10 | 11 => StepEnd::new(0).into(),
            12 | 13 => with(LlmCallStart::new("x", 1), around, LlmCallStart::parent_step_id),
            14 | 15 => LlmCallEnd::new(0).into(),
            16 => TokenUsage::new(1, 1, 2, 0).into(),
            17 => with(ToolInputStart::new(call, "t"), around, ToolInputStart::parent_step_id),
            18 | 19 => {
                with(ToolInputAvailable::new(call, "t", Json::null()), around, ToolInputAvailable::parent_step_id)
            }
            20 => ToolOutputAvailable::new(call, Json::null()).into(),
            21 => GuardrailEvaluated::new("g", GuardrailDecision::Pass).into(),
            22 => MemoryRecalled::new("q", 1, 0).into(),
            _ => Note::new("n", Json::null()).into(),
        };
        event.execution_id = Some(ExecutionId::from_trace_id(run));
        if step > 0 {
            event = event.of_step(StepId::from_span_id(step));
        }
        event
    })
}

fn with<B: Into<StreamEvent>>(body: B, parent: Option<StepId>, say: fn(B, StepId) -> B) -> StreamEvent {
    match parent {
        Some(parent) => say(body, parent).into(),
        None => body.into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_delivery_that_is_torn_anywhere_sends_each_span_once_and_the_same(
        events in vec(any_event(), 0..60),
        tears in vec(0..60_usize, 0..6),
        held in 1..60_usize,
    ) {
        let folder = Scratch::new();
        let (torn, whole) = (folder.file("torn.jsonl"), folder.file("whole.jsonl"));
        // Some of it is found in memory, some only in the log.
        let recorder = Recorder::builder().log(MemoryLog::new()).hub(HubLimits::new(held, 1 << 20)).start().expect("recorder");
        let tears: BTreeSet<usize> = tears.into_iter().filter(|at| *at < events.len()).collect();
        let mut start = 0;
        for end in tears.into_iter().chain([events.len()]) {
            record(&recorder, start, events[start..end].iter().cloned());
            deliver_with(&Destination::file(&torn), &recorder);
            start = end;
        }
        deliver(&Destination::file(&whole), &recorder);
        let (torn, whole) = (arrived(&torn), arrived(&whole));
        let ids: BTreeSet<_> = whole.iter().map(|span| (span.trace_id.clone(), span.span_id.clone())).collect();
        prop_assert_eq!(ids.len(), whole.len(), "a span id twice");
        prop_assert_eq!(torn, whole);
    }
}
