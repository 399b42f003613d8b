//! Readers over sockets: our server beside two plain ones of axum, saturated and at the pace of a live run.
//!
//! `cargo bench --bench serving`; `cargo bench --bench serving -- quick` takes one round of each.

use spanwright_benches::{
    serving::{self, System},
    table::{self, median, number, ratio},
    watching::{self, Pace, Run},
};
use std::time::Duration;

const SYSTEMS: [System; 3] = [System::AxumJson, System::AxumOnce, System::Ours];
/// Events of one run of a live pace are this much apart at 50/s: five go out at a time.
const COALESCED: System = System::OursCoalesced(100);

fn main() {
    watching::raise_limit();
    if serving::is_server() {
        return;
    }
    let rounds = if std::env::args().any(|word| word == "quick") { 1 } else { 3 };
    println!("Deliveries/s (ratio to the first row) / CPU ns of the server's process per delivery (ratio).");
    let fast = Pace::Fast(Duration::from_secs(2));
    print("Saturated", &SYSTEMS, &[("100 readers", 100, fast), ("1000 readers", 1_000, fast)], rounds, saturated);
    println!("\nCPU us of the server's process per delivery (ratio) / ms from emit to the client, p50 / p99.");
    let paces = [
        ("100 readers x 200/s", 100, Pace::Paced { rate: 200, count: 600 }),
        ("1000 readers x 50/s", 1_000, Pace::Paced { rate: 50, count: 150 }),
    ];
    let systems = [&SYSTEMS[..], &[COALESCED]].concat();
    print("One event at a time", &systems, &paces, rounds, live);
}

/// A column: its title, how many readers, and how events come.
type Column = (&'static str, usize, Pace);

fn print(title: &str, systems: &[System], columns: &[Column], rounds: usize, cell: fn(&[Run], &[Run]) -> String) {
    let mut rows: Vec<Vec<String>> = systems.iter().map(|system| vec![system.title()]).collect();
    for (name, readers, pace) in columns {
        let mut runs = vec![Vec::new(); systems.len()];
        for _ in 0..rounds {
            for (runs, system) in runs.iter_mut().zip(systems) {
                runs.push(watching::run(*system, *readers, *pace));
            }
        }
        rows.iter_mut().zip(&runs).for_each(|(row, of)| row.push(cell(of, &runs[0])));
        eprintln!("{name}");
    }
    let head: Vec<&str> = [""].into_iter().chain(columns.iter().map(|(name, ..)| *name)).collect();
    table::print(title, &head, &rows);
}

fn middle(runs: &[Run], get: impl Fn(&Run) -> f64) -> f64 {
    median(runs.iter().map(get).collect())
}

fn saturated(runs: &[Run], base: &[Run]) -> String {
    let (rate, base_rate) = (middle(runs, |run| run.per_second), middle(base, |run| run.per_second));
    let (cpu, base_cpu) = (middle(runs, |run| run.delivery), middle(base, |run| run.delivery));
    let (faster, cheaper) = (ratio(rate, base_rate), ratio(cpu, base_cpu));
    format!("**{} k** ({faster}) / **{}** ({cheaper})", number(rate / 1e3), number(cpu))
}

fn live(runs: &[Run], base: &[Run]) -> String {
    let (cpu, base_cpu) = (middle(runs, |run| run.delivery), middle(base, |run| run.delivery));
    let late = |share: f64| number(middle(runs, |run| percentile(&run.late, share) / 1e6));
    format!("**{}** ({}) / {} / {}", number(cpu / 1e3), ratio(cpu, base_cpu), late(0.5), late(0.99))
}

fn percentile(sorted: &[u64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).map_or(f64::NAN, |value| *value as f64)
}
