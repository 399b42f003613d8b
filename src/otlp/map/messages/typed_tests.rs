//! The quick reading makes the same of a list as the one that looks at each level by itself, or leaves it alone.

use super::{read::any_list, typed};
use proptest::{collection::vec, option::weighted, prelude::*, sample::select};

const VALUES: &[&str] = &[
    "null",
    "7",
    "\"\"",
    "\"words\"",
    r#""a \"b\"\n\u00e9 c""#,
    r#""\ud800""#,
    r#""{\"a\":[1]}""#,
    r#""{broken""#,
    "[]",
    "{}",
    r#"{"a": [1, "x"] }"#,
    r#"["user","words"]"#,
    r#"[["text"]]"#,
    r#"[{"type":"text"}]"#,
    r#""stop_sequence""#,
];
const TEXTS: &[&str] = &[r#""""#, r#""words""#, r#""a \"b\"\n\u00e9 c""#, r#""{\"a\":[1]}""#, r#""{broken""#];
const KINDS: &[&str] = &[
    r#""text""#,
    r#""input_text""#,
    r#""reasoning""#,
    r#""thinking""#,
    r#""tool_call""#,
    r#""tool_use""#,
    r#""tool_call_response""#,
    r#""tool_result""#,
    r#""te\u0078t""#,
    r#""blob""#,
];
const ROLES: &[&str] = &[r#""user""#, r#""tool""#, r#""developer""#, r#""a\nb""#];
const FUNCTIONS: &[&str] =
    &[r#"{"name":"f","arguments":"{\"a\":1}"}"#, r#"{"name":"f"}"#, r#"{"name":"","arguments":{}}"#];

type Values = BoxedStrategy<String>;

/// One of these, or now and then anything.
fn of(values: &'static [&'static str]) -> Values {
    prop_oneof![19 => select(values), 1 => select(VALUES)].prop_map(str::to_owned).boxed()
}

/// Some of these members, in any order.
fn object(always: (&str, Values), others: Vec<(&'static str, Values)>) -> Values {
    let named = |name: &str, value: Values| {
        let name = name.to_owned();
        value.prop_map(move |value| format!("\"{name}\" : {value}"))
    };
    let others: Vec<_> = others.into_iter().map(|(name, value)| weighted(0.35, named(name, value))).collect();
    (named(always.0, always.1), others)
        .prop_map(|(first, others)| std::iter::once(first).chain(others.into_iter().flatten()).collect::<Vec<_>>())
        .prop_shuffle()
        .prop_map(|members| format!("{{ {} }}", members.join(" , ")))
        .boxed()
}

fn list(of: Values) -> Values {
    let list = vec(of, 0..3).prop_map(|list| format!("[ {} ]", list.join(" , ")));
    prop_oneof![19 => list, 1 => select(VALUES).prop_map(str::to_owned)].boxed()
}

fn part() -> Values {
    let texts = ["text", "thinking", "id", "name", "tool_use_id"].map(|name| (name, of(TEXTS)));
    let any = ["content", "arguments", "input", "response", "signature"].map(|name| (name, of(VALUES)));
    object(("type", of(KINDS)), texts.into_iter().chain(any).collect())
}

fn message() -> Values {
    let call = object(("function", of(FUNCTIONS)), vec![("id", of(TEXTS)), ("index", of(VALUES))]);
    let held = || prop_oneof![of(TEXTS), list(part())].boxed();
    let texts = ["name", "refusal", "tool_call_id", "finish_reason"].map(|name| (name, of(TEXTS)));
    let others = [("content", held()), ("parts", held()), ("tool_calls", list(call))];
    object(("role", of(ROLES)), texts.into_iter().chain(others).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4096) })]

    #[test]
    fn what_is_read_quickly_is_read_the_same(json in list(message())) {
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
