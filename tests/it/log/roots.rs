//! Executions that several roots run: over is one with the first of them, and goes on when another ends.

use super::{Gate, LIMIT, at, crash_image, event, of_each_log, read_all};
use crate::scratch::Scratch;
use proptest::{collection::vec, prelude::*};
use rusqlite::Connection;
use spanwright::{
    EventLog, ExecutionId, Recorder, StepId, StreamEvent,
    event::{
        Body, ExecutionCancelled, ExecutionEnd, ExecutionPaused, ExecutionResumed, ExecutionStart, Kind, ParentType,
        StepStart, StepType,
    },
    log::{MemoryLog, Scope, SqliteLog, Status},
};

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

fn status(log: &dyn EventLog, id: &ExecutionId) -> Status {
    let row = log.execution(id.clone()).wait(LIMIT).expect("answer").expect("row");
    assert_eq!(row.ended_at.is_some(), row.status.is_final());
    row.status
}

#[test]
fn an_execution_goes_on_when_what_it_called_ends() {
    of_each_log(|log| {
        let (mut gate, id) = (Gate::new(log), ExecutionId::new());
        gate.append([start(&id, 1), called(&id, 2), end(&id, 2)]);
        assert_eq!(status(log, &id), Status::Running);
        gate.append([end(&id, 2)]);
        assert_eq!(status(log, &id), Status::Running, "a second end of one root ends no other");
        gate.append([of(&id, 1, ExecutionCancelled::new("enough"))]);
        assert_eq!(status(log, &id), Status::Cancelled);
        gate.append([end(&id, 2)]);
        assert_eq!(status(log, &id), Status::Completed, "what is over is what was said of it last");
    });
}

/// Its process may be gone without a word.
#[test]
fn an_execution_that_ends_waits_for_nothing_that_it_called() {
    of_each_log(|log| {
        let (mut gate, id) = (Gate::new(log), ExecutionId::new());
        gate.append([start(&id, 1), called(&id, 2), called(&id, 3), end(&id, 1)]);
        assert_eq!(status(log, &id), Status::Completed);
        let id = ExecutionId::new();
        gate.append([start(&id, 1), called(&id, 2), event(&id, ExecutionEnd::new(1))]);
        assert_eq!(status(log, &id), Status::Completed, "whoever knows better says so in its place");
    });
}

#[test]
fn calls_whose_ends_never_come_are_remembered_up_to_a_bound() {
    of_each_log(|log| {
        let (mut gate, id) = (Gate::new(log), ExecutionId::new());
        gate.append([start(&id, 1)].into_iter().chain((2..=3_000).map(|number| called(&id, number))));
        assert_eq!(status(log, &id), Status::Running);
        gate.append([end(&id, 1)]);
        assert_eq!(status(log, &id), Status::Completed);
    });
}

