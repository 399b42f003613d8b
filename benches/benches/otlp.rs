//! Spans on their way out over OTLP: the encoder, from the log to requests, and sent; beside OpenTelemetry's own.
//!
//! `cargo bench --features otlp --bench otlp`; `-- quick` takes one round, `-- instructions` those of the encoders alone.

use spanwright_benches::{
    callgrind,
    case::{Op, System},
    child::{self, Cost},
    otlp::{self, ENCODE, READ, SEND},
    table::{self, median, number, ratio},
};

const OPS: [Op; 2] = [Op::Exported, Op::ExportedContent];

fn main() {
    if otlp::is_sink() || child::is_child() {
        return;
    }
    let asked = |word: &str| std::env::args().any(|given| given == word);
    if asked("instructions") {
        return instructions();
    }
    let rounds = if asked("quick") { 1 } else { 3 };
    println!("CPU ns of the process per span / thousand spans/s / ratio of CPU to the named system.");
    tell("Encode", ENCODE, |_| "otel-transform", rounds);
    tell("From where spans are kept to requests", READ, |_| "otel-batch-encode", rounds);
    let over = |system: &System| if system.key.ends_with("grpc") { "otel-grpc" } else { "otel-http" };
    tell("Sent", SEND, over, rounds);
}

fn tell(title: &str, systems: &[System], base: impl Fn(&System) -> &'static str, rounds: usize) {
    let mut costs = vec![OPS.map(|_| Vec::new()); systems.len()];
    for round in 0..rounds {
        eprintln!("{title}: round {round}");
        for (system, costs) in systems.iter().zip(&mut costs) {
            costs.iter_mut().zip(OPS).for_each(|(costs, op)| costs.push(child::measure(system.key, op, 1)));
        }
    }
    let middle = |at: usize, op: usize, get: fn(&Cost) -> f64| median(costs[at][op].iter().map(get).collect());
    let cell = |at: usize, op: usize| {
        let base = systems.iter().position(|one| one.key == base(&systems[at])).expect("a system");
        let [own, other] = [at, base].map(|at| middle(at, op, |cost| cost.process));
        let rate = middle(at, op, |cost| 1e6 / cost.wall);
        format!("**{}** / {} k / {}", number(own), number(rate), ratio(own, other))
    };
    let row = |(at, system): (usize, &System)| {
        std::iter::once(system.title.to_owned()).chain((0..OPS.len()).map(|op| cell(at, op))).collect()
    };
    let rows: Vec<Vec<String>> = systems.iter().enumerate().map(row).collect();
    table::print(title, &head(), &rows);
}

fn instructions() {
    let cell = |system: &System, op: Op| {
        let spent = callgrind::measure(system.key, op);
        format!("**{}** / {}", number(spent.caller), number(spent.caller_allocations))
    };
    let row = |system: &System| {
        eprintln!("callgrind: {}", system.key);
        std::iter::once(system.title.to_owned()).chain(OPS.map(|op| cell(system, op))).collect()
    };
    let rows: Vec<Vec<String>> = ENCODE.iter().map(row).collect();
    println!("Ir per span / allocations, those of `prepare` among them.");
    table::print("Encode", &head(), &rows);
}

fn head() -> Vec<&'static str> {
    std::iter::once("system").chain(OPS.iter().map(|op| op.key())).collect()
}
