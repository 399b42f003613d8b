//! Instructions and allocations of an operation: this program under callgrind, with some bursts and with twice as many;
//! the difference is free of start-up. Allocations are the calls of `malloc` and its kin, so nothing has to count.

use crate::case::{BURST, Op};
use std::{path::Path, process::Command};

/// Bursts of the shorter run.
const BURSTS: usize = 6;
/// Bursts that both runs do first: maps and rings grow in them.
const WARM_UP: usize = 9;

/// What one operation took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    /// Instructions of the calling thread.
    pub caller: f64,
    /// Instructions of all other threads.
    pub others: f64,
    /// Allocations by the calling thread.
    pub caller_allocations: f64,
    /// Allocations by all other threads.
    pub other_allocations: f64,
}

/// Measures one operation of one system.
pub fn measure(system: &str, op: Op) -> Spent {
    let (short, long) = (run(system, op, WARM_UP + BURSTS), run(system, op, WARM_UP + 2 * BURSTS));
    let each = |get: fn(&Spent) -> f64| ((get(&long) - get(&short)) / (BURSTS * BURST) as f64).max(0.0);
    Spent {
        caller: each(|spent| spent.caller),
        others: each(|spent| spent.others),
        caller_allocations: each(|spent| spent.caller_allocations),
        other_allocations: each(|spent| spent.other_allocations),
    }
}

fn run(system: &str, op: Op, bursts: usize) -> Spent {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("out");
    let program = std::env::current_exe().expect("this program");
    let options = [
        "--tool=callgrind",
        "--separate-threads=yes",
        "--compress-strings=no",
        "--compress-pos=no",
        "--fair-sched=yes",
    ];
    let output = Command::new("valgrind")
        .args(options)
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(["bursts", system, op.key(), &bursts.to_string()])
        .output()
        .expect("valgrind");
    assert!(output.status.success(), "{system}: {}", String::from_utf8_lossy(&output.stderr));
    read(folder.path())
}

/// A file for each thread; the calling thread is the first.
fn read(folder: &Path) -> Spent {
    let mut spent = Spent::default();
    for file in std::fs::read_dir(folder).expect("folder").flatten() {
        let text = std::fs::read_to_string(file.path()).expect("callgrind's file");
        match file.file_name().to_string_lossy().ends_with("-01") {
            true => (spent.caller, spent.caller_allocations) = (of_bursts(&text), allocations(&text)),
            false => {
                spent.others += total(&text);
                spent.other_allocations += allocations(&text);
            }
        }
    }
    spent
}

/// Of the calling thread only what its bursts took, callees included: fastrace's clock calibrates itself in a loop
/// before `main`, as long as it takes.
fn of_bursts(text: &str) -> f64 {
    let lines: Vec<&str> = text.lines().collect();
    let calls = lines.windows(3).filter_map(|three| {
        let called = three[0].strip_prefix("cfn=")?;
        let cost = three[1].starts_with("calls=").then(|| three[2].split(' ').nth(1)?.parse::<f64>().ok()).flatten();
        called.contains("Case>::burst").then_some(cost).flatten()
    });
    calls.sum()
}

fn total(text: &str) -> f64 {
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
    totals.and_then(|number| number.trim().parse().ok()).unwrap_or(0.0)
}

/// How often the allocator was called.
fn allocations(text: &str) -> f64 {
    const ALLOCATORS: [&str; 5] = ["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"];
    let lines: Vec<&str> = text.lines().collect();
    let calls = lines.windows(2).filter_map(|pair| {
        let called = pair[0].strip_prefix("cfn=")?;
        let times = pair[1].strip_prefix("calls=")?.split(' ').next()?;
        ALLOCATORS.contains(&called).then(|| times.parse::<f64>().ok()).flatten()
    });
    calls.sum()
}
