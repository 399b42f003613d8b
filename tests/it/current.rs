//! What running code says of itself, and what it is told: notes, questions, a pause, the request to end.

use spanwright::{
    AgentLayer, Cancelled, Current, ExecutionHandle, Permission, Recorder, StreamEvent, current,
    event::{
        Body, FeedbackType, GoalStatus, GuardrailDecision, Kind, PermissionVerdict, PolicyVerdict, ReasoningType,
        StepSourceType,
    },
    hub::{EventStream, Filter, From, Received},
    span,
};
use std::{
    future::Future,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};
use tracing::instrument::WithSubscriber;
use tracing_subscriber::prelude::*;

const LIMIT: Duration = Duration::from_secs(60);

/// Runs a program under a recorder of its own, beside `outside`, who is given the execution's handle, and the stream from
/// the start on. What was told, in order.
fn told<F, O>(program: impl FnOnce() -> F + Send + 'static, outside: O) -> Vec<StreamEvent>
where
    F: Future<Output = ()>,
    O: FnOnce(ExecutionHandle, &mut EventStream),
{
    let recorder = Recorder::builder().start().expect("start");
    let mut all = recorder.subscribe(Filter::everything(), From::Live);
    let mut seen = recorder.subscribe(Filter::everything(), From::Live);
    let subscriber = tracing_subscriber::registry().with(AgentLayer::new(recorder.clone()));
    let inside = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        runtime.block_on(async { program().await }.with_subscriber(subscriber));
    });
    let start = await_kind(&mut seen, Kind::ExecutionStart);
    outside(recorder.execution(start.execution_id.as_ref().expect("id")), &mut seen);
    inside.join().expect("program");
    recorder.settle().wait(LIMIT).expect("settle");
    std::iter::from_fn(|| all.try_next()).collect()
}

fn await_kind(stream: &mut EventStream, kind: Kind) -> StreamEvent {
    loop {
        match stream.recv_timeout(LIMIT) {
            Received::Event(event) if event.kind() == kind => return event,
            Received::Event(_) => {}
            other => panic!("waited for {kind:?}: {other:?}"),
        }
    }
}

fn kinds(events: &[StreamEvent]) -> Vec<Kind> {
    events.iter().map(StreamEvent::kind).collect()
}

#[test]
fn everything_that_can_be_said_is_said_of_the_running_step() {
    let said = |here: Current| {
        here.note("plan", &["search", "answer"]);
        here.usage(10, 5);
        here.artifact("report.md", "text/markdown");
        here.checkpoint_saved("c1", &1);
        here.snapshot(&serde_json::json!({"todo": 2}));
        here.progress("index", 3, Some(3));
        here.feedback(FeedbackType::ThumbsUp, "good");
        here.reasoning(ReasoningType::Plan, "first this");
        here.context_window(4, 50, 200);
        here.goal("g", GoalStatus::Met);
        here.handoff("billing");
        here.discovered_step(StepSourceType::Discovered, "a new page", 1);
        here.policy_decision("rm", PolicyVerdict::Deny);
        here.guardrail_verdict("pii", GuardrailDecision::Warn);
        here.evaluation("correct", 0.5);
        here.memory_recalled("who", 2, 1);
    };
    let events = told(
        move || async move { span::agent("a").run(async { span::step("inner").in_scope(|| said(current())) }).await },
        |_, _| {},
    );
    let step = events.iter().find(|event| event.kind() == Kind::StepStart).expect("step").step_id.clone();
    let between = &events[2..events.len() - 2];
    let expected = [
        Kind::Note,
        Kind::TokenUsage,
        Kind::ArtifactCreated,
        Kind::CheckpointSaved,
        Kind::StateSnapshot,
        Kind::OperationProgress,
        Kind::FeedbackReceived,
        Kind::ReasoningTrace,
        Kind::ContextSnapshot,
        Kind::GoalEvaluated,
        Kind::AgentHandoff,
        Kind::StepDiscovered,
        Kind::PolicyDecision,
        Kind::GuardrailEvaluated,
        Kind::EvaluationScored,
        Kind::MemoryRecalled,
    ];
    assert_eq!(kinds(between), expected);
    assert!(between.iter().all(|event| event.step_id == step && event.execution_id == events[0].execution_id));
    let Body::ContextSnapshot(window) = &between[8].body else { panic!("a window") };
    assert_eq!(window.utilization_pct, 25.0);
}

