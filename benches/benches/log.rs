//! The log against bare SQLite with the same rows, indexes and groups: append, replay, the answer to one durable event.
//!
//! `cargo bench --features sqlite-log --bench log`

use rusqlite::{Connection, params};
use spanwright::{
    Cursor, EventLog, ExecutionId, StepId, StreamEvent, Timestamp,
    event::{Batch, LlmCallEnd, Recorded},
    log::{Query, Scope, SqliteLog},
};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

const EVENTS: u64 = 1_000_000;
const BATCH: u64 = 512;
const PAGE: usize = 4096;
const GROUP: u64 = 8192;
const EXECUTIONS: u64 = 100;
const LIMIT: Duration = Duration::from_secs(60);

fn event(ids: &[ExecutionId], number: u64) -> Recorded {
    let body = LlmCallEnd::new(812)
        .prompt_tokens(1200 + number)
        .completion_tokens(345)
        .total_tokens(1545 + number)
        .model("gpt-4o-mini-2024-07-18")
        .provider("openai")
        .response_id("chatcmpl-ABCDEFGHIJKLMNOPQRSTUVWXYZ012")
        .time_to_first_chunk_ms(212);
    let event = StreamEvent::new(body)
        .of_execution(ids[(number % EXECUTIONS) as usize].clone())
        .of_step(StepId::from_span_id(number))
        .at(Timestamp::from_unix_nanos(1_763_692_800_000_000_000 + number as i64 * 1_000));
    Recorded::new(event, number / EXECUTIONS + 1, 0, true)
}

fn batches(ids: &[ExecutionId], epoch: u64) -> Vec<Arc<Batch>> {
    let batch = |first: u64| {
        let events = (first..(first + BATCH).min(EVENTS)).map(|number| event(ids, number)).collect();
        Arc::new(Batch::new(Cursor::new(epoch, first + 1), events))
    };
    (0..EVENTS.div_ceil(BATCH)).map(|index| batch(index * BATCH)).collect()
}

/// CPU time of a thread of this process, by its name; the disk and other programs do not count.
fn cpu(thread: &str) -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("tasks").map(|task| task.expect("task").path());
    let named = |task: &PathBuf| std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim_end() == thread);
    tasks.filter(named).map(|task| cpu_of(&task)).sum()
}

fn cpu_here() -> Duration {
    cpu_of(Path::new("/proc/thread-self"))
}

