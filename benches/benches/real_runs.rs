//! The 100 recorded runs of `../shared/data` through emitter, gate, hub and log, from one thread and from two.
//!
//! `cargo bench --features sqlite-log --bench real_runs`

#[path = "../../tests/it/runs.rs"]
mod runs;

use spanwright::{
    QueueLimits, Recorder, RecorderBuilder, StreamEvent,
    log::{MemoryLog, SqliteLog},
};
use std::{
    thread,
    time::{Duration, Instant},
};

const LIMIT: Duration = Duration::from_secs(120);
/// The runs are few; they are emitted this often.
const TIMES: usize = 10;

fn main() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/airline-runs.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return println!("skipped: ../shared/data is not beside this checkout");
    };
    let runs = runs::read(&text);
    let events = TIMES * runs.iter().map(Vec::len).sum::<usize>();
    println!("{} runs, {events} events in all; emitted and durable, events/s", runs.len() * TIMES);
    println!("| | emitting, 1 thread | until durable | emitting, 2 threads | until durable |\n|---|---|---|---|---|");
    let scratch = tempfile::tempdir().expect("folder");
    let file = std::cell::Cell::new(0);
    let sqlite = || {
        file.set(file.get() + 1);
        SqliteLog::open(scratch.path().join(format!("{}.db", file.get()))).expect("log")
    };
    row("hub only", events, &runs, Recorder::builder);
    row("hub and memory log", events, &runs, || Recorder::builder().log(MemoryLog::new()));
    row("hub and SQLite log", events, &runs, || Recorder::builder().log(sqlite()));
}

fn row(name: &str, events: usize, runs: &[Vec<StreamEvent>], builder: impl Fn() -> RecorderBuilder) {
    let cells = [1, 2].map(|threads| {
        let recorder = builder().queue(QueueLimits::new(4_000_000, 4 << 30)).start().expect("start");
        let (emitting, durable) = replay(&recorder, runs, threads);
        let stats = recorder.stats();
        assert_eq!((stats.shed(), stats.unlogged), (0, 0), "nothing may be lost");
        let rate = |took: Duration| format!("{:.0} k", events as f64 / took.as_secs_f64() / 1e3);
        format!("{} | {}", rate(emitting), rate(durable))
    });
    println!("| {name} | {} |", cells.join(" | "));
}

fn replay(recorder: &Recorder, runs: &[Vec<StreamEvent>], threads: usize) -> (Duration, Duration) {
    let start = Instant::now();
    thread::scope(|scope| {
        for part in runs.chunks(runs.len().div_ceil(threads)) {
            scope.spawn(move || {
                for _ in 0..TIMES {
                    part.iter().for_each(|run| runs::emit(run, &recorder.emitter()));
                }
            });
        }
    });
    let emitting = start.elapsed();
    recorder.flush().wait(LIMIT).expect("flush");
    (emitting, start.elapsed())
}
