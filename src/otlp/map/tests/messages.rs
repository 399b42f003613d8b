//! Messages in the forms in which they are recorded.

use super::{
    sink::{attribute, text},
    spans::{json, span},
};
use crate::{
    event::{Body, LlmCallEnd, LlmCallFailed, LlmCallStart, ReasoningEnd, TextEnd},
    otlp::{map::Dialect, settings::Naming, span::Span},
    semconv::{INPUT_MESSAGES, OUTPUT_MESSAGES, SYSTEM_INSTRUCTIONS},
};
use expect_test::{Expect, expect};
use serde_json::Value;

fn call(input: &str, output: &str) -> Span {
    let start = LlmCallStart::new("x", 0).model("m").input(json(input));
    span(start, Vec::new(), Some(LlmCallEnd::new(1).output(json(output)).into()))
}

fn latest() -> Dialect {
    Dialect { naming: Naming::Latest, ..Dialect::default() }
}

/// Instructions and input, a line each.
fn reads(input: &str, expected: Expect) {
    let span = call(input, "null");
    let told = [SYSTEM_INSTRUCTIONS, INPUT_MESSAGES].map(|key| attribute(&span, &latest(), key));
    let lines: Vec<String> = told.iter().flatten().map(|text| decoded(text)).collect();
    lines.iter().for_each(|line| is_of_the_schema(line));
    expected.assert_eq(&lines.join("\n"));
}

fn answers(output: &str, expected: Expect) {
    let line = text(&call("null", output), &Dialect::default(), OUTPUT_MESSAGES);
    is_of_the_schema(&line);
    expected.assert_eq(&line);
}

fn decoded(quoted: &str) -> String {
    serde_json::from_str(quoted).expect("a text")
}

/// What each part must have, by its type.
const REQUIRED: &[(&str, &[&str])] = &[
    ("text", &["content"]),
    ("reasoning", &["content"]),
    ("tool_call", &["name"]),
    ("tool_call_response", &["response"]),
    ("blob", &["modality", "content"]),
    ("uri", &["modality", "uri"]),
];

/// Messages, or the parts of instructions.
pub(super) fn is_of_the_schema(line: &str) {
    let list: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    for item in list.as_array().expect("a list") {
        match item.get("parts") {
            Some(parts) => {
                assert!(item["role"].is_string(), "{line}");
                parts.as_array().expect("parts").iter().for_each(part_is_of_the_schema);
            }
            None => part_is_of_the_schema(item),
        }
    }
}

fn part_is_of_the_schema(part: &Value) {
    let kind = part["type"].as_str().expect("a type");
    let required = REQUIRED.iter().find(|(known, _)| *known == kind).map_or(&[][..], |(_, required)| required);
    for name in required {
        assert!(part.get(name).is_some(), "{name} of {part}");
        assert!(part[name].is_string() || matches!(*name, "response"), "{name} of {part}");
    }
}

#[test]
fn the_conventions_own_form_stays_as_it_is() {
    reads(
        r#"[{"role":"user","parts":[{"type":"text","content":"hi"},{"type":"blob","modality":"image","mime_type":"image/png","content":"iVBO"},
            {"type":"uri","modality":"image","uri":"https://x/y.png"},{"type":"file","modality":"image","file_id":"f1"}]},
            {"role":"assistant","name":"a","parts":[{"type":"tool_call","id":"1","name":"f","arguments":{"b":1,"a":2}}]},
            {"role":"tool","parts":[{"type":"tool_call_response","id":"1","response":{"ok":true}}]},
            {"role":"tool","parts":[{"type":"tool_call_response","id":"1","result":"newest"}]}]"#,
        expect![[
            r#"[{"role":"user","parts":[{"type":"text","content":"hi"},{"type":"blob","modality":"image","mime_type":"image/png","content":"iVBO"},{"type":"uri","modality":"image","uri":"https://x/y.png"},{"type":"file","modality":"image","file_id":"f1"}]},{"role":"assistant","name":"a","parts":[{"type":"tool_call","name":"f","id":"1","arguments":{"b":1,"a":2}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"1","response":{"ok":true}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"1","response":"newest"}]}]"#
        ]],
    );
}

