//! The record leaves over OTLP: to the back end or collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names, with what the other
//! standard variables say; without it into `spans.jsonl`, which the Collector's `otlpjsonfile` receiver reads.

use spanwright::{
    agent, current, llm,
    otlp::{Capture, Destination, Signal},
    tool,
};
use std::{error::Error, time::Duration};

#[tool]
fn temperature(city: &str) -> Result<f64, String> {
    if city == "Paris" { Ok(18.5) } else { Err(format!("no station in {city}")) }
}

#[llm(model = "gpt-4o-mini")]
fn complete(prompt: &str) -> String {
    current().usage(24, 9);
    format!("{prompt}: dress lightly.")
}

#[agent]
fn weather(city: &str) -> String {
    let degrees = temperature(city).map_or_else(|error| error, |degrees| format!("{degrees} °C"));
    complete(&degrees)
}

/// None where `OTEL_SDK_DISABLED` or the variables of the exporters switch it off.
fn destination() -> Result<Option<Destination>, spanwright::Error> {
    match std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT") {
        Some(_) => Destination::from_env(),
        // Content goes nowhere unless it is asked for.
        None => Ok(Some(Destination::file("spans.jsonl").capture(Capture::Spans))),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut builder = spanwright::builder();
    if let Some(destination) = destination()? {
        builder = builder.otlp(destination);
    }
    let guard = builder.init()?;
    println!("{}", weather("Paris"));
    println!("{}", weather("Atlantis"));

    // The end of the guard delivers too; this says what came of it. First into the log, which is the queue of every
    // destination, then out of it.
    guard.recorder().flush().wait(Duration::from_secs(5))?;
    for delivery in guard.deliveries() {
        match delivery.flush().wait(Duration::from_secs(30)) {
            Ok(()) => println!("{} has {} spans", delivery.name(), delivery.stats(Signal::Traces).accepted),
            // They stay in the log: the next run of this program delivers them.
            Err(error) => println!("not delivered yet: {error}"),
        }
    }
    Ok(())
}
