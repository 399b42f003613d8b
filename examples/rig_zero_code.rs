//! rig's own spans, and one line of ours: an agent of rig with a tool, seen without an attribute or a handle anywhere.
//!
//! The provider and the tool are those of `research_agent`: without OPENAI_API_KEY the answers are scripted.

#![allow(dead_code, reason = "the parts are shared with the larger example")]

#[path = "research_agent/agents.rs"]
mod agents;
#[path = "research_agent/calculator.rs"]
mod calculator;
#[path = "research_agent/endpoint.rs"]
mod endpoint;
#[path = "research_agent/notes.rs"]
mod notes;
#[path = "research_agent/script.rs"]
mod script;
#[path = "research_agent/tools.rs"]
mod tools;

use rig::agent::AgentBuilder;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let _guard = spanwright::init()?; // the one line
    let librarian = AgentBuilder::new(agents::provider().await?.model())
        .name("librarian")
        .preamble("Search the notes, then say whether the claim is supported.")
        .default_max_turns(4)
        .record_content_telemetry(true)
        .tool(tools::SearchNotes)
        .build();
    println!("{}", librarian.prompt("Light takes about 1.3 seconds from the Moon to the Earth.").await?);
    Ok(())
}
