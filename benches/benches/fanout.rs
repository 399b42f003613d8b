//! Deliveries to 1 to 1,000 readers in one process, beside tokio's broadcast channel; and what stalled readers cost.
//!
//! `cargo bench --bench fanout`

use spanwright_benches::{
    fanout::{self, Run},
    table::{self, median, number, ratio},
};

const ROUNDS: usize = 3;
const READERS: [u64; 4] = [1, 10, 100, 1_000];
/// A kind of reader, and how it is run.
type Way = (&'static str, fn(u64, u64) -> Run);
const WAYS: [Way; 3] = [
    ("tokio broadcast of ready `Bytes`", fanout::broadcast),
    ("**spanwright** `EventStream`", fanout::events),
    ("**spanwright** `FrameStream`", fanout::frames),
];

fn main() {
    fan_out();
    stalled();
}

/// Enough for a second or so, in whole groups.
fn events(readers: u64) -> u64 {
    (2_560_000 / readers).clamp(12_800, 256_000) / 64 * 64
}

fn fan_out() {
    println!("Million deliveries/s (ratio to broadcast) / CPU ns per delivery, all threads / publisher ns per event: ");
    println!(
        "emitting thread + recorder's thread (numbering, encoding and waking are there; broadcast's frame is ready)."
    );
    let mut rows: Vec<Vec<String>> = WAYS.iter().map(|(title, _)| vec![(*title).to_owned()]).collect();
    for readers in READERS {
        let mut runs = [const { Vec::new() }; WAYS.len()];
        for _ in 0..ROUNDS {
            for (runs, (_, run)) in runs.iter_mut().zip(WAYS) {
                runs.push(run(readers, events(readers)));
            }
        }
        let base = middle(&runs[0], |run| run.per_second);
        rows.iter_mut().zip(&runs).for_each(|(row, runs)| row.push(cell(runs, base)));
        eprintln!("{readers} readers");
    }
    table::print("Fan-out in one process", &["readers", "1", "10", "100", "1000"], &rows);
}

fn middle(runs: &[Run], get: fn(&Run) -> f64) -> f64 {
    median(runs.iter().map(get).collect())
}

fn cell(runs: &[Run], base: f64) -> String {
    let rate = middle(runs, |run| run.per_second);
    let (emitting, recording) = (middle(runs, |run| run.emitting), middle(runs, |run| run.recording));
    let delivery = number(middle(runs, |run| run.delivery));
    let recording = if recording > 0.0 { format!(" + {}", number(recording)) } else { String::new() };
    format!("**{}** ({}) / {delivery} / {}{recording}", number(rate / 1e6), ratio(rate, base), number(emitting))
}

fn stalled() {
    const READERS: u64 = 10;
    const EVENTS: u64 = 256_000;
    let mut runs = [Vec::new(), Vec::new()];
    for _ in 0..2 * ROUNDS {
        for (runs, stalled) in runs.iter_mut().zip([0, 64]) {
            runs.push(fanout::frames_beside(READERS, EVENTS, stalled));
        }
    }
    let publisher = |runs: &[Run]| middle(runs, |run| run.emitting + run.recording);
    let base = publisher(&runs[0]);
    let rows: Vec<Vec<String>> = runs
        .iter()
        .zip(["10 readers", "10 readers and 64 stalled"])
        .map(|(runs, title)| vec![title.into(), number(publisher(runs)), ratio(publisher(runs), base)])
        .collect();
    table::print("Stalled readers", &["", "publisher ns per event", "ratio"], &rows);
}
