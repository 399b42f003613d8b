//! The table of names, row by row: each name means what its row means, and no row means nothing.

use super::fields::{Site, play};
use spanwright::{Rules, semconv::operation};
use std::collections::HashMap;

/// Spans of every kind, and one that says nothing else.
const KINDS: &[Option<&str>] = &[
    None,
    Some(operation::INVOKE_AGENT),
    Some(operation::RUN_STEP),
    Some(operation::CHAT),
    Some(operation::EXECUTE_TOOL),
    Some(operation::SEARCH_MEMORY),
    Some(operation::CREATE_MEMORY),
    Some(operation::UPDATE_MEMORY),
    Some(operation::RUN_GUARDRAIL),
    Some(operation::RETRIEVAL),
    Some(operation::EMBEDDINGS),
    Some(operation::EVALUATE),
];

/// Fields whose values are words, and those that mean something only beside another.
fn value(name: &str) -> &'static str {
    let words: HashMap<&str, &str> = HashMap::from([
        ("gen_ai.operation.name", "chat"),
        ("openinference.span.kind", "LLM"),
        ("mcp.method.name", "tools/call"),
        ("otel.status_code", "error"),
        ("gen_ai.tool.call.outcome", "error"),
        ("langfuse.observation.usage_details", r#"{"input":7}"#),
        ("spanwright.traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ]);
    words.get(name).copied().unwrap_or("7")
}

fn beside(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "gen_ai.tool.call.outcome" | "spanwright.guardrail.decision" => &[],
        name if name.starts_with("spanwright.guardrail.") => &[("spanwright.guardrail.decision", "block")],
        "gen_ai.usage.cost" | "gen_ai.usage.audio.input_tokens" | "gen_ai.usage.audio.output_tokens" => {
            &[("gen_ai.usage.input_tokens", "1")]
        }
        _ => &[],
    }
}

/// Rows that a span alone does not show: they are tested where pieces of text and traces from elsewhere are.
const ELSEWHERE: &[&str] = &[
    "spanwright.delta.text",
    "spanwright.delta.reasoning",
    "spanwright.delta.tool_input",
    "spanwright.delta.tool_call_id",
    "spanwright.delta.tool_name",
    "spanwright.delta.end",
    "spanwright.traceparent",
    "spanwright.tracestate",
    "spanwright.baggage",
];

/// What is told of a span of each kind with this field; the kinds by which a field tells what a span is differ on purpose.
fn told(field: Option<&str>, value: &str, beside: &[(&'static str, &str)]) -> Vec<String> {
    let site = |kind: &Option<&'static str>| {
        let operation = kind.map(|kind| ("gen_ai.operation.name", kind));
        let field = field.map(|name| (name, value));
        let fields = operation.into_iter().chain(field).chain(beside.iter().copied());
        let mut fields: Vec<(&str, &str)> = fields.collect();
        fields.dedup_by_key(|(name, _)| *name);
        play(&Site::new("app", "a span", &fields))
    };
    KINDS.iter().map(site).collect()
}

#[test]
fn every_row_means_something_and_every_name_in_it_the_same() {
    for names in Rules::understood().filter(|names| !ELSEWHERE.contains(&names[0])) {
        let (value, beside) = (value(names[0]), beside(names[0]));
        let nothing = told(None, value, beside);
        // `otel.name` is read where a span has no better name, which the first kind has not.
        let meant = told(Some(names[0]), value, beside);
        assert_ne!(meant, nothing, "the row of {:?} means nothing", names[0]);
        for name in &names[1..] {
            let same = told(Some(name), value, beside);
            // Without an operation only the convention's own names tell what a span is.
            assert_eq!(same[1..], meant[1..], "{name:?} does not mean what {:?} means", names[0]);
        }
    }
}

#[test]
fn no_name_stands_in_two_rows() {
    let mut names: Vec<_> = Rules::understood().flatten().collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}
