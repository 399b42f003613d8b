//! Values that are too long.

use super::{
    messages::is_of_the_schema,
    sink::{text, write_within},
    spans::{json, span},
};
use crate::{
    Json,
    event::{LlmCallEnd, LlmCallStart, Note, Retrieval, StateSnapshot, ToolInputAvailable, ToolOutputAvailable},
    otlp::{
        map::Dialect,
        settings::{Naming, OpenInference},
        span::Span,
    },
    semconv,
};
use proptest::prelude::*;
use serde_json::{Value, json as tree};

const EVERYTHING: Dialect = Dialect { naming: Naming::Compat, openinference: OpenInference::Full, langfuse: true };

fn long() -> String {
    "ä\"\\\n".repeat(20_000)
}

fn model(input: &Value, output: &Value) -> Span {
    let start = LlmCallStart::new("x", 0).model("m").input(Json::of(input));
    span(start, Vec::new(), Some(LlmCallEnd::new(1).output(Json::of(output)).into()))
}

fn tool(input: &Value, output: &Value) -> Span {
    let end = ToolOutputAvailable::new("c", Json::of(output));
    span(ToolInputAvailable::new("c", "f", Json::of(input)), Vec::new(), Some(end.into()))
}

#[test]
fn a_message_that_is_too_long_is_cut_in_its_parts_and_says_how_long_it_was() {
    let span = model(&tree!([{"role": "user", "content": long()}, {"role": "user", "content": "short"}]), &tree!("ok"));
    let line = text(&span, &Dialect::default(), semconv::INPUT_MESSAGES);
    is_of_the_schema(&line);
    let messages: Value = serde_json::from_str(&line).expect("JSON");
    let cut = messages[0]["parts"][0]["content"].as_str().expect("text");
    assert!(cut.starts_with("ä\"\\\nä") && cut.contains("[cut: 100000 bytes, sha256 "), "{cut}");
    assert_eq!(messages[1]["parts"][0]["content"], "short");
    assert!(line.len() > 2000, "no more is cut than has to be: {}", line.len());
}

#[test]
fn of_too_many_messages_the_last_stay_and_it_is_said_how_many_went() {
    let many: Vec<Value> = (0..1000).map(|at| tree!({"role": "user", "content": format!("number {at}")})).collect();
    let line = text(&model(&many.into(), &tree!("ok")), &Dialect::default(), semconv::INPUT_MESSAGES);
    is_of_the_schema(&line);
    let messages: Vec<Value> = serde_json::from_str(&line).expect("JSON");
    assert_eq!(messages[0]["parts"][0]["content"], format!("[cut: {} messages]", 1001 - messages.len()));
    assert_eq!(messages.last().expect("one")["parts"][0]["content"], "number 999");
}

#[test]
fn a_message_of_too_many_parts_is_still_one() {
    let parts: Vec<Value> = (0..5000).map(|at| tree!({"type": "text", "text": format!("{at}")})).collect();
    let line =
        text(&model(&tree!([{"role": "user", "content": parts}]), &tree!("ok")), &EVERYTHING, semconv::INPUT_MESSAGES);
    is_of_the_schema(&line);
}

#[test]
fn arguments_and_results_stay_json() {
    let span = tool(&tree!({"text": long(), "n": 5}), &tree!((0..5000).collect::<Vec<u32>>()));
    let arguments: Value = serde_json::from_str(&text(&span, &EVERYTHING, semconv::TOOL_CALL_ARGUMENTS)).expect("JSON");
    assert!(arguments["text"].as_str().expect("text").contains("[cut: 100000 bytes"));
    assert_eq!(arguments["n"], 5);
    let result: Value = serde_json::from_str(&text(&span, &EVERYTHING, semconv::TOOL_CALL_RESULT)).expect("JSON");
    assert_eq!(result["truncated_bytes"], 23_891);
    assert!(result["beginning"].as_str().expect("text").starts_with("[0,1,2,"));
}

#[test]
fn json_in_a_text_and_json_that_is_flattened_stay_json() {
    let arguments = tree!({"text": long(), "n": 5}).to_string();
    let called = tool(&Value::String(arguments.clone()), &tree!("ok"));
    let call =
        tree!([{"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": arguments}}]}]);
    let document = tree!([{"id": "d", "content": {"page": long()}, "metadata": {"of": long()}}]);
    let found = span(Retrieval::new("q", 1, 1).documents(Json::of(&document)), Vec::new(), None);
    let message = "llm.input_messages.0.message.tool_calls.0.tool_call.function.arguments";
    let told = [
        text(&called, &EVERYTHING, semconv::TOOL_CALL_ARGUMENTS),
        text(&called, &EVERYTHING, "tool.parameters"),
        text(&model(&call, &tree!("ok")), &EVERYTHING, message),
        text(&found, &EVERYTHING, "retrieval.documents.0.document.content"),
        text(&found, &EVERYTHING, "retrieval.documents.0.document.metadata"),
    ];
    for told in told {
        let json: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
        assert!(json.to_string().contains("[cut: "), "{json}");
    }
}

#[test]
fn names_and_events_are_bounded_too() {
    let name = long();
    let facts = vec![
        Note::new(name.as_str(), Json::text(&name)).into(),
        StateSnapshot::new(Json::of(&tree!({"state": name}))).into(),
    ];
    let span = span(LlmCallStart::new(name.as_str(), 0).model(name.as_str()), facts, None);
    let text = write_within(&span, &EVERYTHING, 300);
    let head = text.lines().next().expect("a line");
    assert!(text.contains("event spanwright.state_snapshot") && head.len() < 400, "{head}");
}

/// Anything that can stand in JSON.
fn anything() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        "[a-z]{0,8}",
        "\\PC{0,300}",
        Just("role".to_owned()),
        Just("type".to_owned()),
        Just("text".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 8, move |inner| {
        let key = prop_oneof![
            word.clone(),
            prop::sample::select(vec![
                "role",
                "content",
                "parts",
                "type",
                "tool_calls",
                "function",
                "name",
                "arguments",
                "messages",
                "system",
                "choices",
                "message",
                "response",
                "image_url",
                "source",
                "data",
                "tool_call_id",
                "functionCall",
            ])
            .prop_map(str::to_owned),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..8).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// The sink holds every value to its bound, and every key to once.
    #[test]
    fn whatever_was_recorded_stays_valid_and_within_its_bound(input in anything(), output in anything(), max in 256..2000_usize) {
        for span in [model(&input, &output), tool(&input, &output)] {
            let told = write_within(&span, &EVERYTHING, max);
            for key in [semconv::INPUT_MESSAGES, semconv::OUTPUT_MESSAGES, semconv::SYSTEM_INSTRUCTIONS] {
                let line = told.lines().find_map(|line| line.trim_start().strip_prefix(key)?.strip_prefix(" = "));
                if let Some(line) = line {
                    is_of_the_schema(&serde_json::from_str::<String>(line).expect("a text"));
                }
            }
        }
    }

    #[test]
    fn cut_json_is_json(value in anything(), max in 256..1000_usize) {
        let json = json(&value.to_string());
        let mut out = String::new();
        crate::otlp::map::cut::json(json.as_str(), max, &mut out);
        prop_assert!(out.len() <= max);
        prop_assert!(serde_json::from_str::<Value>(&out).is_ok(), "{out}");
    }
}
