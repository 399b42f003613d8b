//! An agent whose runs are looked at in Arize Phoenix: `phoenix serve`, then this, then http://localhost:6006.
//!
//! `cargo run --example phoenix -- http://elsewhere:6006` sends to another one. Where none runs, the record stays in
//! `spanwright.db`, and the next run of this program delivers it.

use spanwright::{
    agent, current, guardrail, llm,
    otlp::{Capture, Destination, Signal},
    retriever,
};
use std::{error::Error, time::Duration};

const PHOENIX: &str = "http://localhost:6006";

#[guardrail(name = "on topic")]
fn is_about_travel(wish: &str) -> bool {
    wish.contains("flight")
}

#[retriever(name = "timetable")]
fn flights(wish: &str) -> Vec<String> {
    vec![format!("SK 819 at 09:05 fits {wish:?}"), "DY 1302 at 19:40".to_owned()]
}

/// Stands for a call of a provider.
#[llm(model = "gpt-4o-mini")]
fn choose(found: &[String]) -> String {
    current().usage(180, 25);
    found[0][..6].to_owned()
}

#[agent(name = "concierge")]
fn concierge(wish: &str) -> String {
    if !is_about_travel(wish) {
        return "I arrange travel.".to_owned();
    }
    format!("{} is booked.", choose(&flights(wish)))
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| PHOENIX.to_owned());
    let phoenix = Destination::http(&address)
        .resource("openinference.project.name", "concierge")
        // Questions, answers, arguments, results: off unless asked for.
        .capture(Capture::Spans);
    let guard = spanwright::builder().otlp(phoenix).init()?;
    println!("{}", concierge("a morning flight to Oslo"));

    guard.recorder().flush().wait(Duration::from_secs(5))?;
    let delivery = &guard.deliveries()[0];
    match delivery.flush().wait(Duration::from_secs(30)) {
        Ok(()) => println!("{} spans are at {address}", delivery.stats(Signal::Traces).accepted),
        Err(_) => println!("Phoenix does not answer at {address}: `phoenix serve` starts one"),
    }
    Ok(())
}
