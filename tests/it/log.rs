//! The record: the same promises of every log, then what only a file can show.

use crate::scratch::Scratch;
use rusqlite::Connection;
use spanwright::{
    Cursor, EventLog, ExecutionId, Json, StepId, StreamEvent, Text, Timestamp,
    event::{
        Batch, Body, ExecutionEnd, ExecutionPaused, ExecutionStart, Kind, LlmCallStart, Recorded, StepEnd, StepStart,
        StepType, TextDelta, TextStart, ToolInputAvailable,
    },
    log::{Durability, LoggedEvent, MemoryLog, Page, Query, Resolved, Scope, SqliteLog, Status},
};
use std::{path::Path, sync::Arc, thread, time::Duration};

const LIMIT: Duration = Duration::from_secs(20);

/// Numbers events as the recorder does, and appends them.
struct Gate<'a> {
    log: &'a dyn EventLog,
    next: Cursor,
    executions: Vec<(ExecutionId, u64, u64)>,
}

impl<'a> Gate<'a> {
    fn new(log: &'a dyn EventLog) -> Self {
        let at = log.opened_at();
        Self { log, next: Cursor::new(at.epoch, at.offset + 1), executions: Vec::new() }
    }

    fn number(&mut self, event: StreamEvent) -> Recorded {
        let id = event.execution_id.clone().expect("execution");
        let at = self.executions.iter().position(|(known, ..)| *known == id).unwrap_or_else(|| {
            let row = self.log.execution(id.clone()).wait(LIMIT).expect("row");
            let (sequence, pieces) = row.map_or((0, 0), |row| (row.events, row.pieces));
            self.executions.push((id.clone(), sequence, pieces));
            self.executions.len() - 1
        });
        let (_, sequence, pieces) = &mut self.executions[at];
        let mut recorded = Recorded::new(event, 0, 0, true);
        *(if recorded.is_piece() { &mut *pieces } else { &mut *sequence }) += 1;
        (recorded.sequence, recorded.pieces) = (*sequence, *pieces);
        recorded
    }

    fn batch(&mut self, events: impl IntoIterator<Item = StreamEvent>) -> Arc<Batch> {
        let events: Vec<_> = events.into_iter().map(|event| self.number(event)).collect();
        let batch = Batch::new(self.next, events);
        self.next = Cursor::new(self.next.epoch, batch.end());
        Arc::new(batch)
    }

    fn append(&mut self, events: impl IntoIterator<Item = StreamEvent>) {
        let batch = self.batch(events);
        self.log.append(batch).wait(LIMIT).expect("append");
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_763_692_800_000 + millis).expect("time")
}

fn event(id: &ExecutionId, body: impl Into<Body>) -> StreamEvent {
    StreamEvent::new(body).of_execution(id.clone()).at(at(0))
}

fn step(id: &ExecutionId, name: &str) -> StreamEvent {
    event(id, StepStart::new(StepType::FunctionNode, name)).of_step(StepId::new())
}

fn steps<'a>(id: &'a ExecutionId, names: std::ops::Range<u32>) -> impl Iterator<Item = StreamEvent> + 'a {
    names.map(move |name| step(id, &name.to_string()))
}

fn read(log: &dyn EventLog, query: Query) -> Page {
    log.read(query).wait(LIMIT).expect("page")
}

fn read_all(log: &dyn EventLog, scope: Scope) -> Vec<LoggedEvent> {
    read(log, Query::new(scope, 0, 1_000_000)).events
}

fn names(events: &[LoggedEvent]) -> Vec<String> {
    let name = |event: &LoggedEvent| match event.to_stream().expect("readable").body {
        Body::StepStart(start) => start.name.to_string(),
        other => other.tag().to_owned(),
    };
    events.iter().map(name).collect()
}

/// The same promises, of each log.
fn of_each_log(promise: impl Fn(&dyn EventLog)) {
    promise(&MemoryLog::new());
    let scratch = Scratch::new();
    promise(&SqliteLog::open(scratch.file("log.db")).expect("open"));
}