#[test]
fn what_goes_on_for_a_root_that_waited_ends_it_too() {
    of_each_log(|log| {
        let (mut gate, id) = (Gate::new(log), ExecutionId::new());
        gate.append([start(&id, 1), event(&id, ExecutionPaused::new("a person"))]);
        assert_eq!(status(log, &id), Status::Paused);
        gate.append([start(&id, 9)]);
        assert_eq!(status(log, &id), Status::Running);
        gate.append([end(&id, 9)]);
        assert_eq!(status(log, &id), Status::Completed);
        let id = ExecutionId::new();
        gate.append([start(&id, 1), event(&id, ExecutionPaused::new("a person")), event(&id, ExecutionResumed::new())]);
        gate.append([called(&id, 9), end(&id, 9)]);
        assert_eq!(status(log, &id), Status::Running, "it was not gone on with: it went on itself");
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
    of_each_log(|log| {
        let mut gate = Gate::new(log);
        for [first, second, last] in steps.iter().flat_map(|one| {
            let pairs = steps.iter().flat_map(|two| steps.iter().map(move |three| (two, three)));
            pairs.map(move |(two, three)| [one, two, three])
        }) {
            let id = ExecutionId::new();
            let start = || ExecutionStart::new().into();
            gate.append([said(&id, start(), first), said(&id, start(), second)]);
            gate.append([said(&id, ExecutionEnd::new(1).into(), last)]);
            assert_eq!(status(log, &id), Status::Completed, "{first:?} {second:?} {last:?}");
        }
    });
}

/// As by a sender whose request was cut off by a restart.
#[test]
fn a_start_that_is_told_again_after_a_restart_is_one() {
    let scratch = Scratch::new();
    let (path, id) = (scratch.file("log.db"), ExecutionId::new());
    Gate::new(&SqliteLog::open(&path).expect("open")).append([start(&id, 1)]);
    let log = SqliteLog::open(&path).expect("open");
    Gate::new(&log).append([start(&id, 1), end(&id, 1)]);
    assert_eq!(status(&log, &id), Status::Completed);
}

#[test]
fn what_a_crash_left_open_after_another_root_had_ended_is_lost() {
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    let (id, inner) = (ExecutionId::new(), |name| StepStart::new(StepType::FunctionNode, name));
    Gate::new(&log).append([
        start(&id, 1),
        of(&id, 3, inner("in the first").parent_step_id(StepId::from_span_id(1))),
        called(&id, 2),
        of(&id, 4, inner("in the second").parent_step_id(StepId::from_span_id(2))),
        of(&id, 5, inner("deeper").parent_step_id(StepId::from_span_id(4))),
        end(&id, 2),
    ]);
    let image = crash_image(&log, &scratch, "image.db");
    let recorder = Recorder::builder().log(SqliteLog::open(image).expect("open")).start().expect("recorder");
    assert_eq!(recorder.recovered(), std::slice::from_ref(&id));
    recorder.flush().wait(LIMIT).expect("flush");
    let log = recorder.log().expect("log");
    let told = read_all(&**log, Scope::Execution(id.clone())).split_off(6);
    let told: Vec<_> = told.iter().map(|event| (event.kind, event.context.step_id.clone())).collect();
    let step = |number| Some(StepId::from_span_id(number));
    assert_eq!(told, [(Kind::StepFailed, step(3)), (Kind::ExecutionLost, step(1))]);
    assert_eq!(status(&**log, &id), Status::Lost);
}

fn rows_of_roots(log: &SqliteLog) -> Option<i64> {
    let outside = Connection::open(log.path()).expect("open");
    outside.query_row("SELECT count(*) FROM roots", (), |row| row.get(0)).ok()
}

#[test]
fn several_roots_are_known_when_the_file_is_opened_again_and_one_needs_no_table() {
    let scratch = Scratch::new();
    let path = scratch.file("log.db");
    let id = ExecutionId::new();
    let append = |events: Vec<StreamEvent>| {
        let log = SqliteLog::open(&path).expect("open");
        Gate::new(&log).append(events);
        (status(&log, &id), rows_of_roots(&log))
    };
    assert_eq!(append(vec![start(&id, 1)]), (Status::Running, None));
    assert_eq!(append(vec![called(&id, 2)]), (Status::Running, Some(2)));
    assert_eq!(append(vec![called(&id, 3)]), (Status::Running, Some(3)));
    assert_eq!(append(vec![end(&id, 2)]), (Status::Running, Some(2)));
    assert_eq!(append(vec![end(&id, 3)]), (Status::Running, Some(0)));
    assert_eq!(append(vec![end(&id, 1)]), (Status::Completed, Some(0)));
}

/// As an older version leaves it, which does not know them.
#[test]
fn roots_that_are_left_of_an_execution_that_is_over_are_none() {
    let scratch = Scratch::new();
    let path = scratch.file("log.db");
    let id = ExecutionId::new();
    Gate::new(&SqliteLog::open(&path).expect("open")).append([start(&id, 1), called(&id, 2)]);
    let outside = Connection::open(&path).expect("open");
    outside.execute("UPDATE executions SET status = 'completed', ended_ns = 1", ()).expect("as before");
    for damage in ["UPDATE roots SET step_id = x'00'", "DROP TABLE roots", "CREATE TABLE roots (other)"] {
        let log = SqliteLog::open(&path).expect("open");
        Gate::new(&log).append([start(&id, 7), end(&id, 7)]);
        assert_eq!(status(&log, &id), Status::Completed);
        drop(log);
        outside.execute(damage, ()).expect("damage");
    }
}

/// A root of this number starts or ends, or all is told to wait, or to go on.
fn any_event() -> impl Strategy<Value = (u64, u8)> {
    (0..4_u64, prop_oneof![2 => Just(0_u8), 4 => Just(1), 1 => Just(2), 1 => Just(3), 3 => Just(4)])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn every_log_says_the_same_and_what_is_over_has_nothing_open(events in vec(any_event(), 1..20)) {
        let id = ExecutionId::new();
        let events: Vec<StreamEvent> = events
            .into_iter()
            .map(|(number, what)| match what {
                0 => start(&id, number + 1),
                1 => end(&id, number + 1),
                4 => called(&id, number + 1),
                2 => of(&id, number + 1, ExecutionPaused::new("a person")),
                _ => event(&id, ExecutionResumed::new()),
            })
            .map(|event| event.at(at(1)))
            .collect();
        let scratch = Scratch::new();
        let (memory, file) = (MemoryLog::new(), SqliteLog::open(scratch.file("log.db")).expect("open"));
        let mut open = spanwright::event::OpenThings::new(id.clone());
        let (mut first, mut second) = (Gate::new(&memory), Gate::new(&file));
        for event in events {
            open.apply(&event);
            let ends = event.kind() == Kind::ExecutionEnd;
            first.append([event.clone()]);
            second.append([event]);
            prop_assert_eq!(status(&memory, &id), status(&file, &id));
            prop_assert!(!ends || open.is_empty() == (status(&memory, &id) == Status::Completed));
        }
    }
}
