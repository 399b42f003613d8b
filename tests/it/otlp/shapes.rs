//! Which spans become of which events, and where they stand.

use super::exported::{Arrived, exported, outline};
use expect_test::{Expect, expect};
use spanwright::{
    Json, StepId, StreamEvent,
    event::{
        AgentEnd, AgentStart, ErrorCategory, ExecutionEnd, ExecutionError, ExecutionFailed, ExecutionLost,
        ExecutionPaused, ExecutionResumed, ExecutionStart, FeedbackReceived, FeedbackType, GuardrailDecision,
        GuardrailEvaluated, LlmCallEnd, LlmCallFailed, LlmCallStart, MemoryRecalled, Outcome, ParentType, StepEnd,
        StepStart, StepType, TextEnd, TextStart, TokenUsage, ToolFailure, ToolInputAvailable, ToolInputStart,
        ToolOutputAvailable, ToolOutputError, UsageReport,
    },
};

fn step(number: u64) -> StepId {
    StepId::from_span_id(number)
}

/// An event of a step.
fn of(number: u64, body: impl Into<StreamEvent>) -> StreamEvent {
    body.into().of_step(step(number))
}

fn spans(events: impl IntoIterator<Item = StreamEvent>) -> Vec<Arrived> {
    exported(events)
}

fn check(events: impl IntoIterator<Item = StreamEvent>, tree: Expect) {
    tree.assert_eq(&outline(&spans(events)));
}

fn called(id: &str) -> ToolInputAvailable {
    ToolInputAvailable::new(id, "search", Json::null())
}

fn answered(id: &str) -> ToolOutputAvailable {
    ToolOutputAvailable::new(id, Json::null())
}

fn asked(parent: u64) -> LlmCallStart {
    LlmCallStart::new("agent", 1).model("m").parent_step_id(step(parent))
}