#[test]
fn openais_messages_are_read() {
    reads(
        r#"[{"role":"developer","content":"Be brief."},
            {"role":"user","content":[{"type":"text","text":"what is it?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO"}},{"type":"image_url","image_url":{"url":"https://x/y.png"}}]},
            {"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":"not json"}}]},
            {"role":"tool","tool_call_id":"c1","content":"[1,2]"}]"#,
        expect![[r#"
            [{"type":"text","content":"Be brief."}]
            [{"role":"user","parts":[{"type":"text","content":"what is it?"},{"type":"blob","modality":"image","mime_type":"image/png","content":"iVBO"},{"type":"uri","modality":"image","uri":"https://x/y.png"}]},{"role":"assistant","parts":[{"type":"tool_call","name":"f","id":"c1","arguments":{"a":1}},{"type":"tool_call","name":"g","id":"c2","arguments":"not json"}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":[1,2]}]}]"#]],
    );
}

#[test]
fn anthropics_requests_are_read() {
    reads(
        r#"{"model":"claude","max_tokens":5,"system":[{"type":"text","text":"Be brief."}],"messages":[
            {"role":"user","content":"hi"},
            {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"tool_use","id":"t1","name":"f","input":{"a":1}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"ok"}]},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}}]}]}"#,
        expect![[r#"
            [{"type":"text","content":"Be brief."}]
            [{"role":"user","parts":[{"type":"text","content":"hi"}]},{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},{"type":"tool_call","name":"f","id":"t1","arguments":{"a":1}}]},{"role":"user","parts":[{"type":"tool_call_response","id":"t1","response":[{"type":"text","text":"ok"}]},{"type":"blob","modality":"image","mime_type":"image/png","content":"iVBO"}]}]"#]],
    );
}

#[test]
fn geminis_requests_are_read() {
    reads(
        r#"{"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[{"role":"user","parts":[{"text":"hi"},{"inlineData":{"mimeType":"audio/wav","data":"UklG"}}]},
            {"role":"model","parts":[{"text":"hm","thought":true},{"functionCall":{"name":"f","args":{"a":1}}}]},
            {"role":"user","parts":[{"functionResponse":{"name":"f","response":{"ok":true}}}]}]}"#,
        expect![[r#"
            [{"type":"text","content":"Be brief."}]
            [{"role":"user","parts":[{"type":"text","content":"hi"},{"type":"blob","modality":"audio","mime_type":"audio/wav","content":"UklG"}]},{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},{"type":"tool_call","name":"f","arguments":{"a":1}}]},{"role":"user","parts":[{"type":"tool_call_response","response":{"ok":true}}]}]"#]],
    );
}

