//! A research agent on rig: it remembers, guards its input and output, streams its answer, and calls three tools, one of
//! which is an agent of its own. `cargo run --example research_agent -- How old is moonlight?`
//!
//! Without OPENAI_API_KEY the answers are scripted, by an endpoint on this machine; with it (and, if wanted,
//! OPENAI_BASE_URL and OPENAI_MODEL) a real model answers. `--stay` keeps serving the record after the answer.

mod agents;
mod calculator;
mod endpoint;
mod guardrail;
mod memory;
mod notes;
mod script;
mod tools;

use crate::{
    guardrail::{Finding, Verdict},
    memory::Memory,
};
use anyhow::{Context, bail};
use futures_util::StreamExt;
use rig::{
    agent::{Agent, MultiTurnStreamItem},
    streaming::{Item, StreamEvent},
};
use spanwright::{Recorder, span};
use std::{path::PathBuf, process::ExitCode};

struct Args {
    stay: bool,
    question: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let args = args(std::env::args().skip(1));
    let guard = spanwright::builder().serve("127.0.0.1:0").init()?;
    if let Some(url) = guard.url() {
        eprintln!("live at {url}/stream, all runs at {url}/executions");
    }
    let provider = agents::provider().await?;
    if provider.scripted {
        eprintln!("no OPENAI_API_KEY: the answers are scripted, by an endpoint on this machine");
    }
    let agent = agents::researcher(&provider, true);
    let mut memory = memory::open(std::env::var_os("RESEARCH_MEMORY").map(PathBuf::from))?;
    println!("{}", research(&agent, &mut memory, &args.question).await?);
    guard.recorder().flush().await?;
    list_runs(guard.recorder()).await?;
    if args.stay {
        eprintln!("staying until Ctrl-C");
        tokio::signal::ctrl_c().await?;
    }
    Ok(())
}

/// Every run that the record has: this one and those before it.
async fn list_runs(recorder: &Recorder) -> anyhow::Result<()> {
    let Some(log) = recorder.log() else { return Ok(()) };
    for run in log.executions(spanwright::log::ExecutionsQuery::newest(10)).await? {
        let name = run.name.as_deref().unwrap_or("unnamed");
        eprintln!("{}  {name}  {}  {} events", run.execution_id, run.status.as_str(), run.events);
    }
    Ok(())
}

fn args(words: impl Iterator<Item = String>) -> Args {
    let (flags, words): (Vec<String>, Vec<String>) = words.partition(|word| word == "--stay");
    let question = match words.is_empty() {
        true => "How old is the light of the Moon when it arrives?".to_owned(),
        false => words.join(" "),
    };
    Args { stay: !flags.is_empty(), question }
}

#[spanwright::agent(name = "research_agent", skip(agent, memory))]
async fn research(agent: &Agent, memory: &mut Memory, question: &str) -> anyhow::Result<String> {
    guard("question", question)?;
    let known = memory::recall(memory, question, 3);
    let answer = answer(agent, &prompt(&known, question)).await?;
    guard("answer", &answer)?;
    memory::store(memory, &format!("Asked before: {question}"))?;
    Ok(answer)
}

fn guard(what: &str, text: &str) -> anyhow::Result<()> {
    match guardrail::check(text) {
        Verdict { finding: Finding::Block, reason } => bail!("the {what} was blocked: {}", reason.unwrap_or_default()),
        // A warning is in the record; the run goes on.
        _ => Ok(()),
    }
}

fn prompt(known: &[String], question: &str) -> String {
    let known: String = known.iter().map(|fact| format!("- {fact}\n")).collect();
    match known.is_empty() {
        true => format!("Question: {question}"),
        false => format!("Remembered:\n{known}\nQuestion: {question}"),
    }
}

/// Runs the agent to its end; every piece of text passes through here while the model writes it.
async fn answer(agent: &Agent, prompt: &str) -> anyhow::Result<String> {
    let mut items = agent.prompt(prompt).tool_concurrency(2).stream();
    let mut finished = None;
    // Read to the very end: rig closes its spans after the final response, not with it.
    while let Some(item) = items.next().await {
        match item? {
            MultiTurnStreamItem::StreamAssistantItem(Item::Event(event)) => on_event(&event),
            MultiTurnStreamItem::FinalResponse(response) => finished = Some(response.output()),
            _ => {}
        }
    }
    finished.context("the agent ended without an answer")
}

/// The text of the answer as it grows: into the record, and so to everyone who watches.
fn on_event(event: &StreamEvent) {
    match event {
        StreamEvent::Text { text, .. } => span::text_delta(text),
        StreamEvent::Reasoning { text, .. } => span::reasoning_delta(text),
        _ => {}
    }
}
