//! The quick reading makes the same of a list as the one that looks at each level by itself, or leaves it alone.

use super::{read::any_list, typed};
use proptest::{collection::vec, prelude::*, sample::select};

/// Values for any member: right ones, wrong ones, parts, calls.
fn value() -> impl Strategy<Value = String> {
    let leaf = select(vec![
        "null",
        "7",
        "true",
        "\"\"",
        "\"words\"",
        r#""a \"b\"\n\u00e9 c""#,
        r#""\ud800""#,
        r#""{\"a\":[1]}""#,
        r#""{broken""#,
        r#""model""#,
        r#""tool""#,
        r#""function""#,
        r#""stop_sequence""#,
        "[]",
        "{}",
        r#"{"a": [1, "x"] }"#,
        r#"["user","words"]"#,
        r#"{"name":"f","arguments":"{\"a\":1}"}"#,
        r#"{"name":7}"#,
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|list| format!("[ {} ]", list.join(" , "))),
            object(PART, kind(), inner.clone()),
            object(CALL, kind(), inner),
        ]
    })
}

const PART: &[&str] = &[
    "content",
    "text",
    "thinking",
    "id",
    "name",
    "arguments",
    "input",
    "response",
    "tool_use_id",
    "signature",
    "else",
];
const CALL: &[&str] = &["id", "index", "function", "name", "arguments"];
const MESSAGE: &[&str] =
    &["content", "parts", "name", "refusal", "tool_call_id", "tool_calls", "finish_reason", "reasoning", "content"];

fn kind() -> impl Strategy<Value = String> {
    let kinds = ["text", "input_text", "reasoning", "thinking", "tool_call", "tool_use", "tool_call_response"];
    select([kinds.as_slice(), &["tool_result", "image_url", "blob", "other", "te\\u0078t"]].concat())
        .prop_map(|kind| format!("\"type\": \"{kind}\""))
}

fn object(
    names: &'static [&'static str],
    first: impl Strategy<Value = String>,
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = String> {
    let member = (select(names), value).prop_map(|(name, value)| format!("\"{name}\" : {value}"));
    (first, vec(member, 0..4)).prop_map(|(first, mut members)| {
        members.insert(members.len() / 2, first);
        format!("{{ {} }}", members.join(","))
    })
}

fn role() -> impl Strategy<Value = String> {
    select(vec![r#""role":"user""#, r#""role":"tool""#, r#""role":"developer""#, r#""role":"a\nb""#, r#""role":null"#])
        .prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4096) })]

    #[test]
    fn what_is_read_quickly_is_read_the_same(list in vec(prop_oneof![9 => object(MESSAGE, role(), value()), 1 => value()], 0..3)) {
        let json = format!("[{}]", list.join(","));
        if let Some(read) = typed::messages(&json) {
            prop_assert_eq!(Some(read), any_list(&json, "user"), "{}", json);
        }
    }
}

#[test]
fn the_forms_that_are_met_most_are_read_quickly() {
    for json in [
        "[]",
        r#"[{"role":"user","parts":[{"type":"text","content":"a\nb"}]},{"role":"assistant","parts":[{"type":"reasoning","content":"r"},{"type":"tool_call","id":"c","name":"f","arguments":{"a":[1]}}],"finish_reason":"tool_call"},{"role":"tool","parts":[{"type":"tool_call_response","id":"c","response":{"ok":true}}]}]"#,
        r#"[{"role":"developer","content":"Be brief."},{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"c","content":"ok"}]"#,
        r#"[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"tool_use","id":"t","name":"f","input":{"a":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"ok"}],"is_error":false}]}]"#,
    ] {
        let read = typed::messages(json);
        assert!(read.is_some(), "{json}");
        assert_eq!(read, any_list(json, "user"));
    }
}

#[test]
fn what_has_anything_else_in_it_is_left_alone() {
    for json in [
        r#"[["user","hi"]]"#,
        r#"["hi"]"#,
        r#"[{"role":"user","content":"hi","mood":"good"}]"#,
        r#"[{"role":"user","content":"hi","content":"ho"}]"#,
        r#"[{"role":"user","content":["hi"]}]"#,
        r#"[{"role":"user","content":[["text"]]}]"#,
        r#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"u"}}]}]"#,
        r#"[{"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"ok"}]}]"#,
        r#"[{"content":"hi"}]"#,
    ] {
        assert_eq!(typed::messages(json), None, "{json}");
    }
}
