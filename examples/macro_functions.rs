//! One function of each kind, and what they look like together.
use spanwright::{agent, current, embedding, evaluator, guardrail, llm, memory, retriever, step, tool, workflow};

#[memory(recall)]
fn remember(about: &str) -> Vec<String> {
    vec![format!("{about} came up yesterday")]
}

#[embedding(model = "text-embedding-3-small")]
fn embed(text: &str) -> Vec<f32> {
    text.bytes().map(f32::from).collect()
}

#[retriever(name = "papers")]
async fn papers(query: &str) -> Vec<String> {
    vec![format!("a paper found in {} dimensions", embed(query).len())]
}

#[tool(redact(key))]
async fn search(query: &str, key: &str) -> Result<Vec<String>, String> {
    if key.is_empty() { Err("no key".to_owned()) } else { Ok(papers(query).await) }
}

#[step]
async fn look_up(question: &str) -> Vec<String> {
    remember(question).into_iter().chain(search(question, "k-123").await.unwrap_or_default()).collect()
}

#[llm(model = "gpt-4o-mini", fields(temperature = 0.2))]
async fn answer(question: &str, found: &[String]) -> String {
    current().usage(40, 8);
    format!("{question} See {}.", found.join(", "))
}

#[guardrail(name = "no secrets")]
fn harmless(text: &str) -> bool {
    !text.contains("password")
}

#[evaluator]
fn cites_a_source(text: &str) -> f64 {
    if text.contains("See ") { 1.0 } else { 0.0 }
}

#[agent(name = "librarian")]
async fn ask(question: &str) -> Option<String> {
    let said = answer(question, &look_up(question).await).await;
    (harmless(&said) && cites_a_source(&said) > 0.5).then_some(said)
}

#[workflow]
async fn two_questions() -> [Option<String>; 2] {
    [ask("Why is the sky blue?").await, ask("Why is grass green?").await]
}

#[tokio::main]
async fn main() {
    let _guard = spanwright::init().expect("a record");
    two_questions().await.into_iter().flatten().for_each(|said| println!("{said}"));
}
