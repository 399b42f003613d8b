//! What users add: names of fields, and what spans are.

use super::{count, record_with, usage};
use crate::layer::told;
use spanwright::{Rules, semconv};
use tracing::info_span;

fn program() {
    let _agent = info_span!("a", gen_ai.operation.name = "invoke_agent").entered();
    let _think =
        info_span!(target: "acme_agent::mind", "think", acme.tokens = 4_u64, gen_ai.usage.output_tokens = 1_u64)
            .entered();
    drop(info_span!(target: "acme_agents", "think", acme.tokens = 8_u64));
    drop(info_span!(target: "acme_agent", "dump", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "x"));
}

fn rules() -> Rules {
    let rules = Rules::new().field("acme.tokens", semconv::INPUT_TOKENS).expect("field");
    rules.span("acme_agent", "think", "chat").expect("span").plain("acme_agent", "dump")
}

#[test]
fn a_rule_says_what_a_span_is_and_what_its_fields_mean() {
    let events = record_with(rules(), program);
    assert_eq!(count(&events, "data-llm-call-start"), 1, "{}", told(&events));
    assert_eq!(count(&events, "data-tool-input-available"), 0, "{}", told(&events));
    assert_eq!(usage(&events), (4, 1, 5), "{}", told(&events));
}

#[test]
fn one_layers_rules_are_not_anothers() {
    record_with(rules(), program);
    let events = record_with(Rules::new(), program);
    assert_eq!(count(&events, "data-llm-call-start"), 0, "{}", told(&events));
    assert_eq!(count(&events, "data-tool-input-available"), 1, "{}", told(&events));
}

#[test]
fn a_rule_that_says_what_is_so_already_is_no_mistake() {
    let rules = rules().field("tool", semconv::TOOL_NAME).expect("it means that anyway");
    assert_eq!(usage(&record_with(rules.field("acme.tokens", semconv::INPUT_TOKENS).expect("again"), program)).0, 4);
}

#[test]
fn a_rule_that_cannot_be_meant_is_refused_with_what_is_accepted() {
    let unknown = Rules::new().field("acme.tokens", "gen_ai.usage.tokenz").expect_err("no such field");
    assert!(unknown.is_config() && unknown.to_string().contains("Rules::understood"), "{unknown}");
    let taken = Rules::new().field("tool.name", semconv::AGENT_NAME).expect_err("taken");
    assert!(taken.is_config() && taken.to_string().contains("read as \"gen_ai.tool.name\" already"), "{taken}");
    assert!(rules().field("acme.tokens", semconv::OUTPUT_TOKENS).expect_err("twice").is_config());
    let nothing = Rules::new().span("acme", "think", "thinking").expect_err("no such operation");
    assert!(nothing.to_string().contains("semconv::operation"), "{nothing}");
}
