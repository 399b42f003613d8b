//! How an agent is tested: record a run, assert what it did, or keep its tree as a snapshot.
//!
//! `cargo run --example test_your_agent`, or `cargo test --example test_your_agent`. In a crate of yours the feature
//! `testing` belongs to the dev-dependencies.

use spanwright::{agent, current, llm, step, testing::record, tool};

#[tool]
fn search(query: &str) -> Vec<String> {
    vec![format!("a page about {query}")]
}

#[step]
fn plan(question: &str) -> [String; 2] {
    [question.to_owned(), format!("{question}, history")]
}

#[llm]
fn answer(model: &str, pages: &[String]) -> String {
    // A model that costs nothing: a test asks none.
    current().usage(1_200, 64);
    format!("{model} has read {} pages", pages.len())
}

#[agent]
fn research(question: &str) -> String {
    let pages: Vec<String> = plan(question).iter().flat_map(|query| search(query)).collect();
    answer("gpt-4o", &pages)
}

#[test]
fn the_agent_plans_then_searches_then_answers() {
    let run = record(|| research("rayleigh scattering"));
    assert_eq!(run.output(), "gpt-4o has read 2 pages");
    run.assert_no_errors();
    run.assert_steps("plan > search, search > gpt-4o");
    run.assert_tools_called(["search", "search"]);
    run.assert_tokens_below(2_000);
    // Or the whole as a snapshot; with insta: `assert_snapshot!(run.tree())`.
    expect_test::expect![[r#"
        ✓ run research  "rayleigh scattering"
        ├─ ✓ step plan  "rayleigh scattering"
        ├─ ✓ tool search  "rayleigh scattering"
        ├─ ✓ tool search  "rayleigh scattering, history"
        └─ ✓ llm gpt-4o  1,200 → 64 tok · $0.0036
    "#]]
    .assert_eq(&run.tree());
}

fn main() {
    print!("{}", record(|| research("rayleigh scattering")));
}
