//! The first program: an agent, a tool, and what they do on your screen, in `spanwright.db` and wherever you send it.

use spanwright::{agent, tool};

#[tool]
fn search(query: &str) -> Vec<String> {
    vec![format!("a page about {query}")]
}

#[agent]
fn research(question: &str) -> String {
    search(question).join(", ")
}

fn main() -> Result<(), spanwright::Error> {
    let _guard = spanwright::init()?;
    println!("{}", research("rayleigh scattering"));
    Ok(())
}
