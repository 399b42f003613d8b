//! One system and one operation in a process of its own: this program, started again.

use crate::{
    case::{BURST, Case, Op},
    clock, systems,
    table::median,
};
use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Bursts that are measured, after some that are not.
const BURSTS: usize = 60;
const WARM_UP: usize = 8;
/// Bursts in which all threads must have been at work, for a figure to be given.
const MIN_MET: usize = 8;

/// What one operation cost, in ns of CPU time.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Of the calling thread. Not a number where threads were to work at the same time and hardly did.
    pub thread: f64,
    /// Of the whole process; with more than one thread their waiting for each other is in it.
    pub process: f64,
    /// From the beginning of a burst until nothing of it was left to do, by the clock on the wall.
    pub wall: f64,
}

/// One burst of one thread.
#[derive(Debug, Clone, Copy)]
struct Sample {
    start: Instant,
    end: Instant,
    cost: Cost,
}

/// Measures in a new process. None where the system does not know the operation.
pub fn measure(system: &str, op: Op, threads: usize) -> Cost {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).args(["child", system, op.key(), &threads.to_string()]).output().expect("child");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().filter_map(|word| word.parse().ok());
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(thread), Some(process), Some(wall)) => Cost { thread, process, wall },
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
            println!("{} {} {}", cost.thread, cost.process, cost.wall);
        }
        _ => bursts(&mut *cases(), count),
    }
    true
}

/// For callgrind: nothing but bursts.
fn bursts(case: &mut dyn Case, count: usize) {
    for _ in 0..count {
        case.prepare();
        case.burst(BURST);
        case.drain();
    }
}

fn in_threads(cases: Vec<Box<dyn Case>>) -> Cost {
    let threads = cases.len();
    let line = Arc::new(Line::new(threads));
    let start = |case: Box<dyn Case>| {
        let line = line.clone();
        thread::spawn(move || measured(case, &line))
    };
    let workers: Vec<_> = cases.into_iter().map(start).collect();
    let samples: Vec<Vec<Sample>> = workers.into_iter().map(|worker| worker.join().expect("worker")).collect();
    let bursts = (0..samples[0].len()).map(|burst| samples.iter().map(|of| of[burst]).collect::<Vec<_>>());
    let kept: Vec<Sample> = bursts.filter(|burst| met(burst)).flatten().collect();
    let enough = kept.len() >= MIN_MET * threads;
    let middle = |get: fn(&Sample) -> f64| if enough { median(kept.iter().map(get).collect()) } else { f64::NAN };
    let process = middle(|sample| sample.cost.process) / threads as f64;
    let wall = middle(|sample| sample.cost.wall);
    Cost { thread: middle(|sample| sample.cost.thread), process, wall }
}

/// Whether the threads were at work at the same time for most of the burst. On a busy machine they often were not:
/// such bursts say nothing about what one thread does to the other.
fn met(burst: &[Sample]) -> bool {
    let start = burst.iter().map(|sample| sample.start).max();
    let end = burst.iter().map(|sample| sample.end).min();
    let together = end.zip(start).map_or(Duration::ZERO, |(end, start)| end.saturating_duration_since(start));
    burst.iter().all(|sample| together.as_secs_f64() >= 0.7 * sample.end.duration_since(sample.start).as_secs_f64())
}

/// Where threads wait for each other without going to sleep: a thread that has to be woken begins when the other has
/// done its burst already, and the two never meet.
struct Line {
    threads: usize,
    arrived: AtomicUsize,
}

impl Line {
    fn new(threads: usize) -> Self {
        Self { threads, arrived: AtomicUsize::new(0) }
    }

    fn meet(&self) {
        let place = self.arrived.fetch_add(1, Ordering::AcqRel);
        let full = (place / self.threads + 1) * self.threads;
        while self.arrived.load(Ordering::Acquire) < full {
            std::hint::spin_loop();
        }
    }
}

fn measured(mut case: Box<dyn Case>, line: &Line) -> Vec<Sample> {
    let mut burst = || {
        case.prepare();
        line.meet();
        let (start, thread, process) = (Instant::now(), clock::thread_ns(), clock::process_ns());
        case.burst(BURST);
        let (thread, end) = (clock::thread_ns() - thread, Instant::now());
        line.meet();
        case.drain();
        line.meet();
        let each = |nanos: u64| nanos as f64 / BURST as f64;
        let (process, wall) = (clock::process_ns() - process, start.elapsed().as_nanos() as u64);
        Sample { start, end, cost: Cost { thread: each(thread), process: each(process), wall: each(wall) } }
    };
    for _ in 0..WARM_UP {
        burst();
    }
    (0..if line.threads == 1 { BURSTS } else { 4 * BURSTS }).map(|_| burst()).collect()
}