#[test]
fn items_of_the_responses_api_are_read() {
    reads(
        r#"{"instructions":"Be brief.","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]},
            {"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]},
            {"type":"function_call","call_id":"c1","name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"c1","output":"ok"}]}"#,
        expect![[r#"
            [{"type":"text","content":"Be brief."}]
            [{"role":"user","parts":[{"type":"text","content":"hi"}]},{"role":"assistant","parts":[{"type":"reasoning","content":"hm"}]},{"role":"assistant","parts":[{"type":"tool_call","name":"f","id":"c1","arguments":{"a":1}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":"ok"}]}]"#]],
    );
}

#[test]
fn what_is_no_message_is_one_text() {
    let plain = expect![[r#"[{"role":"user","parts":[{"type":"text","content":"hello"}]}]"#]];
    reads(r#""hello""#, plain);
    reads(r#"{"question":"why"}"#, expect![[r#"[{"role":"user","parts":[{"type":"text","content":"why"}]}]"#]]);
    reads(
        r#"{"question":"why","depth":2}"#,
        expect![[r#"[{"role":"user","parts":[{"type":"text","content":"{\"question\":\"why\",\"depth\":2}"}]}]"#]],
    );
    reads("[1,2]", expect![[r#"[{"role":"user","parts":[{"type":"text","content":"[1,2]"}]}]"#]]);
    reads("42", expect![[r#"[{"role":"user","parts":[{"type":"text","content":"42"}]}]"#]]);
    reads(
        r#"["one",{"role":"user","content":"two"},3]"#,
        expect![[
            r#"[{"role":"user","parts":[{"type":"text","content":"one"}]},{"role":"user","parts":[{"type":"text","content":"two"}]},{"role":"user","parts":[{"type":"text","content":"3"}]}]"#
        ]],
    );
    reads(
        r#"[{"role":"user","parts":[{"type":"text"},7,{"x":1}]}]"#,
        expect![[
            r#"[{"role":"user","parts":[{"type":"text","content":"{\"type\":\"text\"}"},{"type":"text","content":"7"},{"type":"text","content":"{\"x\":1}"}]}]"#
        ]],
    );
    reads("[]", expect![]);
}

#[test]
fn answers_of_providers_are_read() {
    answers(
        r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"a","reasoning_content":"r"},"finish_reason":"length"},{"index":1,"message":{"role":"assistant","content":"b"},"finish_reason":"stop"}]}"#,
        expect![[
            r#"[{"role":"assistant","parts":[{"type":"reasoning","content":"r"},{"type":"text","content":"a"}],"finish_reason":"length"},{"role":"assistant","parts":[{"type":"text","content":"b"}],"finish_reason":"stop"}]"#
        ]],
    );
    answers(
        r#"{"role":"assistant","content":[{"type":"text","text":"a"}],"stop_reason":"end_turn"}"#,
        expect![[r#"[{"role":"assistant","parts":[{"type":"text","content":"a"}],"finish_reason":"stop"}]"#]],
    );
    answers(
        r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"a"}]},"finishReason":"STOP"}]}"#,
        expect![[r#"[{"role":"assistant","parts":[{"type":"text","content":"a"}],"finish_reason":"stop"}]"#]],
    );
    answers(
        r#"{"message":{"role":"assistant","content":"ollama"},"done":true}"#,
        expect![[r#"[{"role":"assistant","parts":[{"type":"text","content":"ollama"}],"finish_reason":"stop"}]"#]],
    );
    answers(
        r#"[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]}]"#,
        expect![[
            r#"[{"role":"assistant","parts":[{"type":"tool_call","name":"f","id":"c","arguments":{}}],"finish_reason":"tool_call"}]"#
        ]],
    );
    answers(
        r#""plain""#,
        expect![[r#"[{"role":"assistant","parts":[{"type":"text","content":"plain"}],"finish_reason":"stop"}]"#]],
    );
}

#[test]
fn what_was_seen_to_be_said_is_the_answer_where_the_end_has_none() {
    let said: Vec<Body> =
        vec![ReasoningEnd::new("r").final_text("hm").into(), TextEnd::new("t").final_text("half an ans").into()];
    let failed = span(LlmCallStart::new("x", 0), said, Some(LlmCallFailed::new("reset").into()));
    expect![[r#"[{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},{"type":"text","content":"half an ans"}],"finish_reason":"error"}]"#]].assert_eq(&text(&failed, &Dialect::default(), OUTPUT_MESSAGES));
}

#[test]
fn a_call_that_failed_without_a_word_has_no_answer() {
    let failed = span(LlmCallStart::new("x", 0), Vec::new(), Some(LlmCallFailed::new("reset").into()));
    assert_eq!(attribute(&failed, &Dialect::default(), OUTPUT_MESSAGES), None);
}

/// Names of messages' members are those of other things, too: nothing of these is lost.
#[test]
fn what_only_looks_like_messages_is_told_whole() {
    for input in [
        r#"{"question":"which?","choices":["red","blue"]}"#,
        r#"{"candidates":[{"name":"Ada"}],"limit":3}"#,
        r#"{"role":"admin","user":"bob"}"#,
        r#"[{"role":"admin","user":"bob"}]"#,
    ] {
        let line = text(&call(input, "null"), &latest(), INPUT_MESSAGES);
        is_of_the_schema(&line);
        let messages: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(messages[0]["parts"][0]["content"], input);
    }
}

#[test]
fn a_message_may_say_nothing() {
    let line = text(&call(r#"[{"role":"assistant","content":null,"id":"1"}]"#, "null"), &latest(), INPUT_MESSAGES);
    assert_eq!(line, r#"[{"role":"assistant","parts":[]}]"#);
}

#[test]
fn ollamas_thinking_is_reasoning() {
    reads(
        r#"[{"role":"assistant","content":"a","thinking":"hm"}]"#,
        expect![[
            r#"[{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},{"type":"text","content":"a"}]}]"#
        ]],
    );
}
