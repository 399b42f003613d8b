//! Recordings side by side, and beside threads that nobody listens to: none loses a span, none sees another's.

use spanwright::{agent, span, testing::record, tool};
use std::{
    process::Command,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

const THREADS: usize = 200;

#[tool]
fn double(number: usize) -> usize {
    number * 2
}

#[agent]
fn compute(number: usize) -> usize {
    let doubled = double(number);
    span::step("wait").in_scope(thread::yield_now);
    double(doubled)
}

#[test]
fn two_hundred_runs_at_once_do_not_see_each_other() {
    let (begin, over) = (Barrier::new(THREADS), AtomicBool::new(false));
    thread::scope(|scope| {
        // What runs where nobody listens must not switch anything off.
        let idle = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                compute(0);
                thread::yield_now();
            }
        });
        let runs: Vec<_> = (0..THREADS)
            .map(|number| {
                let begin = &begin;
                scope.spawn(move || {
                    begin.wait();
                    (number, record(|| compute(number)))
                })
            })
            .collect();
        for run in runs {
            let (number, run) = run.join().expect("a run");
            let doubled = number * 2;
            let wanted = format!(
                "✓ run compute  number: {number}\n├─ ✓ tool double  number: {number}\n├─ ✓ step wait\n\
                 └─ ✓ tool double  number: {doubled}\n"
            );
            assert_eq!(run.tree(), wanted);
        }
        over.store(true, Ordering::Relaxed);
        idle.join().expect("the idle thread");
    });
}

#[tool]
fn first_seen_by_nobody() {}

/// Runs an ignored test in a process of its own; what it printed.
pub(crate) fn in_its_own_process(test: &str) -> String {
    let this = std::env::current_exe().expect("this binary");
    let output = Command::new(this).args(["--exact", test, "--ignored", "--nocapture"]).output().expect("a process");
    let told = [output.stdout, output.stderr].map(|told| String::from_utf8_lossy(&told).into_owned()).concat();
    assert!(told.contains("running 1 test"), "{told}");
    told
}

/// In a process of its own, where no other test's subscriber is alive: then `tracing` asks only the thread that comes by
/// a callsite first, and keeps what it says.
#[test]
fn a_span_is_not_lost_because_a_thread_without_a_recording_came_by_first() {
    let told = in_its_own_process("testing_parallel::alone");
    assert!(told.contains("1 passed"), "{told}");
}

#[test]
#[ignore = "run by the test above in a process of its own"]
fn alone() {
    let run = record(|| {
        thread::spawn(first_seen_by_nobody).join().expect("the thread");
        first_seen_by_nobody();
    });
    run.assert_steps("first_seen_by_nobody");
}
