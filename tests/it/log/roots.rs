//! Executions that several roots run: over is one with the first of them, and goes on when another ends.

use super::{Gate, LIMIT, at, crash_image, event, read_all};
use crate::scratch::Scratch;
use proptest::{collection::vec, prelude::*};
use spanwright::{
    EventLog, ExecutionId, Recorder, StepId, StreamEvent,
    event::{
        Body, ExecutionCancelled, ExecutionEnd, ExecutionPaused, ExecutionResumed, ExecutionStart, Kind, ParentType,
        StepStart, StepType,
    },
    log::{MemoryLog, Scope, SqliteLog, Status},
};
use std::sync::Arc;

fn of(id: &ExecutionId, number: u64, body: impl Into<Body>) -> StreamEvent {
    event(id, body).of_step(StepId::from_span_id(number))
}

fn start(id: &ExecutionId, number: u64) -> StreamEvent {
    of(id, number, ExecutionStart::new())
}

/// In another process, which the first root called.
fn called(id: &ExecutionId, number: u64) -> StreamEvent {
    let step = StepId::from_span_id(1).to_string();
    of(id, number, ExecutionStart::new().parent_id(step).parent_type(ParentType::StepExecution))
}

fn end(id: &ExecutionId, number: u64) -> StreamEvent {
    of(id, number, ExecutionEnd::new(1))
}

fn of_each_log(check: impl Fn(&Recorder)) {
    let scratch = Scratch::new();
    check(&Recorder::builder().log(MemoryLog::new()).start().expect("recorder"));
    let file = SqliteLog::open(scratch.file("log.db")).expect("open");
    check(&Recorder::builder().log(file).start().expect("recorder"));
}

fn tell(recorder: &Recorder, events: impl IntoIterator<Item = StreamEvent>) {
    events.into_iter().for_each(|event| recorder.emit(event));
    recorder.flush().wait(LIMIT).expect("flush");
}

fn status(recorder: &Recorder, id: &ExecutionId) -> Status {
    let log = recorder.log().expect("log");
    let row = log.execution(id.clone()).wait(LIMIT).expect("answer").expect("row");
    assert_eq!(row.ended_at.is_some(), row.status.is_final());
    row.status
}

#[test]
fn an_execution_goes_on_when_what_it_called_ends() {
    of_each_log(|recorder| {
        let id = ExecutionId::new();
        tell(recorder, [start(&id, 1), called(&id, 2), end(&id, 2)]);
        assert_eq!(status(recorder, &id), Status::Running);
        tell(recorder, [end(&id, 2)]);
        assert_eq!(status(recorder, &id), Status::Running, "a second end of one root ends no other");
        tell(recorder, [of(&id, 1, ExecutionCancelled::new("enough"))]);
        assert_eq!(status(recorder, &id), Status::Cancelled);
        tell(recorder, [end(&id, 2)]);
        assert_eq!(status(recorder, &id), Status::Completed, "what is over is what was said of it last");
    });
}

/// Its process may be gone without a word.
#[test]
fn an_execution_that_ends_waits_for_nothing_that_it_called() {
    of_each_log(|recorder| {
        let id = ExecutionId::new();
        tell(recorder, [start(&id, 1), called(&id, 2), called(&id, 3), end(&id, 1)]);
        assert_eq!(status(recorder, &id), Status::Completed);
        let id = ExecutionId::new();
        tell(recorder, [start(&id, 1), called(&id, 2), event(&id, ExecutionEnd::new(1))]);
        assert_eq!(status(recorder, &id), Status::Completed, "whoever knows better says so in its place");
    });
}

#[test]
fn calls_whose_ends_never_come_are_remembered_up_to_a_bound() {
    of_each_log(|recorder| {
        let id = ExecutionId::new();
        tell(recorder, [start(&id, 1)].into_iter().chain((2..=3_000).map(|number| called(&id, number))));
        assert_eq!(status(recorder, &id), Status::Running);
        tell(recorder, [end(&id, 1)]);
        assert_eq!(status(recorder, &id), Status::Completed);
    });
}

