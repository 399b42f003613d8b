//! Readers' places, kept in the log: what every log promises of them, and what only a file can show.

use super::{Gate, LIMIT, crash_image, event, of_each_log, read, read_all, step, steps};
use crate::scratch::Scratch;
use rusqlite::Connection;
use spanwright::{
    EventLog, ExecutionId,
    event::TextDelta,
    log::{Query, Scope, SqliteLog},
};
use std::time::Duration;

fn place(log: &dyn EventLog, name: &str) -> Option<u64> {
    log.place(name.into()).wait(LIMIT).expect("answer")
}

fn keep(log: &dyn EventLog, name: &str, offset: u64) {
    log.keep_place(name.into(), offset).wait(LIMIT).expect("kept");
}

#[test]
fn each_reader_has_its_own_place_and_its_last_word_counts() {
    of_each_log(|log| {
        Gate::new(log).append(steps(&ExecutionId::new(), 0..9));
        assert_eq!(place(log, "otlp/traces"), None, "it never came by");
        keep(log, "otlp/traces", 7);
        keep(log, "otlp/metrics ü", 2);
        keep(log, "from the start", 0);
        assert_eq!(place(log, "otlp/traces"), Some(7));
        assert_eq!(place(log, "otlp/metrics ü"), Some(2));
        assert_eq!(place(log, "from the start"), Some(0));
        assert_eq!(place(log, "OTLP/traces"), None);
        keep(log, "otlp/traces", 9);
        keep(log, "otlp/traces", 4);
        assert_eq!(place(log, "otlp/traces"), Some(4), "it may go back");
        assert_eq!(read_all(log, Scope::Everything).len(), 9, "events are no concern of it");
    });
}

#[test]
fn words_that_come_faster_than_they_are_answered_are_taken_in_their_order() {
    of_each_log(|log| {
        Gate::new(log).append(steps(&ExecutionId::new(), 0..9));
        let answers: Vec<_> = (0..5000).map(|word| log.keep_place("reader".into(), (word * 7) % 10)).collect();
        answers.into_iter().for_each(|answer| answer.wait(LIMIT).expect("kept"));
        assert_eq!(place(log, "reader"), Some((4999 * 7) % 10));
    });
}

#[test]
fn a_name_that_is_none_is_refused() {
    of_each_log(|log| {
        for name in ["", "two\nlines", "\u{7f}", &"n".repeat(257)] {
            assert!(log.keep_place(name.into(), 0).wait(LIMIT).expect_err("no name").is_invalid(), "{name:?}");
            assert!(log.place(name.into()).wait(LIMIT).expect_err("no name").is_invalid(), "{name:?}");
        }
        keep(log, &"n".repeat(256), 0);
        assert_eq!(place(log, &"n".repeat(256)), Some(0));
    });
}

#[test]
fn a_place_past_what_is_kept_is_refused() {
    of_each_log(|log| {
        let id = ExecutionId::new();
        Gate::new(log).append([step(&id, "kept"), event(&id, TextDelta::new("t", "piece"))]);
        keep(log, "reader", 2);
        for offset in [3, i64::MAX as u64, u64::MAX] {
            let error = log.keep_place("reader".into(), offset).wait(LIMIT).expect_err("nothing is there yet");
            assert!(error.is_invalid() && error.to_string().contains("up to 2"), "{error}");
            // It may be an address with a token in it.
            assert!(!error.to_string().contains("`reader`"), "{error}");
        }
        assert_eq!(place(log, "reader"), Some(2));
    });
}

#[test]
fn a_closed_log_keeps_no_places() {
    of_each_log(|log| {
        log.close().wait(LIMIT).expect("close");
        assert!(log.place("reader".into()).wait(LIMIT).expect_err("closed").is_closed());
        assert!(log.keep_place("reader".into(), 0).wait(LIMIT).expect_err("closed").is_closed());
    });
}

#[test]
fn places_are_there_when_the_log_is_opened_again() {
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    Gate::new(&log).append(steps(&ExecutionId::new(), 0..9));
    keep(&log, "one", 3);
    keep(&log, "other", 8);
    // Not waited for: a clean end takes along what was asked before it.
    drop(log.keep_place("one".into(), 5));
    drop(log);
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    assert_eq!((place(&log, "one"), place(&log, "other"), place(&log, "third")), (Some(5), Some(8), None));
    keep(&log, "other", 9);
}

#[test]
fn a_file_without_the_table_is_a_log_all_the_same() {
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    let tables = || -> i64 {
        let outside = Connection::open(scratch.file("log.db")).expect("open");
        let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'places'";
        outside.query_row(sql, (), |row| row.get(0)).expect("count")
    };
    assert_eq!(place(&log, "reader"), None);
    assert_eq!(tables(), 0, "made with the first place");
    keep(&log, "reader", 0);
    assert_eq!(tables(), 1);
}

