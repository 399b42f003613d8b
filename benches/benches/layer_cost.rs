//! CPU time of each operation through `tracing`: our layer beside a bare registry, fmt and tracing-opentelemetry. Where
//! our layer is plugged in: `ours` in `src/layer.rs`.
//!
//! `cargo bench --bench layer_cost`

use spanwright_benches::{
    case::Op,
    child::{self, Cost},
    systems::LAYERS,
    table::{self, median, number, ratio},
};

const ROUNDS: usize = 3;
const OPS: [Op; 3] = [Op::Span, Op::Event, Op::Delta];

fn main() {
    if child::is_child() {
        return;
    }
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        eprintln!("round {round}");
        rounds.push(LAYERS.iter().map(|one| OPS.map(|op| child::measure(one.key, op, 1))).collect::<Vec<_>>());
    }
    println!("ns of the calling thread / ns of the whole process / ratio of thread ns to registry + empty layer, ");
    println!("to tracing-opentelemetry with the batch processor.");
    let of = |system: usize, op: usize, get: fn(&Cost) -> f64| {
        median(rounds.iter().map(|round| get(&round[system][op])).collect())
    };
    let thread = |key: &str, op: usize| {
        of(LAYERS.iter().position(|one| one.key == key).expect("a system"), op, |cost| cost.thread)
    };
    let cell = |system: usize, op: usize| {
        let (own, process) = (of(system, op, |cost| cost.thread), of(system, op, |cost| cost.process));
        let (empty, otel) = (ratio(own, thread("empty", op)), ratio(own, thread("otel-batch", op)));
        format!("**{}** / {} / {empty}, {otel}", number(own), number(process))
    };
    let row = |(at, system): (usize, &spanwright_benches::case::System)| {
        std::iter::once(system.title.to_owned()).chain((0..OPS.len()).map(|op| cell(at, op))).collect()
    };
    let rows: Vec<Vec<String>> = LAYERS.iter().enumerate().map(row).collect();
    table::print("Through tracing, one thread", &["system", "span", "event", "delta"], &rows);
}
