//! One system and one operation in a process of its own: this program, started again.

use crate::{
    case::{BURST, Case, Op},
    clock, systems, table,
};
use std::{
    process::Command,
    sync::{Arc, Barrier},
    thread,
};

/// Bursts that are measured, after some that are not.
const BURSTS: usize = 60;
const WARM_UP: usize = 8;

/// What one operation cost, in ns of CPU time.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub thread: f64,
    pub process: f64,
}

/// Measures in a new process. None where the system does not know the operation.
pub fn measure(system: &str, op: Op, threads: usize) -> Cost {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).args(["child", system, op.key(), &threads.to_string()]).output().expect("child");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().filter_map(|word| word.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(thread), Some(process)) => Cost { thread, process },
        _ => panic!("{system} {}: {text}{}", op.key(), String::from_utf8_lossy(&output.stderr)),
    }
}

/// If this process was started as a child, does its work and returns true.
pub fn is_child() -> bool {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [what @ ("child" | "bursts"), system, op, count, ..] = words[..] else { return false };
    let system = systems::find(system).expect("a system");
    let cases = (system.start)(Op::of_key(op).expect("an operation"));
    let count: usize = count.parse().expect("a number");
    match what {
        "child" => {
            let cost = in_threads((0..count).map(|_| cases()).collect());
            println!("{} {}", cost.thread, cost.process);
        }
        _ => bursts(&mut *cases(), count),
    }
    true
}

/// For callgrind: nothing but bursts.
fn bursts(case: &mut dyn Case, count: usize) {
    for _ in 0..count {
        case.burst(BURST);
        case.drain();
    }
}

fn in_threads(cases: Vec<Box<dyn Case>>) -> Cost {
    let threads = cases.len();
    let line = Arc::new(Barrier::new(threads));
    let workers: Vec<_> = cases
        .into_iter()
        .map(|case| {
            let line = line.clone();
            thread::spawn(move || measured(case, &line))
        })
        .collect();
    let costs: Vec<Cost> = workers.into_iter().map(|worker| worker.join().expect("worker")).collect();
    let mean = |get: fn(&Cost) -> f64| costs.iter().map(get).sum::<f64>() / threads as f64;
    // The process's time is that of all threads, so each thread's operations had their part of it.
    Cost { thread: mean(|cost| cost.thread), process: mean(|cost| cost.process) / threads as f64 }
}

fn measured(mut case: Box<dyn Case>, line: &Barrier) -> Cost {
    let mut burst = || {
        line.wait();
        let (thread, process) = (clock::thread_ns(), clock::process_ns());
        case.burst(BURST);
        let thread = clock::thread_ns() - thread;
        line.wait();
        case.drain();
        line.wait();
        (thread as f64 / BURST as f64, (clock::process_ns() - process) as f64 / BURST as f64)
    };
    for _ in 0..WARM_UP {
        burst();
    }
    let (thread, process) = (0..BURSTS).map(|_| burst()).unzip();
    Cost { thread: table::median(thread), process: table::median(process) }
}