#[test]
fn a_model_call_and_its_tools_in_one_step_are_spans_of_their_own() {
    check(
        [
            ExecutionStart::new().name("a").into(),
            of(16, StepStart::new(StepType::LlmNode, "turn")),
            of(16, LlmCallStart::new("x", 1).model("m")),
            of(16, TextStart::new("t")),
            of(16, TextEnd::new("t").final_text("hi")),
            of(16, ToolInputStart::new("c1", "search")),
            of(16, called("c1")),
            of(16, LlmCallEnd::new(0)),
            of(16, TokenUsage::new(1, 2, 3, 3)),
            of(16, answered("c1")),
            of(16, StepEnd::new(0)),
            ExecutionEnd::new(0).into(),
        ],
        expect![[r#"
            invoke_agent a 1..12
              run_step turn 2..11
                chat m 3..8
                execute_tool search 7..10
        "#]],
    );
}

#[test]
fn a_call_that_a_model_announced_is_the_step_that_runs_it() {
    check(
        [
            of(1, ExecutionStart::new().name("a")),
            of(2, asked(1)),
            of(2, ToolInputStart::new("c1", "search")),
            of(2, LlmCallEnd::new(0).usage(UsageReport::Unknown)),
            of(3, called("c1").parent_step_id(step(1))),
            of(4, AgentStart::new("sub").parent_step_id(step(3))),
            of(5, asked(4)),
            of(5, LlmCallEnd::new(0).usage(UsageReport::Unknown)),
            of(4, AgentEnd::new(0)),
            of(3, answered("c1")),
            of(1, ExecutionEnd::new(0)),
        ],
        expect![[r#"
            invoke_agent a 1..11
              chat m 2..4
              execute_tool search 5..10
                invoke_agent sub 6..9
                  chat m 7..8
        "#]],
    );
}

#[test]
fn a_call_that_nobody_made_is_no_span() {
    check(
        [
            of(1, ExecutionStart::new().name("a")),
            of(2, asked(1)),
            of(2, ToolInputStart::new("c1", "search")),
            of(2, LlmCallEnd::new(0).usage(UsageReport::Unknown)),
            of(1, ToolOutputError::new("c1", "nobody ran it", ToolFailure::Unanswered)),
            of(1, ExecutionEnd::new(0)),
        ],
        expect![[r#"
            invoke_agent a 1..6
              chat m 2..4
        "#]],
    );
}

#[test]
fn what_is_alone_in_its_execution_is_one_span() {
    check(
        [
            of(1, ExecutionStart::new().name("m")),
            of(1, LlmCallStart::new("ask", 1).model("m")),
            of(1, LlmCallEnd::new(0).usage(UsageReport::Reported)),
            of(1, TokenUsage::new(1, 2, 3, 3)),
            of(1, ExecutionEnd::new(0)),
        ],
        expect![[r#"
            chat m 1..3
        "#]],
    );
}

#[test]
fn a_run_that_waited_and_went_on_elsewhere_has_one_root() {
    check(
        [
            of(1, ExecutionStart::new().name("a")),
            of(2, called("c1").parent_step_id(step(1))),
            of(2, answered("c1")),
            ExecutionPaused::new("approval").into(),
            // Another process: another root span of the same execution.
            of(9, ExecutionStart::new().name("a")),
            ExecutionResumed::new().into(),
            of(10, called("c2").parent_step_id(step(9))),
            of(10, answered("c2")),
            of(9, ExecutionEnd::new(0)),
        ],
        expect![[r#"
            invoke_agent a 1..9
              execute_tool search 2..3
              invoke_agent a 5..9
                execute_tool search 7..8
        "#]],
    );
}

#[test]
fn what_is_tried_again_after_a_failure_is_linked_to_it() {
    let error = ExecutionError::new(ErrorCategory::LlmError, "overloaded");
    check(
        [
            of(1, ExecutionStart::new().name("first")),
            of(1, ExecutionFailed::new(error)),
            of(2, ExecutionStart::new().name("second").attempt(2)),
            of(2, ExecutionEnd::new(0)),
            of(3, ExecutionStart::new().name("third, of something else")),
            of(3, ExecutionEnd::new(0)),
        ],
        expect![[r#"
            invoke_agent first 1..2 error
            invoke_agent second 3..4 ←resumed invoke_agent first
            invoke_agent third, of something else 5..6
        "#]],
    );
}

#[test]
fn an_agent_that_was_handed_over_to_is_linked_to_who_did() {
    check(
        [
            of(1, ExecutionStart::new().name("desk")),
            of(2, AgentStart::new("triage").parent_step_id(step(1))),
            of(2, AgentEnd::new(0)),
            of(3, AgentStart::new("refunds").handoff_from("triage").parent_step_id(step(1))),
            of(3, AgentEnd::new(0)),
            of(1, ExecutionEnd::new(0)),
        ],
        expect![[r#"
            invoke_agent desk 1..6
              invoke_agent triage 2..3
              invoke_agent refunds 4..5 ←handoff invoke_agent triage
        "#]],
    );
}

#[test]
fn what_nobody_ended_ends_with_its_execution_and_says_so() {
    let spans = spans([
        of(1, ExecutionStart::new().name("a")),
        of(2, StepStart::new(StepType::FunctionNode, "left open").parent_step_id(step(1))),
        of(3, called("c1").parent_step_id(step(2))),
        of(1, ExecutionEnd::new(0)),
    ]);
    expect![[r#"
        invoke_agent a 1..4
          run_step left open 2..4
            execute_tool search 3..4
    "#]]
    .assert_eq(&outline(&spans));
    let unended = spans.iter().map(|span| span.attributes.get("spanwright.unended") == Some(&true.into()));
    assert_eq!(unended.collect::<Vec<_>>(), [true, true, false]);
}

#[test]
fn what_a_crash_left_open_ended_when_it_was_last_heard_of_children_first() {
    let day = 24 * 3_600_000;
    let at = |event: StreamEvent| event.at(spanwright::Timestamp::from_unix_millis(day).expect("a day"));
    let spans = spans([
        of(1, ExecutionStart::new().name("a")),
        of(2, asked(1)),
        of(3, called("c1").parent_step_id(step(2))),
        at(of(3, ToolOutputError::new("c1", "lost", ToolFailure::Lost))),
        at(of(2, LlmCallFailed::new("lost").outcome(Outcome::Lost))),
        at(of(1, ExecutionLost::new("lost"))),
    ]);
    expect![[r#"
        invoke_agent a 1..3 error
          chat m 2..3 error
            execute_tool search 3..3 error
    "#]]
    .assert_eq(&outline(&spans));
    let order: Vec<&str> = spans.iter().map(|span| span.span_id.as_str()).collect();
    assert_eq!(order, ["0000000000000003", "0000000000000002", "0000000000000001"]);
}

#[test]
fn of_two_agents_in_one_trace_each_ends_its_own() {
    check(
        [
            of(1, ExecutionStart::new().name("a")),
            of(2, ExecutionStart::new().name("b")),
            of(3, StepStart::new(StepType::FunctionNode, "in a").parent_step_id(step(1))),
            of(4, StepStart::new(StepType::FunctionNode, "in b").parent_step_id(step(2))),
            of(1, ExecutionEnd::new(0)),
            of(4, StepEnd::new(0)),
            of(2, ExecutionEnd::new(0)),
        ],
        expect![[r#"
            invoke_agent a 1..5
              run_step in a 3..5
            invoke_agent b 2..7
              run_step in b 4..6
        "#]],
    );
}

#[test]
fn what_goes_on_from_another_process_has_its_parent_there() {
    let parent = |kind| ExecutionStart::new().name("a").parent_id("step_00000000000000aa").parent_type(kind);
    let with = spans([of(1, parent(ParentType::StepExecution)), of(1, ExecutionEnd::new(0))]);
    assert_eq!(with[0].parent, "00000000000000aa");
    // A message's id is no span.
    let without = spans([of(1, parent(ParentType::UserMessage)), of(1, ExecutionEnd::new(0))]);
    assert_eq!(without[0].parent, "");
}

#[test]
fn a_look_into_memory_and_a_verdict_without_a_step_are_spans() {
    check(
        [
            ExecutionStart::new().name("a").into(),
            of(2, StepStart::new(StepType::FunctionNode, "work")),
            of(2, MemoryRecalled::new("where", 2, 1)),
            GuardrailEvaluated::new("tone", GuardrailDecision::Pass).into(),
            of(2, StepEnd::new(0)),
            // With a step of their kind they are what it was about.
            of(3, StepStart::new(StepType::GuardrailNode, "tone")),
            of(3, GuardrailEvaluated::new("tone", GuardrailDecision::Block)),
            of(3, StepEnd::new(0)),
            ExecutionEnd::new(0).into(),
        ],
        expect![[r#"
            invoke_agent a 1..9
              run_guardrail tone 4..4
              run_step work 2..5
                search_memory 2..3
              run_guardrail tone 6..8
        "#]],
    );
}

#[test]
fn usage_that_is_told_after_the_end_of_a_call_is_the_calls_whoever_speaks_in_between() {
    let spans = spans([
        of(1, ExecutionStart::new().name("a")),
        of(2, asked(1)),
        of(3, asked(1)),
        of(2, LlmCallEnd::new(0)),
        of(3, LlmCallEnd::new(0)),
        of(2, TokenUsage::new(20, 2, 22, 0)),
        of(3, TokenUsage::new(30, 3, 33, 0)),
        of(1, ExecutionEnd::new(0)),
    ]);
    let tokens = |id: &str| {
        let span = spans.iter().find(|span| span.span_id.ends_with(id)).expect("span");
        span.attributes["gen_ai.usage.input_tokens"].clone()
    };
    assert_eq!((tokens("2"), tokens("3")), ("20".into(), "30".into()));
}

#[test]
fn what_is_said_after_the_end_gives_no_span_twice() {
    check(
        [
            of(1, ExecutionStart::new().name("a")),
            of(1, ExecutionEnd::new(0)),
            of(1, FeedbackReceived::new(FeedbackType::ThumbsUp)),
            of(1, ExecutionEnd::new(0)),
        ],
        expect![[r#"
            invoke_agent a 1..2
        "#]],
    );
}
