#![deny(warnings, missing_docs, unused, let_underscore, nonstandard_style, rust_2018_idioms, unreachable_pub)]
#![deny(unused_qualifications, unused_results, single_use_lifetimes, missing_debug_implementations)]
#![forbid(unsafe_code)]

//! Code that its author keeps clean stays clean under the attributes.

use std::fmt::Debug;
use std::pin::Pin;

use spanwright::{agent, embedding, evaluator, guardrail, llm, memory, retriever, step, tool, workflow};

#[agent(name = "research", fields(attempt = 1, gen_ai.conversation.id = "c1"))]
async fn research(question: &str, redone: Option<&str>) -> Result<String, Box<dyn std::error::Error>> {
    let found = search(question, "sesame".to_owned()).await?;
    Ok(format!("{found:?} {redone:?}"))
}

#[tool(redact(key), ret = false, err = false)]
async fn search(query: &str, key: String) -> std::io::Result<Vec<String>> {
    Ok(vec![query.to_owned(), key])
}

#[workflow]
fn nothing() {}

#[step]
fn never(yes: bool) -> Option<std::convert::Infallible> {
    if yes {
        return None;
    }
    None
}

#[llm(model = "gpt-4o")]
fn boxed<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
    Box::pin(async move { text.len() })
}

#[memory(store)]
fn generic<T: Debug, const N: usize>(items: [T; N]) -> [T; N] {
    items
}

#[guardrail(skip(_text))]
fn passes(_text: &str) -> bool {
    true
}

#[evaluator]
fn relevance((first, mut second): (f64, f64)) -> f64 {
    second += first;
    second
}

#[retriever]
fn documents(query: impl AsRef<str>) -> impl Iterator<Item = char> {
    query.as_ref().chars().collect::<Vec<_>>().into_iter()
}

#[embedding]
async fn embed(model: &str, input: &[&str]) -> Vec<f32> {
    vec![0.0; model.len() + input.len()]
}

/// Documented, deprecated or not to be thrown away: it stays so.
#[must_use = "it took long"]
#[inline]
#[allow(clippy::let_and_return)]
#[tool]
pub(crate) fn attributed(#[allow(unused_variables)] n: u8) -> u8 {
    let twice = 2;
    twice
}

#[step]
#[expect(unused_variables, reason = "an expectation that is met stays met")]
fn expected() {
    let unused = 1;
}

fn main() {
    drop(research("why", None));
    nothing();
    let _never = never(true);
    drop(boxed("a"));
    let [_a, _b] = generic([1, 2]);
    let _passes = passes("a");
    let _relevance = relevance((1.0, 2.0));
    let _documents: Vec<char> = documents("a").collect();
    drop(embed("a", &["b"]));
    let _twice = attributed(1);
    expected();
}
