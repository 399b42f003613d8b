//! One function of each kind, and what they look like together.

use spanwright::{agent, embedding, guardrail, llm, memory, retriever, step, tool, workflow};

#[memory(recall)]
fn remember(about: &str) -> Vec<String> {
    vec![format!("{about} came up yesterday")]
}

#[memory(store)]
fn keep(_fact: &str) {}
#[embedding(model = "text-embedding-3-small")]
fn embed(text: &str) -> Vec<f32> {
    text.bytes().map(f32::from).collect()
}

#[retriever(name = "papers")]
async fn papers(query: &str) -> Vec<String> {
    let dimensions = embed(query).len();
    vec![format!("a paper found in {dimensions} dimensions")]
}

#[guardrail(name = "no secrets")]
fn harmless(text: &str) -> bool {
    !text.contains("password")
}

#[tool(skip(key))]
async fn search(query: &str, key: &str) -> Result<Vec<String>, String> {
    if key.is_empty() { Err("no key".to_owned()) } else { Ok(papers(query).await) }
}

#[llm(model = "gpt-4o-mini", fields(temperature = 0.2))]
async fn answer(question: &str, found: &[String]) -> String {
    spanwright::current().usage(40, 8);
    format!("{question} See {}.", found.join(", "))
}

#[step]
async fn look_up(question: &str) -> Vec<String> {
    let mut known = remember(question);
    known.extend(search(question, "k-123").await.unwrap_or_default());
    known
}

#[agent(name = "librarian")]
async fn ask(question: &str) -> Option<String> {
    let found = look_up(question).await;
    let said = answer(question, &found).await;
    harmless(&said).then_some(said)
}

#[workflow]
async fn two_questions() -> [Option<String>; 2] {
    [ask("Why is the sky blue?").await, ask("Why is grass green?").await]
}

#[tokio::main]
async fn main() -> Result<(), spanwright::Error> {
    let _guard = spanwright::init()?;
    two_questions().await.into_iter().flatten().for_each(|said| println!("{said}"));
    Ok(())
}
