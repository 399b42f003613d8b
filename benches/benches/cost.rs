//! CPU time of each operation, handed over directly, beside fastrace and the naive design.
//!
//! `cargo bench --bench cost`

use spanwright_benches::{
    case::{Op, System},
    child::{self, Cost},
    systems,
    table::{self, median, number, ratio},
};

const ROUNDS: usize = 3;
const OPS: [Op; 4] = [Op::Span, Op::Step, Op::Event, Op::Delta];

fn main() {
    if child::is_child() {
        return;
    }
    println!("ns of the calling thread / ns of the whole process / ratio of thread ns to the naive emit.");
    let one = measured(systems::DIRECT, 1);
    tell("One thread", systems::DIRECT, &one, "naive");
    let two = measured(systems::DIRECT, 2);
    scaling(&one, &two);
    let shared = measured(std::slice::from_ref(&systems::SHARED), 2);
    tell("Two threads, one emitter", std::slice::from_ref(&systems::SHARED), &shared, "");
}

/// Medians over rounds in which all systems take turns.
fn measured(systems: &[System], threads: usize) -> Vec<Vec<Cost>> {
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        eprintln!("{threads} thread(s), round {round}");
        rounds.push(systems.iter().map(|one| OPS.map(|op| child::measure(one.key, op, threads))).collect::<Vec<_>>());
    }
    let cell = |system: usize, op: usize| {
        let of = |get: fn(&Cost) -> f64| median(rounds.iter().map(|round| get(&round[system][op])).collect());
        Cost { thread: of(|cost| cost.thread), process: of(|cost| cost.process) }
    };
    (0..systems.len()).map(|system| (0..OPS.len()).map(|op| cell(system, op)).collect()).collect()
}

fn tell(title: &str, systems: &[System], costs: &[Vec<Cost>], anchor: &str) {
    let anchor = systems.iter().position(|system| system.key == anchor);
    let cell = |cost: &Cost, op: usize| {
        let base = anchor.map_or(0.0, |at| costs[at][op].thread);
        format!("**{}** / {} / {}", number(cost.thread), number(cost.process), ratio(cost.thread, base))
    };
    let row = |(system, costs): (&System, &Vec<Cost>)| {
        let cells = costs.iter().enumerate().map(|(op, cost)| cell(cost, op));
        std::iter::once(system.title.to_owned()).chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = systems.iter().zip(costs).map(row).collect();
    table::print(title, &["system", "span", "step", "event", "delta"], &rows);
}

/// What a second thread does to the first one's cost, where both emit as fast as they can.
fn scaling(one: &[Vec<Cost>], two: &[Vec<Cost>]) {
    let cell = |one: &Cost, two: &Cost| format!("**{}** / {}", number(two.thread), ratio(two.thread, one.thread));
    let row = |((system, one), two): ((&System, &Vec<Cost>), &Vec<Cost>)| {
        let cells = one.iter().zip(two).map(|(one, two)| cell(one, two));
        std::iter::once(system.title.to_owned()).chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = systems::DIRECT.iter().zip(one).zip(two).map(row).collect();
    table::print(
        "Two threads at once: ns of the calling thread / ratio to one thread",
        &["system", "span", "step", "event", "delta"],
        &rows,
    );
}
