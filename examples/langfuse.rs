//! An agent whose runs are looked at in Langfuse, in its cloud or on a server of your own: `LANGFUSE_PUBLIC_KEY`,
//! `LANGFUSE_SECRET_KEY`, and `LANGFUSE_BASE_URL` where it is not the European cloud.

use spanwright::{
    agent, current, llm,
    otlp::{Capture, Destination, Signal},
};
use std::{env, error::Error, time::Duration};

const CLOUD: &str = "https://cloud.langfuse.com";

/// Stands for a call of a provider.
#[llm(model = "gpt-4o-mini")]
fn complete(question: &str) -> String {
    current().usage(12, 7);
    format!("{question} Because of Rayleigh scattering.")
}

#[agent]
fn physicist(question: &str) -> String {
    complete(question)
}

/// None where a variable is missing.
fn langfuse() -> Option<Destination> {
    let base = env::var("LANGFUSE_BASE_URL").unwrap_or_else(|_| CLOUD.to_owned());
    let (public, secret) = (env::var("LANGFUSE_PUBLIC_KEY").ok()?, env::var("LANGFUSE_SECRET_KEY").ok()?);
    // What stands before the host is sent as basic authentication, and never shown.
    let (scheme, host) = base.trim_end_matches('/').split_once("://")?;
    let destination = Destination::http(format!("{scheme}://{public}:{secret}@{host}/api/public/otel"))
        .name("langfuse")
        // Without it Langfuse shows what comes some ten minutes later.
        .header("x-langfuse-ingestion-version", "4")
        // Its own names too: kinds of observations, usage with a total, cost, when an answer began.
        .langfuse(true)
        .capture(Capture::Spans);
    Some(destination)
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(langfuse) = langfuse() else {
        println!("LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY say where to send: a project's settings have them.");
        println!("LANGFUSE_BASE_URL is {CLOUD} unless you say another.");
        return Ok(());
    };
    let guard = spanwright::builder().otlp(langfuse).init()?;
    println!("{}", physicist("Why is the sky blue?"));

    guard.recorder().flush().wait(Duration::from_secs(5))?;
    let delivery = &guard.deliveries()[0];
    match delivery.flush().wait(Duration::from_secs(30)) {
        Ok(()) => println!("Langfuse has {} spans", delivery.stats(Signal::Traces).accepted),
        // They stay in spanwright.db, and the next run of this program delivers them.
        Err(error) => println!("not delivered yet: {error}"),
    }
    Ok(())
}
