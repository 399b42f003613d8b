//! What only a file can show: crashes, openings, the commit window, other readers.

use super::{Gate, LIMIT, at, crash_image, event, read_all, step, steps};
use crate::scratch::Scratch;
use rusqlite::Connection;
use spanwright::{
    Cursor, EventLog, ExecutionId, Json, StepId, StreamEvent,
    event::{
        Batch, ExecutionEnd, ExecutionPaused, ExecutionStart, Kind, LlmCallStart, Recorded, StepEnd, StepStart,
        StepType, TextDelta, ToolInputAvailable,
    },
    log::{Durability, ExecutionsQuery, Resolved, Scope, SqliteLog, Status},
};
use std::{sync::Arc, time::Duration};

fn reopen(log: SqliteLog) -> SqliteLog {
    let path = log.path().to_path_buf();
    log.close().wait(LIMIT).expect("close");
    SqliteLog::open(path).expect("open again")
}

#[test]
fn what_was_acknowledged_is_there_after_a_crash() {
    let scratch = Scratch::new();
    for durability in [Durability::Full, Durability::Normal] {
        let path = scratch.file(&format!("{durability:?}.db"));
        let log = SqliteLog::builder(path).durability(durability).open().expect("open");
        let id = ExecutionId::new();
        let mut gate = Gate::new(&log);
        for round in 0..20 {
            gate.append(steps(&id, round * 3..round * 3 + 3));
            let image =
                SqliteLog::open(crash_image(&log, &scratch, &format!("{durability:?}-{round}.db"))).expect("open");
            assert_eq!(read_all(&image, Scope::Everything), read_all(&log, Scope::Everything));
            assert_eq!(image.opened_at().offset, u64::from(round) * 3 + 3);
        }
    }
}

#[test]
fn cursors_of_earlier_openings_stay_good() {
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    let id = ExecutionId::new();
    let first = log.opened_at();
    Gate::new(&log).append(steps(&id, 0..10));
    let crashed = SqliteLog::open(crash_image(&log, &scratch, "image.db")).expect("open");
    let resolve = |log: &SqliteLog, epoch, offset| log.resolve(Cursor::new(epoch, offset)).wait(LIMIT).expect("answer");

    assert_ne!(crashed.opened_at().epoch, first.epoch);
    assert_eq!(crashed.opened_at().offset, 10);
    assert_eq!(resolve(&crashed, first.epoch, 0), Resolved::At(0));
    assert_eq!(resolve(&crashed, first.epoch, 10), Resolved::At(10));
    assert_eq!(resolve(&crashed, first.epoch, 13), Resolved::Past(10), "three were seen that the crash took back");
    Gate::new(&crashed).append(steps(&id, 10..15));
    let second = crashed.opened_at().epoch;
    let third = reopen(crashed);
    assert_eq!(resolve(&third, first.epoch, 13), Resolved::Past(10));
    assert_eq!(resolve(&third, second, 15), Resolved::At(15));
    assert_eq!(resolve(&third, second, 16), Resolved::Past(15));
    assert_eq!(resolve(&third, third.opened_at().epoch, 16), Resolved::At(16), "not kept yet, but given out");
    assert_eq!(resolve(&third, 1, 5), Resolved::Unknown);
    let kept = read_all(&third, Scope::Everything);
    assert_eq!((kept[9].cursor.epoch, kept[10].cursor.epoch), (first.epoch, second));
}

#[test]
fn pieces_before_a_clean_end_are_not_taken_for_lost() {
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    let id = ExecutionId::new();
    Gate::new(&log).append([step(&id, "kept"), event(&id, TextDelta::new("t", "piece"))]);
    let cursor = Cursor::new(log.opened_at().epoch, 2);
    let log = reopen(log);
    assert_eq!(log.resolve(cursor).wait(LIMIT).expect("answer"), Resolved::At(2));
    assert_eq!(log.opened_at().offset, 2, "no offset is given out twice");
    let log = reopen(log);
    assert_eq!(log.opened_at().offset, 2);
}

#[test]
fn a_log_that_is_dropped_keeps_what_was_appended() {
    let scratch = Scratch::new();
    let builder = SqliteLog::builder(scratch.file("log.db")).commit_window(Duration::MAX);
    let log = builder.clone().open().expect("open");
    let batch = Gate::new(&log).batch(steps(&ExecutionId::new(), 0..100));
    drop(log.append(batch));
    drop(log);
    assert!(!scratch.file("log.db-wal").exists(), "a clean end leaves one file");
    assert_eq!(read_all(&builder.open().expect("open"), Scope::Everything).len(), 100);
}

#[test]
fn a_flush_does_not_wait_for_the_commit_window() {
    let scratch = Scratch::new();
    let log = SqliteLog::builder(scratch.file("log.db")).commit_window(Duration::from_secs(3600)).open().expect("open");
    let mut gate = Gate::new(&log);
    let batch = gate.batch(steps(&ExecutionId::new(), 0..3));
    let appended = log.append(batch);
    log.flush().wait(LIMIT).expect("flush");
    appended.wait(Duration::ZERO).expect("acknowledged before the flush was");
    let outside = Connection::open(log.path()).expect("open");
    let count: i64 = outside.query_row("SELECT count(*) FROM events", (), |row| row.get(0)).expect("count");
    assert_eq!(count, 3);
}