#[test]
fn what_goes_on_for_a_root_that_waited_ends_it_too() {
    of_each_log(|recorder| {
        let id = ExecutionId::new();
        tell(recorder, [start(&id, 1), event(&id, ExecutionPaused::new("a person"))]);
        assert_eq!(status(recorder, &id), Status::Paused);
        tell(recorder, [start(&id, 9)]);
        assert_eq!(status(recorder, &id), Status::Running);
        tell(recorder, [end(&id, 9)]);
        assert_eq!(status(recorder, &id), Status::Completed);
        let id = ExecutionId::new();
        tell(
            recorder,
            [start(&id, 1), event(&id, ExecutionPaused::new("a person")), event(&id, ExecutionResumed::new())],
        );
        tell(recorder, [called(&id, 9), end(&id, 9)]);
        assert_eq!(status(recorder, &id), Status::Running, "it was not gone on with: it went on itself");
    });
}

/// By who has a loop of his own, and says it in two places.
#[test]
fn a_start_that_is_told_twice_is_one_whichever_steps_it_names() {
    let steps = [None, Some(1), Some(2)].map(|number| number.map(StepId::from_span_id));
    let said = |id: &ExecutionId, body: Body, step: &Option<StepId>| match step {
        Some(step) => event(id, body).of_step(step.clone()),
        None => event(id, body),
    };
    of_each_log(|recorder| {
        for [first, second, last] in steps.iter().flat_map(|one| {
            let pairs = steps.iter().flat_map(|two| steps.iter().map(move |three| (two, three)));
            pairs.map(move |(two, three)| [one, two, three])
        }) {
            let id = ExecutionId::new();
            let start = || ExecutionStart::new().into();
            tell(recorder, [said(&id, start(), first), said(&id, start(), second)]);
            tell(recorder, [said(&id, ExecutionEnd::new(1).into(), last)]);
            assert_eq!(status(recorder, &id), Status::Completed, "{first:?} {second:?} {last:?}");
        }
    });
}

#[test]
fn what_a_crash_left_open_after_another_root_had_ended_is_lost() {
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    let (id, inner) = (ExecutionId::new(), |name| StepStart::new(StepType::FunctionNode, name));
    let mut gate = Gate::new(&log);
    gate.append([
        start(&id, 1),
        of(&id, 3, inner("in the first").parent_step_id(StepId::from_span_id(1))),
        called(&id, 2),
        of(&id, 4, inner("in the second").parent_step_id(StepId::from_span_id(2))),
        of(&id, 5, inner("deeper").parent_step_id(StepId::from_span_id(4))),
    ]);
    let mut last = gate.batch([end(&id, 2)]);
    Arc::make_mut(&mut last).events[0].goes_on = true;
    log.append(last).wait(LIMIT).expect("append");
    let image = crash_image(&log, &scratch, "image.db");
    let recorder = Recorder::builder().log(SqliteLog::open(image).expect("open")).start().expect("recorder");
    assert_eq!(recorder.recovered(), std::slice::from_ref(&id));
    recorder.flush().wait(LIMIT).expect("flush");
    let told = read_all(&**recorder.log().expect("log"), Scope::Execution(id.clone())).split_off(6);
    let told: Vec<_> = told.iter().map(|event| (event.kind, event.context.step_id.clone())).collect();
    let step = |number| Some(StepId::from_span_id(number));
    assert_eq!(told, [(Kind::StepFailed, step(3)), (Kind::ExecutionLost, step(1))]);
    assert_eq!(status(&recorder, &id), Status::Lost);
}

/// A root of this number starts or ends, or all is told to wait, or to go on.
fn any_event() -> impl Strategy<Value = (u64, u8)> {
    (0..4_u64, prop_oneof![2 => Just(0_u8), 4 => Just(1), 1 => Just(2), 1 => Just(3), 3 => Just(4)])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn what_is_over_has_nothing_open(events in vec(any_event(), 1..20)) {
        let id = ExecutionId::new();
        let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("recorder");
        let mut open = spanwright::event::OpenThings::new(id.clone());
        for (number, what) in events {
            let event = match what {
                0 => start(&id, number + 1),
                1 => end(&id, number + 1),
                4 => called(&id, number + 1),
                2 => of(&id, number + 1, ExecutionPaused::new("a person")),
                _ => event(&id, ExecutionResumed::new()),
            };
            let event = event.at(at(1));
            open.apply(&event);
            let ends = event.kind() == Kind::ExecutionEnd;
            tell(&recorder, [event]);
            prop_assert!(!ends || open.is_empty() == (status(&recorder, &id) == Status::Completed));
        }
    }
}
