//! Which span is meant: by what is said of a call, by a pause, by an end.

use super::exported::{Arrived, exported, outline};
use expect_test::expect;
use spanwright::{
    Json, StepId, StreamEvent,
    event::{
        ExecutionEnd, ExecutionPaused, ExecutionStart, LlmCallEnd, LlmCallStart, Note, ParentType, PermissionDecision,
        PermissionVerdict, StepEnd, StepStart, StepType, ToolFailure, ToolInputAvailable, ToolInputStart,
        ToolOutputAvailable, ToolOutputError, UsageReport,
    },
};

fn of(number: u64, body: impl Into<StreamEvent>) -> StreamEvent {
    body.into().of_step(StepId::from_span_id(number))
}

fn events_of(spans: &[Arrived], name: &str) -> Vec<String> {
    let span = spans.iter().find(|span| span.name == name).expect("span");
    span.events.iter().map(|(name, _)| name.clone()).collect()
}

#[test]
fn what_was_decided_about_a_call_is_the_calls_where_no_step_is_named_too() {
    let spans = exported([
        of(1, ExecutionStart::new().name("a")),
        of(2, ToolInputAvailable::new("c1", "search", Json::null())),
        PermissionDecision::new("p1", PermissionVerdict::Granted).tool_call_id("c1").into(),
        of(2, ToolOutputAvailable::new("c1", Json::null())),
        of(1, ExecutionEnd::new(0)),
    ]);
    assert_eq!(events_of(&spans, "execute_tool search"), ["spanwright.permission_decision"]);
    assert_eq!(events_of(&spans, "invoke_agent a"), [""; 0]);
}

/// It was told of the call, which no span is made of.
#[test]
fn what_is_said_in_a_step_is_not_lost_with_a_call_that_was_only_announced_there() {
    let spans = exported([
        of(1, ExecutionStart::new().name("a")),
        of(2, LlmCallStart::new("agent", 1).model("m").parent_step_id(StepId::from_span_id(1))),
        of(2, ToolInputStart::new("c1", "search")),
        of(2, LlmCallEnd::new(0).usage(UsageReport::Unknown)),
        of(2, Note::new("n", Json::null())),
        of(2, ToolOutputError::new("c1", "nobody ran it", ToolFailure::Unanswered)),
        of(1, ExecutionEnd::new(0)),
    ]);
    assert!(events_of(&spans, "invoke_agent a").contains(&"spanwright.note".to_owned()), "{spans:?}");
}

#[test]
fn of_two_agents_in_one_trace_the_one_that_waited_goes_on() {
    let spans = exported([
        of(1, ExecutionStart::new().name("a")),
        of(2, ExecutionStart::new().name("b")),
        of(3, StepStart::new(StepType::FunctionNode, "in a").parent_step_id(StepId::from_span_id(1))),
        of(3, ExecutionPaused::new("approval")),
        of(4, ExecutionStart::new().name("a, again")),
        of(4, ExecutionEnd::new(0)),
        of(2, StepStart::new(StepType::FunctionNode, "in b")),
        of(2, StepEnd::new(0)),
        of(2, ExecutionEnd::new(0)),
    ]);
    expect![[r#"
        invoke_agent a 1..6
          invoke_agent a, again 5..6
          run_step in a 3..6
        invoke_agent b 2..9
          run_step in b 7..8
    "#]]
    .assert_eq(&outline(&spans));
}

/// Whoever says that it waits may still name the step that it began with.
#[test]
fn a_run_that_waited_twice_has_one_root_whichever_step_it_waits_in() {
    let spans = exported([
        of(1, ExecutionStart::new().name("a")),
        of(1, ExecutionPaused::new("approval")),
        of(2, ExecutionStart::new().name("a")),
        of(1, ExecutionPaused::new("approval")),
        of(3, ExecutionStart::new().name("a")),
        of(3, ExecutionEnd::new(0)),
    ]);
    expect![[r#"
        invoke_agent a 1..6
          invoke_agent a 3..6
            invoke_agent a 5..6
    "#]]
    .assert_eq(&outline(&spans));
}

/// All of them end at once, on a stack that has an end.
#[test]
fn a_run_that_waited_thousands_of_times_ends_whole() {
    const TIMES: u64 = 3_000;
    let goes_on = |time| [of(time, ExecutionStart::new().name("a")), of(time, ExecutionPaused::new("approval"))];
    let mut events: Vec<StreamEvent> = (1..=TIMES).flat_map(goes_on).collect();
    events.push(of(TIMES, ExecutionEnd::new(0)));
    let spans = exported(events);
    assert_eq!(spans.len() as u64, TIMES);
    let root = spans.iter().find(|span| span.parent.is_empty()).expect("root");
    assert_eq!((root.start, root.end), (1, 2 * TIMES + 1));
}

/// The same end told twice, as after a request whose answer was lost.
#[test]
fn a_second_end_of_one_root_ends_no_other() {
    let spans = exported([
        of(1, ExecutionStart::new().name("a")),
        of(2, ExecutionStart::new().name("b")),
        of(2, ExecutionEnd::new(0)),
        of(2, ExecutionEnd::new(0)),
        of(3, StepStart::new(StepType::FunctionNode, "in a").parent_step_id(StepId::from_span_id(1))),
        of(3, StepEnd::new(0)),
        of(1, ExecutionEnd::new(0)),
    ]);
    expect![[r#"
        invoke_agent b 2..3
        invoke_agent a 1..7
          run_step in a 5..6
    "#]]
    .assert_eq(&outline(&spans));
}

/// A process that one of several steps called, and that works at the same execution.
#[test]
fn a_root_inside_of_another_takes_only_its_own_along() {
    let called = ExecutionStart::new()
        .name("child")
        .parent_id(StepId::from_span_id(1).to_string())
        .parent_type(ParentType::StepExecution);
    let spans = exported([
        of(1, ExecutionStart::new().name("a")),
        of(2, StepStart::new(StepType::FunctionNode, "beside").parent_step_id(StepId::from_span_id(1))),
        of(3, called),
        of(4, StepStart::new(StepType::FunctionNode, "in child").parent_step_id(StepId::from_span_id(3))),
        of(3, ExecutionEnd::new(0)),
        of(2, StepEnd::new(0)),
        of(1, ExecutionEnd::new(0)),
    ]);
    expect![[r#"
        invoke_agent a 1..7
          invoke_agent child 3..5
            run_step in child 4..5
          run_step beside 2..6
    "#]]
    .assert_eq(&outline(&spans));
}

/// Of a root without a step, as emitters have it, beside one that has one.
#[test]
fn an_end_without_a_step_is_that_of_the_root_without_one() {
    let spans = exported([
        ExecutionStart::new().name("service").into(),
        of(2, ExecutionStart::new().name("agent")),
        ExecutionEnd::new(0).into(),
        of(2, ExecutionEnd::new(0)),
    ]);
    expect![[r#"
        invoke_agent service 1..3
        invoke_agent agent 2..4
    "#]]
    .assert_eq(&outline(&spans));
}
