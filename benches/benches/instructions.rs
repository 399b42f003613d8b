//! Instructions and allocations of each operation, under callgrind: the figures to gate on.
//!
//! `cargo bench --bench instructions -- [names of systems]`

use spanwright_benches::{
    callgrind::{self, Spent},
    case::{Op, System},
    child, systems,
    table::{self, number},
};

fn main() {
    if child::is_child() {
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    println!("Ir per operation: calling thread (+ other threads) / allocations of the calling thread (+ of others).");
    tell("Direct", &[Op::Span, Op::Step, Op::Event, Op::Delta], systems::DIRECT, &wanted);
    tell("Through tracing", &[Op::Span, Op::Event, Op::Delta], systems::LAYERS, &wanted);
    tell("A frame", &[Op::Delta, Op::Span, Op::Event, Op::LongText], systems::FRAMES, &wanted);
}

fn tell(title: &str, ops: &[Op], systems: &[System], wanted: &[String]) {
    let systems = systems.iter().filter(|system| wanted.is_empty() || wanted.iter().any(|key| key == system.key));
    let rows: Vec<Vec<String>> = systems
        .map(|system| {
            eprintln!("callgrind: {}", system.key);
            let cells = ops.iter().map(|&op| cell(callgrind::measure(system.key, op)));
            std::iter::once(system.title.to_owned()).chain(cells).collect()
        })
        .collect();
    if !rows.is_empty() {
        let head: Vec<&str> = std::iter::once("system").chain(ops.iter().map(|op| op.key())).collect();
        table::print(title, &head, &rows);
    }
}

fn cell(spent: Spent) -> String {
    let plus = |value: f64| if number(value) == "0" { String::new() } else { format!(" (+{})", number(value)) };
    let (caller, allocations) = (number(spent.caller), number(spent.caller_allocations));
    format!("**{caller}**{} / {allocations}{}", plus(spent.others), plus(spent.other_allocations))
}