/// proc_pid_stat(5): utime and stime are fields 14 and 15, in ticks of 10 ms; the name before them may hold spaces.
fn cpu_of(task: &Path) -> Duration {
    let stat = std::fs::read_to_string(task.join("stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split(' ').skip(12).take(2);
    Duration::from_millis(fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10)
}

/// As the recorder appends: with a bound on what is not kept yet.
fn append_all(log: &SqliteLog, batches: &[Arc<Batch>]) -> Duration {
    let start = Instant::now();
    let mut waiting = VecDeque::new();
    for batch in batches {
        waiting.push_back(log.append(batch.clone()));
        if waiting.len() > 64 {
            waiting.pop_front().expect("answer").wait(LIMIT).expect("append");
        }
    }
    log.flush().wait(LIMIT).expect("flush");
    start.elapsed()
}

/// The same rows by plain SQL: prepared statements, JSON made beforehand.
fn append_bare(from: &Path, to: &Path) -> (Duration, Duration) {
    let source = Connection::open(from).expect("open");
    let mut db = Connection::open(to).expect("open");
    db.execute_batch("PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384;")
        .expect("pragmas");
    let mut tables = source.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").expect("tables");
    for sql in tables.query_map((), |row| row.get::<_, String>(0)).expect("tables") {
        db.execute_batch(&sql.expect("sql")).expect("table");
    }
    db.execute("INSERT INTO kinds VALUES (1, 'data-llm-call-end')", ()).expect("kind");
    let rows: Vec<Row> = select_bare(&source).1;
    let (start, before) = (Instant::now(), cpu_here());
    let mut first = true;
    for group in rows.chunks(GROUP as usize) {
        let transaction = db.transaction().expect("begin");
        insert_bare(&transaction, group, first);
        transaction.commit().expect("commit");
        first = false;
    }
    (start.elapsed(), cpu_here() - before)
}

fn insert_bare(db: &Connection, group: &[Row], first: bool) {
    let mut insert = db.prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)").expect("sql");
    for (offset, [execution, sequence, pieces, kind], shown, step, time, fields) in group {
        insert.execute(params![offset, execution, sequence, pieces, kind, shown, step, time, fields]).expect("insert");
    }
    let sql = match first {
        true => {
            "INSERT INTO executions VALUES (?1, 'exec_0000000000000000000000000000' || ?1, NULL, NULL, NULL, NULL, 'running', 0, NULL, ?2, 0, ?3)"
        }
        false => "UPDATE executions SET events = ?2, pieces = 0, last_offset = ?3 WHERE id = ?1",
    };
    let mut update = db.prepare_cached(sql).expect("sql");
    for (offset, [execution, sequence, ..], ..) in &group[group.len() - EXECUTIONS as usize..] {
        update.execute(params![execution, sequence, offset]).expect("update");
    }
}

type Row = (i64, [i64; 4], bool, Option<String>, i64, String);

fn select_bare(db: &Connection) -> (Duration, Vec<Row>) {
    let start = Instant::now();
    let mut select = db
        .prepare("SELECT event_offset, execution, sequence, pieces, kind, shown, step_id, time_ns, fields FROM events ORDER BY event_offset")
        .expect("sql");
    let rows = select.query_map((), |row| {
        let numbers = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
        Ok((row.get(0)?, numbers, row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?))
    });
    let rows = rows.expect("rows").map(|row| row.expect("row")).collect();
    (start.elapsed(), rows)
}

/// As a reader that is behind: page by page, the next one asked for before this one is looked at.
fn replay(log: &SqliteLog, scope: Scope) -> (Duration, u64) {
    let start = Instant::now();
    let (mut next, mut seen) = (log.read(Query::new(scope.clone(), 0, PAGE)), 0);
    loop {
        let page = next.wait(LIMIT).expect("page");
        next = log.read(Query::new(scope.clone(), page.read_to, PAGE));
        seen += page.events.len() as u64;
        if page.complete {
            return (start.elapsed(), seen);
        }
    }
}

/// The bare counterpart: the same rows as owned values, each let go of.
fn replay_bare(db: &Connection) -> Duration {
    let start = Instant::now();
    let mut select = db
        .prepare("SELECT event_offset, execution, sequence, pieces, kind, shown, step_id, time_ns, fields FROM events ORDER BY event_offset")
        .expect("sql");
    let mut rows = select.query(()).expect("rows");
    let mut bytes = 0;
    while let Some(row) = rows.next().expect("row") {
        let numbers: [i64; 6] = [0, 1, 2, 3, 4, 7].map(|column| row.get(column).expect("number"));
        let texts: [String; 2] = [6, 8].map(|column| row.get(column).expect("text"));
        bytes += numbers.len() + texts[0].len() + texts[1].len();
    }
    assert!(bytes > 0);
    start.elapsed()
}

fn per_second(events: u64, took: Duration) -> f64 {
    events as f64 / took.as_secs_f64()
}

fn main() {
    append_and_replay();
    one_durable_event();
}

fn append_and_replay() {
    let scratch = tempfile::tempdir().expect("folder");
    let ids: Vec<_> = (0..EXECUTIONS).map(|_| ExecutionId::new()).collect();
    for round in 0..3 {
        let path = scratch.path().join(format!("{round}.db"));
        let log = SqliteLog::open(&path).expect("open");
        let batches = batches(&ids, log.opened_at().epoch);
        let ours = per_second(EVENTS, append_all(&log, &batches));
        let cpu_ours = cpu("span-log-write");
        drop(batches);
        let read_before = cpu("span-log-read");
        let (took, seen) = replay(&log, Scope::Everything);
        let cpu_read = cpu("span-log-read") - read_before;
        assert_eq!(seen, EVENTS);
        let replay_ours = per_second(EVENTS, took);
        let (took, seen) = replay(&log, Scope::Execution(ids[0].clone()));
        let of_one = per_second(seen, took);
        let before = cpu_here();
        let replay_bare = per_second(EVENTS, replay_bare(&Connection::open(&path).expect("open")));
        let cpu_read_bare = cpu_here() - before;
        log.close().wait(LIMIT).expect("close");
        let (took, cpu_bare) = append_bare(&path, &scratch.path().join(format!("{round}-bare.db")));
        let bare = per_second(EVENTS, took);
        let size = std::fs::metadata(&path).expect("file").len() / EVENTS;
        let ratio = |ours: Duration, bare: Duration| bare.as_secs_f64() / ours.as_secs_f64();
        println!("append {ours:.0}/s, bare {bare:.0}/s: {:.2}; by CPU {:.2}", ours / bare, ratio(cpu_ours, cpu_bare));
        println!(
            "replay {replay_ours:.0}/s, bare {replay_bare:.0}/s: {:.2}; by CPU {:.2}",
            replay_ours / replay_bare,
            ratio(cpu_read, cpu_read_bare)
        );
        println!("replay of one execution in {EXECUTIONS}: {of_one:.0}/s; {size} B/event on disk");
    }
}

fn one_durable_event() {
    let scratch = tempfile::tempdir().expect("folder");
    let ids: Vec<_> = (0..EXECUTIONS).map(|_| ExecutionId::new()).collect();
    let log = SqliteLog::open(scratch.path().join("log.db")).expect("open");
    let mut took: Vec<Duration> = (0..2000)
        .map(|number| {
            let batch = Batch::new(Cursor::new(log.opened_at().epoch, number + 1), vec![event(&ids, number)]);
            let start = Instant::now();
            drop(log.append(Arc::new(batch)));
            log.flush().wait(LIMIT).expect("flush");
            start.elapsed()
        })
        .collect();
    took.sort();
    println!("append + flush of one event: p50 {:?}, p99 {:?}", took[took.len() / 2], took[took.len() * 99 / 100]);
}