/// Pieces are numbered, and settled as all else, but not kept: a crash forgets that there were any.
#[test]
fn a_reader_that_settled_pieces_misses_nothing_of_what_comes_after_a_crash() {
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    let id = ExecutionId::new();
    let piece = || event(&id, TextDelta::new("t", "piece"));
    Gate::new(&log).append([step(&id, "kept"), piece(), piece(), piece()]);
    let seen = read(&log, Query::new(Scope::Everything, 0, 10)).read_to;
    keep(&log, "reader", seen);
    let crashed = SqliteLog::open(crash_image(&log, &scratch, "image.db")).expect("open");
    Gate::new(&crashed).append(steps(&id, 1..3));
    let after = place(&crashed, "reader").expect("kept");
    assert_eq!(after, 4);
    assert_eq!(read(&crashed, Query::new(Scope::Everything, after, 10)).events.len(), 2);
}

#[test]
fn a_place_goes_along_with_the_events_that_wait() {
    let scratch = Scratch::new();
    let log = SqliteLog::builder(scratch.file("log.db")).commit_window(Duration::from_secs(3600)).open().expect("open");
    let appended = log.append(Gate::new(&log).batch(steps(&ExecutionId::new(), 0..3)));
    let kept = log.keep_place("reader".into(), 0);
    log.flush().wait(LIMIT).expect("flush");
    appended.wait(Duration::ZERO).expect("acknowledged before the flush was");
    kept.wait(Duration::ZERO).expect("and so was the place");
    assert_eq!(place(&log, "reader"), Some(0));
}

/// A place that has no room: it is told, it stays where it was, and nothing tries again behind one's back.
#[test]
fn a_full_disk_is_told_to_who_keeps_a_place() {
    let scratch = Scratch::new();
    let path = scratch.file("log.db");
    let log = SqliteLog::open(&path).expect("open");
    Gate::new(&log).append(steps(&ExecutionId::new(), 0..9));
    keep(&log, "reader", 1);
    drop(log);
    let outside = Connection::open(&path).expect("open");
    outside.execute_batch("CREATE TABLE ballast AS SELECT zeroblob(100000) AS weight").expect("ballast");
    let pages: u32 = outside.query_row("PRAGMA page_count", (), |row| row.get(0)).expect("pages");
    let log = SqliteLog::builder(&path).max_pages(pages).open().expect("open");
    // As many names as fill the page on which there is one.
    let names: Vec<_> = (0..50).map(|at| format!("{at:0>256}")).collect();
    let refused = names.iter().find_map(|name| log.keep_place(name.into(), 2).wait(LIMIT).err()).expect("full");
    assert!(refused.is_io() && refused.to_string().contains("full"), "{refused}");
    log.flush().wait(LIMIT).expect("of the events, all are on disk");
    assert_eq!(place(&log, "reader"), Some(1));
    let last = names.last().expect("a name");
    assert_eq!(place(&log, last), None);

    outside.execute_batch("PRAGMA busy_timeout = 60000; DROP TABLE ballast").expect("room");
    log.flush().wait(LIMIT).expect("flush");
    assert_eq!(place(&log, last), None, "who was told that it is not kept finds it not kept");
    keep(&log, last, 2);
    assert_eq!(place(&log, last), Some(2));
}

#[test]
fn places_that_cannot_be_kept_hold_up_no_events() {
    let scratch = Scratch::new();
    let log = SqliteLog::builder(scratch.file("log.db")).commit_window(Duration::from_secs(3600)).open().expect("open");
    let outside = Connection::open(log.path()).expect("open");
    outside.execute_batch("CREATE VIEW places AS SELECT 'reader' AS name, 'far' AS offset").expect("in the way");
    let (mut gate, id) = (Gate::new(&log), ExecutionId::new());
    for round in 0..3 {
        let appended = log.append(gate.batch(steps(&id, round..round + 1)));
        let kept = log.keep_place("reader".into(), 0);
        log.flush().wait(LIMIT).expect("the events are on disk");
        appended.wait(Duration::ZERO).expect("acknowledged");
        assert!(kept.wait(Duration::ZERO).expect_err("no table").to_string().contains("place of a reader"));
    }
    assert_eq!(read_all(&log, Scope::Everything).len(), 3);
    assert!(log.place("reader".into()).wait(LIMIT).expect_err("no number").is_corrupt());
}

#[test]
fn a_damaged_place_is_its_readers_trouble_alone() {
    let scratch = Scratch::new();
    let path = scratch.file("log.db");
    let log = SqliteLog::open(&path).expect("open");
    Gate::new(&log).append(steps(&ExecutionId::new(), 0..9));
    keep(&log, "damaged", 3);
    keep(&log, "sound", 4);
    drop(log);
    for value in ["'far'", "-1", "x'00'", "0.5"] {
        let outside = Connection::open(&path).expect("open");
        outside.execute(&format!("UPDATE places SET offset = {value} WHERE name = 'damaged'"), ()).expect("damage");
        let log = SqliteLog::open(&path).expect("one row never keeps a log from opening");
        assert!(log.place("damaged".into()).wait(LIMIT).expect_err(value).is_corrupt(), "{value}");
        assert_eq!(place(&log, "sound"), Some(4));
        keep(&log, "damaged", 2);
        assert_eq!(place(&log, "damaged"), Some(2));
    }
}
