//! Beside a tracer that you have: tracing-opentelemetry and an exporter of yours. Both ways to send each span once.
//!
//! `cargo run --example existing_tracer` sends agent spans from our record, which survives outages and restarts, and
//! leaves the others to the tracer; `cargo run --example existing_tracer tracer` lets the tracer send everything. Features
//! `otlp-bridge` and `tracing-opentelemetry`.

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use spanwright::{
    agent,
    otlp::{Destination, WithoutAgentSpans},
    tool,
};
use tracing_subscriber::prelude::*;

/// Yours: one of opentelemetry-otlp, or what you wrote.
#[derive(Debug, Clone)]
struct Printer(&'static str);

impl SpanExporter for Printer {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        batch.iter().for_each(|span| println!("{}: {}", self.0, span.name));
        Ok(())
    }
}

#[tool]
fn search(query: &str) -> Vec<String> {
    tracing::info_span!("SELECT pages").in_scope(|| vec![format!("a page about {query}")])
}

#[agent]
fn research(question: &str) -> String {
    search(question).join(", ")
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tracer_sends_all = std::env::args().any(|argument| argument == "tracer");
    let provider = SdkTracerProvider::builder();
    let (provider, guard) = match tracer_sends_all {
        true => (provider.with_simple_exporter(Printer("tracer")).build(), spanwright::builder().start()?),
        false => (
            provider.with_simple_exporter(WithoutAgentSpans::new(Printer("tracer"))).build(),
            spanwright::builder().otlp(Destination::exporter(Printer("record"))).start()?,
        ),
    };
    tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("app")))
        .with(guard.layer())
        .init();
    research("rayleigh scattering");
    Ok(provider.shutdown()?)
}