#[test]
fn usage_said_inside_a_model_call_is_the_calls() {
    let events = told(
        || async { span::agent("a").run(async { span::llm("gpt-4o").in_scope(|| current().usage(10, 5)) }).await },
        |_, _| {},
    );
    let usage: Vec<_> = events.iter().filter(|event| event.kind() == Kind::TokenUsage).collect();
    let call = events.iter().find(|event| event.kind() == Kind::LlmCallEnd).expect("call");
    assert_eq!(usage.len(), 1);
    assert_eq!(usage[0].step_id, call.step_id);
}

#[test]
fn where_no_agent_runs_nothing_is_said_asked_or_waited_for() {
    let here = current();
    assert!(!here.is_enabled() && here.execution_id().is_none() && here.handle().is_none());
    here.note("nobody", &1);
    assert_eq!(here.checkpoint_blocking(), Ok(()));
    assert!(!here.cancellation().is_cancelled());
    assert!(!here.ask_permission("rm", &()).wait().is_granted());
}

#[test]
fn a_granted_permission_lets_the_work_go_on_in_the_same_trace() {
    let events = told(
        || async {
            let ask = || async {
                let permission = current().ask_permission("delete_file", &serde_json::json!({"path": "x"})).await;
                assert!(permission.is_granted());
                assert_eq!(permission.decided_by.as_deref(), Some("ada"));
                span::tool("delete_file").in_scope(|| ());
            };
            span::agent("a").run(ask()).await;
        },
        |handle, seen| {
            let Body::PermissionRequest(request) = await_kind(seen, Kind::PermissionRequest).body else { panic!() };
            let open = handle.permissions();
            assert_eq!((open.len(), open[0].tool_name()), (1, "delete_file"));
            assert_eq!(request.permission_id.as_deref(), Some(open[0].permission_id()));
            let answer = || Permission::granted().by("ada").because("it is mine");
            handle.decide(open[0].permission_id(), answer()).expect("decided");
            let second = handle.decide(open[0].permission_id(), answer()).expect_err("twice");
            assert!(second.is_not_found(), "{second}");
        },
    );
    let expected = [
        Kind::ExecutionStart,
        Kind::PermissionRequest,
        Kind::PermissionDecision,
        Kind::ToolInputAvailable,
        Kind::ToolOutputAvailable,
        Kind::ExecutionEnd,
    ];
    assert_eq!(kinds(&events), expected);
    assert!(events.iter().all(|event| event.execution_id == events[0].execution_id));
}