#[test]
fn events_come_back_in_order_with_all_they_had() {
    of_each_log(|log| {
        let (id, foreign) = (ExecutionId::new(), ExecutionId::parse("run/7 \"é\"").expect("id"));
        let mut gate = Gate::new(log);
        let events = [
            event(&id, ExecutionStart::new().name("planner").tenant_id("acme").user_id("ann")),
            event(&foreign, ExecutionStart::new()).of_step(StepId::parse("their step").expect("id")),
            step(&id, "line\nbreak, \"quote\", \u{0} and 漢"),
            event(&id, ToolInputAvailable::new("c1", "search", Json::parse(r#"{"q":[1,2.5,null]}"#).expect("JSON"))),
        ];
        gate.append(events.clone());
        let kept = read_all(log, Scope::Everything);
        assert_eq!(kept.iter().map(|event| event.to_stream().expect("event")).collect::<Vec<_>>(), events);
        assert_eq!(kept.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 1, 2, 3]);
        assert_eq!(kept.iter().map(|event| event.cursor.offset).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert!(kept.iter().all(|event| event.cursor.epoch == log.opened_at().epoch && event.shown));
        assert_eq!(kept[2].context.tenant_id, Some(Text::from("acme")));
        assert_eq!(kept[2].context.user_id, Some(Text::from("ann")));
        assert_eq!(kept[1].context.tenant_id, None);
    });
}

#[test]
fn what_a_silent_emitter_said_is_kept_and_marked() {
    of_each_log(|log| {
        let mut recorded = Gate::new(log).number(step(&ExecutionId::new(), "quiet"));
        recorded.shown = false;
        let first = Cursor::new(log.opened_at().epoch, 1);
        log.append(Arc::new(Batch::new(first, vec![recorded]))).wait(LIMIT).expect("append");
        assert!(!read_all(log, Scope::Everything)[0].shown);
    });
}

#[test]
fn a_scope_holds_its_own_events_and_no_others() {
    of_each_log(|log| {
        let ids: Vec<_> = (0..4).map(|_| ExecutionId::new()).collect();
        let mut gate = Gate::new(log);
        for (index, id) in ids.iter().enumerate() {
            let session = ["red", "blue"][index % 2];
            gate.append([event(id, ExecutionStart::new().session_id(session))]);
        }
        for round in 0..3 {
            gate.append(ids.iter().enumerate().map(|(index, id)| step(id, &format!("{index}.{round}"))));
        }
        let one = read_all(log, Scope::Execution(ids[2].clone()));
        assert_eq!(names(&one), ["data-execution-start", "2.0", "2.1", "2.2"]);
        let red = read_all(log, Scope::Session("red".into()));
        let start = "data-execution-start";
        assert_eq!(names(&red), [start, start, "0.0", "2.0", "0.1", "2.1", "0.2", "2.2"]);
        let rest = read(log, Query::new(Scope::Session("blue".into()), 9, 3));
        assert_eq!(names(&rest.events), ["1.1", "3.1", "1.2"]);
        assert!(!rest.complete);
        for nobody in [Scope::Execution(ExecutionId::new()), Scope::Session("green".into())] {
            let page = read(log, Query::new(nobody, 0, 10));
            assert!(page.events.is_empty() && page.complete);
            assert_eq!(page.read_to, 16);
        }
    });
}

#[test]
fn a_page_is_cut_at_its_limit_and_the_next_goes_on_there() {
    of_each_log(|log| {
        let id = ExecutionId::new();
        Gate::new(log).append(steps(&id, 0..10));
        for scope in [Scope::Everything, Scope::Execution(id.clone())] {
            let (mut query, mut seen) = (Query::new(scope, 0, 4), Vec::new());
            let mut cuts = Vec::new();
            loop {
                let page = read(log, query.clone());
                seen.extend(names(&page.events));
                cuts.push(page.read_to);
                if page.complete {
                    break;
                }
                query.after = page.read_to;
            }
            assert_eq!(seen, (0..10).map(|name| name.to_string()).collect::<Vec<_>>());
            assert_eq!(cuts, [4, 8, 10]);
        }
        let none = read(log, Query::new(Scope::Everything, 3, 0));
        assert!(none.events.is_empty() && !none.complete);
        assert_eq!(none.read_to, 3);
        let whole = read(log, Query::new(Scope::Everything, 0, 10));
        assert!(whole.complete, "a page that holds all is complete, though it is full");
    });
}

#[test]
fn a_place_past_the_end_is_an_empty_page() {
    of_each_log(|log| {
        Gate::new(log).append(steps(&ExecutionId::new(), 0..3));
        for after in [3, 4, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
            let page = read(log, Query::new(Scope::Everything, after, usize::MAX));
            assert!(page.events.is_empty() && page.complete);
            assert_eq!(page.read_to, after);
        }
    });
}

#[test]
fn pieces_count_but_are_not_kept() {
    of_each_log(|log| {
        let id = ExecutionId::new();
        let mut gate = Gate::new(log);
        let piece = || event(&id, TextDelta::new("t", "piece"));
        gate.append([event(&id, TextStart::new("t")), piece(), piece(), step(&id, "kept"), piece()]);
        gate.append([piece()]);
        let page = read(log, Query::new(Scope::Everything, 0, 10));
        assert_eq!(page.events.iter().map(|one| (one.sequence, one.pieces)).collect::<Vec<_>>(), [(1, 0), (2, 2)]);
        assert_eq!(page.events[1].cursor.offset, 4);
        assert_eq!(page.read_to, 6, "nothing more is to come up to the last piece");
    });
}

#[test]
fn a_kind_of_another_version_comes_back_as_it_was() {
    of_each_log(|log| {
        let id = ExecutionId::new();
        let read_one = |text: &str| {
            let event = StreamEvent::from_json(text).expect("event");
            event.of_execution(id.clone()).at(at(0))
        };
        let events = [
            read_one(r#"{"type":"data-from-2031","depth":3,"inner":{"type":"x"}}"#),
            read_one(r#"{"type":"data-bare"}"#),
            read_one(r#"{"type":"odd \"tag\"","a":"b"}"#),
            read_one(r#"{"type":"data-from-2031","depth":4}"#),
        ];
        Gate::new(log).append(events.clone());
        let kept = read_all(log, Scope::Everything);
        assert!(kept.iter().all(|event| event.kind == Kind::Unknown));
        assert_eq!(kept.iter().map(|event| event.to_stream().expect("event")).collect::<Vec<_>>(), events);
    });
}

#[test]
fn executions_are_listed_the_newest_first_with_how_far_they_are() {
    of_each_log(|log| {
        let (old, new) = (ExecutionId::new(), ExecutionId::new());
        let mut gate = Gate::new(log);
        gate.append([
            event(&new, ExecutionStart::new().name("new").session_id("s").tenant_id("t").user_id("u")).at(at(10))
        ]);
        gate.append([event(&old, ExecutionStart::new().name("old")).at(at(5))]);
        gate.append([event(&old, ExecutionPaused::new("a person")).at(at(20))]);
        gate.append([step(&new, "only"), event(&new, ExecutionEnd::new(40)).at(at(50))]);
        let rows = log.executions(10).wait(LIMIT).expect("rows");
        assert_eq!(
            rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>(),
            [Some("new".into()), Some("old".into())]
        );
        let row = &rows[0];
        assert_eq!((row.status, row.events, row.cursor.offset), (Status::Completed, 3, 5));
        assert_eq!((row.started_at, row.ended_at), (at(10), Some(at(50))));
        assert_eq!(
            [&row.session_id, &row.tenant_id, &row.user_id],
            [&Some("s".into()), &Some("t".into()), &Some("u".into())]
        );
        assert_eq!((rows[1].status, rows[1].ended_at), (Status::Paused, None));
        assert_eq!(log.execution(new).wait(LIMIT).expect("row").as_ref(), Some(row));
        assert_eq!(log.executions(1).wait(LIMIT).expect("rows").len(), 1);
        assert_eq!(log.execution(ExecutionId::new()).wait(LIMIT).expect("none"), None);
    });
}

#[test]
fn a_closed_log_says_so() {
    of_each_log(|log| {
        let mut gate = Gate::new(log);
        gate.append(steps(&ExecutionId::new(), 0..3));
        log.close().wait(LIMIT).expect("close");
        let id = ExecutionId::new();
        let batch = Arc::new(Batch::new(gate.next, vec![Recorded::new(step(&id, "late"), 1, 0, true)]));
        assert!(log.append(batch).wait(LIMIT).expect_err("closed").is_closed());
        assert!(log.flush().wait(LIMIT).expect_err("closed").is_closed());
        assert!(log.read(Query::new(Scope::Everything, 0, 1)).wait(LIMIT).expect_err("closed").is_closed());
        assert!(log.executions(1).wait(LIMIT).expect_err("closed").is_closed());
        assert!(log.close().wait(LIMIT).expect_err("closed").is_closed());
    });
}

#[test]
fn readers_see_a_whole_prefix_while_it_is_written() {
    of_each_log(|log| {
        let ids: Vec<_> = (0..5).map(|_| ExecutionId::new()).collect();
        thread::scope(|scope| {
            for (reader, id) in ids.iter().enumerate() {
                let place = if reader == 0 { Scope::Everything } else { Scope::Execution(id.clone()) };
                let wanted = if reader == 0 { 4000 } else { 800 };
                scope.spawn(move || follow(log, place, wanted));
            }
            let mut gate = Gate::new(log);
            for round in 0..200 {
                let batch = gate.batch(ids.iter().flat_map(|id| steps(id, round * 4..round * 4 + 4)));
                drop(log.append(batch));
            }
            log.flush().wait(LIMIT).expect("flush");
        });
    });
}

/// Reads on until it has `wanted` events; each execution's are whole and in order at any time.
fn follow(log: &dyn EventLog, scope: Scope, wanted: usize) {
    let mut sequences = std::collections::HashMap::new();
    let (mut query, mut seen) = (Query::new(scope, 0, 64), 0);
    while seen < wanted {
        let page = read(log, query.clone());
        for event in &page.events {
            let last: &mut u64 = sequences.entry(event.context.execution_id.clone()).or_default();
            assert_eq!(event.sequence, *last + 1);
            *last = event.sequence;
            assert!(event.cursor.offset > query.after && event.cursor.offset <= page.read_to);
        }
        seen += page.events.len();
        query.after = page.read_to;
    }
}

// -- the file ---------------------------------------------------------------------------------------------------------

/// What a crash would leave behind: the files as they are, under another name.
fn crash_image(log: &SqliteLog, scratch: &Scratch, name: &str) -> std::path::PathBuf {
    let copy = scratch.file(name);
    for suffix in ["", "-wal"] {
        let with = |path: &Path| format!("{}{suffix}", path.display());
        std::fs::copy(with(log.path()), with(&copy)).expect("copy");
    }
    copy
}

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
        assert!(error.to_string().contains(&format!("already open by process {}", std::process::id())), "{error}");
        assert!(error.to_string().contains("log.db"), "{error}");
    }
    let log = reopen(log);
    drop(log);
    SqliteLog::open(scratch.file("link.db")).expect("free again");
}

/// Opening must fail so, and leave the file as it is.
fn refused(path: &Path) -> spanwright::Error {
    let before = std::fs::read(path).expect("file");
    let error = SqliteLog::open(path).expect_err("refused");
    assert_eq!(std::fs::read(path).expect("file"), before, "{error}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    error
}

#[test]
fn what_is_not_ours_is_refused_and_left_as_it_is() {
    let scratch = Scratch::new();
    let text = scratch.file("notes.txt");
    std::fs::write(&text, "remember the milk\n".repeat(100)).expect("write");
    assert!(refused(&text).is_corrupt());

    let other = scratch.file("other.db");
    Connection::open(&other).expect("open").execute_batch("CREATE TABLE milk (litres)").expect("table");
    assert!(refused(&other).is_config());

    let newer = scratch.file("newer.db");
    drop(SqliteLog::open(&newer).expect("open"));
    Connection::open(&newer).expect("open").pragma_update(None, "user_version", 2).expect("version");
    let error = refused(&newer);
    assert!(error.is_config() && error.to_string().contains("newer version"), "{error}");
}

#[test]
fn a_path_that_cannot_be_is_refused() {
    let scratch = Scratch::new();
    assert!(SqliteLog::open("").expect_err("empty").is_config());
    assert!(SqliteLog::open(scratch.file("no/such/place.db")).expect_err("no place").is_io());
    assert!(SqliteLog::open(scratch.file("")).expect_err("a folder").is_io());
}

#[test]
fn an_empty_file_becomes_a_log() {
    let scratch = Scratch::new();
    std::fs::write(scratch.file("log.db"), "").expect("write");
    SqliteLog::open(scratch.file("log.db")).expect("open");
}

fn filled(scratch: &Scratch, events: u32) -> std::path::PathBuf {
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    let id = ExecutionId::new();
    let mut gate = Gate::new(&log);
    gate.append([event(&id, ExecutionStart::new().session_id("s"))]);
    gate.append(steps(&id, 1..events));
    log.path().to_path_buf()
}

#[test]
fn a_file_that_is_cut_short_is_refused_and_left_as_it_is() {
    let scratch = Scratch::new();
    let path = filled(&scratch, 1000);
    let whole = std::fs::read(&path).expect("file");
    for kept in [1, 15, 16, 99, 512, 4095, 4096, 8192, whole.len() / 2, whole.len() - 4096] {
        std::fs::write(&path, &whole[..kept]).expect("cut");
        assert!(refused(&path).is_corrupt(), "cut to {kept}");
    }
}

#[test]
fn a_damaged_row_is_left_out_and_counted() {
    let scratch = Scratch::new();
    let path = filled(&scratch, 10);
    let outside = Connection::open(&path).expect("open");
    for (column, value) in
        [("fields", "x'ff00'"), ("time_ns", "'soon'"), ("step_id", "''"), ("kind", "99"), ("execution", "99")]
    {
        outside
            .execute("UPDATE events SET fields = '{}', time_ns = 0, step_id = NULL, kind = 2, execution = 1", ())
            .expect("heal");
        outside.execute(&format!("UPDATE events SET {column} = {value} WHERE event_offset = 5"), ()).expect("damage");
        let log = SqliteLog::open(&path).expect("one row never keeps a log from opening");
        for _ in 0..2 {
            let page = read(&log, Query::new(Scope::Everything, 0, 100));
            let offsets: Vec<_> = page.events.iter().map(|event| event.cursor.offset).collect();
            assert_eq!(offsets, [1, 2, 3, 4, 6, 7, 8, 9, 10], "{column}");
            assert!(page.complete);
        }
        assert_eq!(log.unreadable_rows(), 1, "{column}");
    }
}

#[test]
fn damaged_pages_cost_only_what_was_on_them() {
    let scratch = Scratch::new();
    let path = filled(&scratch, 3000);
    let whole = std::fs::read(&path).expect("file");
    let mut lossy = 0;
    for page in (2..whole.len() / 4096).step_by(7) {
        let mut bytes = whole.clone();
        bytes[page * 4096..page * 4096 + 64].fill(0xA5);
        std::fs::write(&path, &bytes).expect("damage");
        let Ok(log) = SqliteLog::open(&path) else { continue };
        let kept = read_all(&log, Scope::Everything);
        assert!(kept.windows(2).all(|pair| pair[0].cursor.offset < pair[1].cursor.offset));
        assert!(kept.len() > 2800, "{} left of 3000 with page {page} gone", kept.len());
        assert_eq!(kept.len() < 3000, log.unreadable_rows() > 0);
        lossy += u32::from(kept.len() < 3000);
    }
    assert!(lossy > 3);
}

#[test]
fn flipped_bits_never_panic_or_hang() {
    let scratch = Scratch::new();
    let path = filled(&scratch, 300);
    let whole = std::fs::read(&path).expect("file");
    let mut random = numbers(7);
    for _ in 0..150 {
        let mut bytes = whole.clone();
        for _ in 0..4 {
            let at = (random() as usize) % bytes.len();
            bytes[at] ^= 1 << (random() % 8);
        }
        std::fs::write(&path, &bytes).expect("damage");
        if let Ok(log) = SqliteLog::open(&path) {
            let _ = log.read(Query::new(Scope::Everything, 0, 1000)).wait(LIMIT).map(|page| {
                page.events.iter().for_each(|event| drop(event.to_stream()));
            });
            let _ = log.read(Query::new(Scope::Session("s".into()), 0, 1000)).wait(LIMIT);
            let _ = log.executions(10).wait(LIMIT);
            let _ = log.unfinished().wait(LIMIT);
            let batch = Arc::new(Batch::new(
                Cursor::new(log.opened_at().epoch, log.opened_at().offset + 1),
                vec![Recorded::new(step(&ExecutionId::new(), "more"), 1, 0, true)],
            ));
            drop(log.append(batch));
            let _ = log.flush().wait(LIMIT);
            // What it could not write it would try to write for a while yet; nothing here depends on it.
            std::mem::forget(log);
            for suffix in ["-wal", "-shm", ".lock"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
            }
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// Numbers that are the same in every run: xorshift.
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

#[test]
fn a_full_disk_is_told_and_heals_by_itself() {
    let scratch = Scratch::new();
    let path = filled(&scratch, 10);
    let outside = Connection::open(&path).expect("open");
    outside.execute_batch("CREATE TABLE ballast AS SELECT zeroblob(1000000) AS weight").expect("ballast");
    let pages: u32 = outside.query_row("PRAGMA page_count", (), |row| row.get(0)).expect("pages");
    let log = SqliteLog::builder(&path).max_pages(pages + 2).open().expect("open");
    let (mut gate, id) = (Gate::new(&log), ExecutionId::new());
    let answers: Vec<_> = (0..20).map(|_| log.append(gate.batch(steps(&id, 0..100)))).collect();
    for _ in 0..3 {
        let error = log.flush().wait(LIMIT).expect_err("full");
        assert!(error.is_io() && error.to_string().contains("full"), "{error}");
    }
    assert_eq!(read_all(&log, Scope::Everything).len(), 10, "reading goes on, and nothing half-written is seen");
    outside.execute_batch("PRAGMA busy_timeout = 5000; DROP TABLE ballast").expect("room");
    for answer in answers {
        answer.wait(Duration::from_secs(2)).expect("written when there was room");
    }
    log.flush().wait(LIMIT).expect("flush");
    let kept = read_all(&log, Scope::Execution(id));
    assert_eq!(kept.iter().map(|event| event.sequence).collect::<Vec<_>>(), (1..=2000).collect::<Vec<_>>());
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
fn a_tenant_that_is_told_late_is_known_to_readers_at_once() {
    of_each_log(|log| {
        let id = ExecutionId::new();
        let mut gate = Gate::new(log);
        gate.append([step(&id, "early")]);
        assert_eq!(read_all(log, Scope::Everything)[0].context.tenant_id, None);
        gate.append([event(&id, ExecutionStart::new().tenant_id("acme")), step(&id, "late")]);
        assert_eq!(read_all(log, Scope::Everything)[2].context.tenant_id, Some("acme".into()));
    });
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
    let rows = log.executions(10_000).wait(LIMIT).expect("rows");
    assert_eq!(rows.len(), 6000);
    assert!(rows.iter().all(|row| row.events == 3));
    assert_eq!(read_all(&log, Scope::Execution(ids[0].clone())).len(), 3);
}