#[test]
fn a_group_that_is_full_does_not_wait_for_the_commit_window() {
    let scratch = Scratch::new();
    let log = SqliteLog::builder(scratch.file("log.db")).commit_window(Duration::from_secs(3600)).open().expect("open");
    let (mut gate, id) = (Gate::new(&log), ExecutionId::new());
    let answers: Vec<_> = (0..16).map(|_| log.append(gate.batch(steps(&id, 0..512)))).collect();
    answers.into_iter().for_each(|answer| answer.wait(LIMIT).expect("acknowledged"));
}

#[test]
fn offsets_that_do_not_rise_are_refused() {
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    let mut gate = Gate::new(&log);
    let batch = gate.batch(steps(&ExecutionId::new(), 0..3));
    log.append(batch.clone()).wait(LIMIT).expect("append");
    assert!(log.append(batch.clone()).wait(LIMIT).expect_err("again").is_invalid());
    let other = Batch::new(Cursor::new(batch.first.epoch ^ 1, 10), batch.events.clone());
    assert!(log.append(Arc::new(other)).wait(LIMIT).expect_err("other epoch").is_invalid());
    gate.append(steps(&ExecutionId::new(), 0..1));
}

#[test]
fn a_second_opener_is_told_who_has_it() {
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    std::os::unix::fs::symlink(log.path(), scratch.file("link.db")).expect("link");
    for path in ["log.db", "link.db"] {
        let error = SqliteLog::open(scratch.file(path)).expect_err("in use");
        assert!(error.is_in_use());
        assert!(error.to_string().contains("already open by this process"), "{error}");
        assert!(error.to_string().contains("log.db"), "{error}");
    }
    let log = reopen(log);
    drop(log);
    SqliteLog::open(scratch.file("link.db")).expect("free again");
}

#[test]
fn what_was_open_in_running_executions_is_found() {
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    let ids: Vec<_> = (0..4).map(|_| ExecutionId::new()).collect();
    let [running, ended, paused, headless] = [&ids[0], &ids[1], &ids[2], &ids[3]];
    let mut gate = Gate::new(&log);
    let done = StepId::new();
    gate.append(ids[..3].iter().map(|id| event(id, ExecutionStart::new())));
    gate.append([
        step(running, "open"),
        event(running, StepStart::new(StepType::LlmNode, "done")).of_step(done.clone()),
        event(running, StepEnd::new(3)).of_step(done),
        event(running, LlmCallStart::new("chat", 2)).of_step(StepId::new()),
        event(running, ToolInputAvailable::new("call", "search", Json::null())),
        step(ended, "open"),
        event(ended, ExecutionEnd::new(5)),
        event(paused, ExecutionPaused::new("a person")),
        step(headless, "its start is missing"),
    ]);
    assert!(log.unfinished().wait(LIMIT).expect("answer").is_empty(), "what began after opening is not lost");
    let log = reopen(log);
    let open = log.unfinished().wait(LIMIT).expect("answer");
    assert_eq!(
        open.iter().map(|open| (open.execution_id(), open.len())).collect::<Vec<_>>(),
        [(running, 4), (headless, 2)]
    );
    let lost = open[0].lost(at(0));
    assert_eq!(lost.last().map(StreamEvent::kind), Some(Kind::ExecutionLost));
    Gate::new(&log).append(open.iter().flat_map(|open| open.lost(at(0))));
    assert_eq!(log.unfinished().wait(LIMIT).expect("answer").len(), 2, "as it was when the log was opened");
    let log = reopen(log);
    assert!(log.unfinished().wait(LIMIT).expect("answer").is_empty());
    assert_eq!(log.execution(running.clone()).wait(LIMIT).expect("row").map(|row| row.status), Some(Status::Lost));
}

#[test]
fn a_person_reads_the_record_with_any_sqlite_tool() {
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    let id = ExecutionId::new();
    let step_id = StepId::new();
    let one = event(&id, StepStart::new(StepType::LlmNode, "think")).of_step(step_id.clone()).at(at(123));
    Gate::new(&log).append([one]);
    let outside = Connection::open(log.path()).expect("open");
    let row: [String; 5] = outside
        .query_row("SELECT execution_id, type, step_id, time, fields FROM record", (), |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
        })
        .expect("row");
    let [execution_id, kind, step, time, fields] = row;
    assert_eq!((execution_id, step), (id.to_string(), step_id.to_string()));
    assert_eq!(time, "2025-11-21T02:40:00.123000000Z");
    assert_eq!((kind.as_str(), fields.as_str()), ("data-step-start", r#"{"step_type":"LlmNode","name":"think"}"#));
}

#[test]
fn more_executions_than_are_remembered_are_all_kept_right() {
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    let ids: Vec<_> = (0..6000).map(|_| ExecutionId::new()).collect();
    let mut next = 1;
    for sequence in 1..=3 {
        for chunk in ids.chunks(1000) {
            let events = chunk.iter().map(|id| Recorded::new(step(id, "s"), sequence, 0, true)).collect();
            let batch = Batch::new(Cursor::new(log.opened_at().epoch, next), events);
            next = batch.end();
            log.append(Arc::new(batch)).wait(LIMIT).expect("append");
        }
    }
    let rows = log.executions(ExecutionsQuery::newest(10_000)).wait(LIMIT).expect("rows");
    assert_eq!(rows.len(), 6000);
    assert!(rows.iter().all(|row| row.events == 3));
    assert_eq!(read_all(&log, Scope::Execution(ids[0].clone())).len(), 3);
}