#[test]
fn a_question_without_an_answer_expires_and_a_dropped_one_is_taken_back() {
    let events = told(
        || async {
            let ask = || async {
                let late = current().ask_permission("a", &()).timeout(Duration::from_millis(1)).await;
                assert_eq!(late.verdict, PermissionVerdict::Expired);
                let blocking = current().ask_permission("b", &()).timeout(Duration::from_millis(1)).wait();
                assert_eq!(blocking.verdict, PermissionVerdict::Expired);
                let mut dropped = std::pin::pin!(IntoFuture::into_future(current().ask_permission("c", &())));
                assert!(futures_util::poll!(&mut dropped).is_pending());
            };
            span::agent("a").run(ask()).await;
        },
        |_, _| {},
    );
    let verdicts: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::PermissionDecision(decision) => Some(decision.decision.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(verdicts, ["expired", "expired", "withdrawn"]);
}

#[test]
fn a_paused_execution_waits_at_its_checkpoint_and_a_resumed_one_goes_on() {
    let (pausing, paused) = mpsc::channel();
    let events = told(
        move || async move {
            let work = || async move {
                paused.recv().expect("paused");
                current().note("before", &1);
                current().checkpoint().await.expect("resumed");
                current().note("after", &1);
            };
            span::agent("a").run(work()).await;
        },
        |handle, seen| {
            handle.pause("lunch").expect("paused");
            handle.pause("again").expect("nothing happens");
            pausing.send(()).expect("sent");
            await_kind(seen, Kind::Note);
            handle.resume().expect("resumed");
        },
    );
    let expected = [
        Kind::ExecutionStart,
        Kind::ExecutionPaused,
        Kind::Note,
        Kind::ExecutionResumed,
        Kind::Note,
        Kind::ExecutionEnd,
    ];
    assert_eq!(kinds(&events), expected);
}

#[test]
fn a_cancelled_execution_ends_as_cancelled_with_the_reason_that_was_given() {
    let events = told(
        || async {
            let work = || async {
                let step = span::step("long");
                step.run(async {
                    let reason = current().cancellation().wait().await;
                    assert_eq!(reason.reason(), "too costly");
                    current().checkpoint().await
                })
                .await
            };
            let ended: Result<(), Cancelled> = span::agent("a").run(work()).await;
            ended.expect_err("cancelled");
        },
        |handle, seen| {
            await_kind(seen, Kind::StepStart);
            handle.cancel("too costly").expect("running");
            await_kind(seen, Kind::ExecutionCancelled);
            let late = handle.cancel("again").expect_err("over");
            assert!(late.is_not_found(), "{late}");
        },
    );
    let expected =
        [Kind::ExecutionStart, Kind::StepStart, Kind::InboxMessage, Kind::StepFailed, Kind::ExecutionCancelled];
    assert_eq!(kinds(&events), expected);
    let Body::StepFailed(step) = &events[3].body else { panic!("a step") };
    assert_eq!(step.outcome.as_ref().map(|outcome| outcome.as_str()), Some("cancelled"));
    let Body::ExecutionCancelled(end) = &events[4].body else { panic!("an end") };
    assert_eq!(end.reason.as_str(), "too costly");
}

#[test]
fn an_execution_that_ends_well_in_spite_of_the_request_ended_well() {
    let events = told(
        || async {
            span::agent("a").run(async { drop(current().cancellation().wait().await) }).await;
        },
        |handle, _| handle.cancel("enough").expect("running"),
    );
    assert_eq!(events.last().map(StreamEvent::kind), Some(Kind::ExecutionEnd));
}

#[test]
fn a_cancelled_execution_gets_no_answer_to_its_question() {
    let events = told(
        || async {
            let ask = || async {
                let answer = current().ask_permission("rm", &()).await;
                assert_eq!(answer.verdict, PermissionVerdict::Withdrawn);
                current().checkpoint().await
            };
            span::agent("a").run(ask()).await.expect_err("cancelled");
        },
        |handle, seen| {
            await_kind(seen, Kind::PermissionRequest);
            handle.cancel("no more").expect("running");
        },
    );
    let expected = [
        Kind::ExecutionStart,
        Kind::PermissionRequest,
        Kind::InboxMessage,
        Kind::PermissionDecision,
        Kind::ExecutionCancelled,
    ];
    assert_eq!(kinds(&events), expected);
}

#[test]
fn many_answers_at_once_make_one_decision() {
    let events = told(
        || async { span::agent("a").run(async { drop(current().ask_permission("rm", &()).await) }).await },
        |handle, seen| {
            await_kind(seen, Kind::PermissionRequest);
            let id = Arc::new(handle.permissions()[0].permission_id().to_owned());
            let deciders: Vec<_> = (0..8)
                .map(|_| {
                    let (handle, id) = (handle.clone(), id.clone());
                    thread::spawn(move || handle.decide(&id, Permission::denied()).is_ok())
                })
                .collect();
            let taken = deciders.into_iter().map(|one| one.join().expect("join")).filter(|ok| *ok).count();
            assert_eq!(taken, 1);
        },
    );
    assert_eq!(events.iter().filter(|event| event.kind() == Kind::PermissionDecision).count(), 1);
}

#[test]
fn an_agent_without_spans_is_steered_by_its_handle() {
    let recorder = Recorder::builder().start().expect("start");
    let emitter = recorder.emitter();
    let handle = recorder.execution(emitter.execution_id());
    assert!(handle.cancel("early").expect_err("not begun").is_not_found());
    emitter.emit(spanwright::event::ExecutionStart::new());
    handle.cancel("late").expect("running");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
    assert_eq!(runtime.block_on(handle.checkpoint()).expect_err("cancelled").reason(), "late");
    emitter.emit(spanwright::event::ExecutionCancelled::new("late"));
    assert!(handle.pause("over").expect_err("over").is_not_found());
}

/// The place of an execution that is over, and a handle on it.
fn place_of_the_past() -> (Current, ExecutionHandle) {
    let recorder = Recorder::builder().start().expect("start");
    let subscriber = tracing_subscriber::registry().with(AgentLayer::new(recorder));
    let here = tracing::subscriber::with_default(subscriber, || span::agent("a").in_scope_with(current, |_, _| ()));
    let handle = here.handle().expect("an execution");
    (here, handle)
}

#[test]
fn what_is_over_stays_over_whatever_is_asked_of_its_place_or_its_handle() {
    let (here, handle) = place_of_the_past();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
    assert_eq!(here.checkpoint_blocking(), Ok(()));
    let cancellation = here.cancellation();
    let recorder = here.recorder().expect("a recorder");
    recorder.settle().wait(LIMIT).expect("settle");
    let mut seen = recorder.subscribe(Filter::everything(), From::Live);
    assert!(!here.ask_permission("rm", &()).wait().is_granted());
    let asked = runtime.block_on(async { here.ask_permission("rm", &()).await });
    recorder.settle().wait(LIMIT).expect("settle");
    assert!(!asked.is_granted() && seen.try_next().is_none(), "nothing is asked after the end");
    assert_eq!(runtime.block_on(handle.checkpoint()), Ok(()));
    for wrong in [handle.pause("late"), handle.cancel("late"), handle.cancellation().map(drop)] {
        assert!(wrong.expect_err("over").is_not_found());
    }
    assert!(!cancellation.is_cancelled());
}

#[test]
fn a_handle_on_what_never_ran_here_begins_nothing() {
    let recorder = Recorder::builder().start().expect("start");
    let handle = recorder.execution(&spanwright::ExecutionId::new());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
    assert_eq!(runtime.block_on(handle.checkpoint()), Ok(()));
    assert!(handle.pause("unknown").expect_err("unknown").is_not_found());
}

#[test]
fn an_execution_is_steered_whatever_its_emitter_shows() {
    let recorder = Recorder::builder().start().expect("start");
    let emitter = recorder.emitter();
    emitter.set_mode(spanwright::event::StreamMode::ControlOnly);
    emitter.emit(spanwright::event::ExecutionStart::new());
    let handle = recorder.execution(emitter.execution_id());
    handle.pause("lunch").expect("running");
    emitter.emit(spanwright::event::ExecutionEnd::new(1));
    assert!(handle.pause("over").expect_err("over").is_not_found());
}

#[test]
fn usage_and_facts_belong_to_the_place_where_they_are_said_and_not_to_where_the_code_is_by_then() {
    let events = told(
        || async {
            span::agent("a").in_scope(|| {
                let (outer, inner) = (current(), span::llm("gpt-4o"));
                inner.in_scope(|| {
                    outer.usage(10, 5);
                    outer.span().provider("nobody");
                });
            });
        },
        |_, _| {},
    );
    let usage: Vec<_> = events.iter().filter(|event| event.kind() == Kind::TokenUsage).collect();
    assert_eq!(usage.len(), 1);
    assert_eq!(usage[0].step_id, events[0].step_id, "the agent's, not the call's");
    let call = events.iter().find(|event| event.kind() == Kind::LlmCallEnd).expect("call");
    let Body::LlmCallEnd(end) = &call.body else { panic!("an end") };
    assert_eq!(end.provider, None);
}

#[test]
fn usage_said_in_a_plain_span_inside_a_model_call_is_the_calls() {
    let events = told(
        || async {
            let said = || tracing::info_span!("http").in_scope(|| current().usage(10, 5));
            span::agent("a").run(async { span::llm("gpt-4o").in_scope(said) }).await;
        },
        |_, _| {},
    );
    let usage: Vec<_> = events.iter().filter(|event| event.kind() == Kind::TokenUsage).collect();
    let call = events.iter().find(|event| event.kind() == Kind::LlmCallEnd).expect("call");
    assert_eq!(usage.len(), 1);
    assert_eq!(usage[0].step_id, call.step_id);
}

#[test]
fn what_a_question_is_about_does_not_show_in_debug() {
    let asking = current().ask_permission("transfer", &serde_json::json!({"password": "hunter2"}));
    assert!(!format!("{asking:?}").contains("hunter2"), "{asking:?}");
}

#[test]
fn a_panic_after_the_request_to_end_is_still_a_panic() {
    let events = told(
        || async {
            let agent = span::agent("a");
            let work = async { panic!("after {}", current().cancellation().wait().await) };
            let caught = std::panic::AssertUnwindSafe(agent.run_with(work, |_, ()| ()));
            drop(agent);
            futures_util::FutureExt::catch_unwind(caught).await.expect_err("a panic");
        },
        |handle, _| handle.cancel("enough").expect("running"),
    );
    let Some(Body::ExecutionFailed(end)) = events.last().map(|event| &event.body) else { panic!("{events:?}") };
    assert_eq!(end.outcome.as_ref().map(|outcome| outcome.as_str()), Some("panicked"));
}
