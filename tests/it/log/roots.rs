//! Executions that several roots run: over is one with the last of them.

use super::{Gate, LIMIT, at, crash_image, event, of_each_log, read_all};
use crate::scratch::Scratch;
use proptest::{collection::vec, prelude::*};
use rusqlite::Connection;
use spanwright::{
    EventLog, ExecutionId, Recorder, StepId, StreamEvent,
    event::{
        Body, ExecutionCancelled, ExecutionEnd, ExecutionPaused, ExecutionResumed, ExecutionStart, Kind, StepStart,
        StepType,
    },
    log::{MemoryLog, Scope, SqliteLog, Status},
};

fn of(id: &ExecutionId, number: u64, body: impl Into<Body>) -> StreamEvent {
    event(id, body).of_step(StepId::from_span_id(number))
}

fn start(id: &ExecutionId, number: u64) -> StreamEvent {
    of(id, number, ExecutionStart::new())
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
fn an_execution_is_over_with_the_last_of_its_roots() {
    of_each_log(|log| {
        let (mut gate, id) = (Gate::new(log), ExecutionId::new());
        gate.append([start(&id, 1), start(&id, 2), end(&id, 2)]);
        assert_eq!(status(log, &id), Status::Running);
        gate.append([end(&id, 2)]);
        assert_eq!(status(log, &id), Status::Running, "a second end of one root ends no other");
        gate.append([of(&id, 1, ExecutionCancelled::new("enough"))]);
        assert_eq!(status(log, &id), Status::Cancelled);
        gate.append([end(&id, 2)]);
        assert_eq!(status(log, &id), Status::Completed, "what is over is what was said of it last");
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
        gate.append([start(&id, 9), end(&id, 9)]);
        assert_eq!(status(log, &id), Status::Running, "it was not gone on with: it went on itself");
    });
}

#[test]
fn a_start_that_is_told_twice_is_one() {
    of_each_log(|log| {
        let (mut gate, id) = (Gate::new(log), ExecutionId::new());
        gate.append([event(&id, ExecutionStart::new()), event(&id, ExecutionStart::new())]);
        gate.append([event(&id, ExecutionEnd::new(1))]);
        assert_eq!(status(log, &id), Status::Completed);
    });
}

#[test]
fn what_a_crash_left_open_after_another_root_had_ended_is_lost() {
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    let (id, inner) = (ExecutionId::new(), |name| StepStart::new(StepType::FunctionNode, name));
    Gate::new(&log).append([
        start(&id, 1),
        of(&id, 3, inner("in the first").parent_step_id(StepId::from_span_id(1))),
        start(&id, 2),
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
    assert_eq!(append(vec![start(&id, 2)]), (Status::Running, Some(2)));
    assert_eq!(append(vec![start(&id, 3)]), (Status::Running, Some(3)));
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
    Gate::new(&SqliteLog::open(&path).expect("open")).append([start(&id, 1), start(&id, 2)]);
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
    (0..4_u64, prop_oneof![4 => Just(0_u8), 4 => Just(1), 1 => Just(2), 1 => Just(3)])
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
