//! What is kept as it stands is written as it would be if it had been read; and what the reader finds is what serde_json
//! finds.

use super::{
    json::{Object, elements},
    reader::Reader,
    words::Words,
};
use crate::{json::write_str, otlp::map::cut};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, value::RawValue};
use std::borrow::Cow;

/// What can stand in a string of JSON, in every way that it can be written.
const PIECES: &[&str] = &[
    "a",
    "some longer words",
    "{",
    "[",
    " ",
    "é",
    "🦀",
    "\u{7f}",
    // Quote and backslash, but for a bit.
    "#",
    "]",
    "\u{722}",
    r#"\""#,
    r"\\",
    r"\/",
    r"\b",
    r"\f",
    r"\n",
    r"\r",
    r"\t",
    r"\u0000",
    r"\u0007",
    r"\u0008",
    r"\u000a",
    r"\u000b",
    r"\u000B",
    r"\u000f",
    r"\u001f",
    r"\u001F",
    r"\u0020",
    r"\u0022",
    r"\u00e9",
    r"\ud83e\udd80",
    r"\ud800",
    r"\udc00",
];

fn string() -> impl Strategy<Value = String> {
    vec(select(PIECES), 0..12).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((any::<String>(), inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn members(json: &str) -> Vec<(String, &str)> {
    let object = Object::read(json).expect("an object");
    object.members().iter().map(|(name, value)| (name.to_string(), *value)).collect()
}

fn is_found_by_both(json: &str) {
    match json.trim_start().as_bytes()[0] {
        b'{' => {
            let expected: std::collections::BTreeMap<String, &RawValue> =
                serde_json::from_str(json).expect("an object");
            let mut found = members(json);
            found.sort();
            assert_eq!(found, expected.iter().map(|(name, raw)| (name.clone(), raw.get())).collect::<Vec<_>>());
            found.iter().for_each(|(_, inner)| is_found_by_both(inner));
        }
        b'[' => {
            let expected: Vec<&RawValue> = serde_json::from_str(json).expect("an array");
            let found = elements(json).expect("an array");
            assert_eq!(found, expected.iter().map(|raw| raw.get()).collect::<Vec<_>>());
            found.iter().for_each(|inner| is_found_by_both(inner));
        }
        b'"' => {
            let plain = Words::of(json).map(|words| words.into_plain().into_owned());
            assert_eq!(plain, serde_json::from_str::<String>(json).ok());
        }
        _ => assert_eq!(Words::of(json), None),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2048) })]

    #[test]
    fn a_text_that_nobody_reads_is_written_as_one_that_was_read(json in string(), longest in 96..200_usize) {
        let read = serde_json::from_str::<Cow<'_, str>>(&json).ok();
        let words = Words::of(&json);
        prop_assert_eq!(words.as_ref().map(|words| words.plain().into_owned()), read.clone().map(Cow::into_owned));
        if let (Some(words), Some(read)) = (words, read) {
            let (mut out, mut expected) = (String::new(), String::new());
            words.write(longest, &mut out);
            write_str(&cut::text(&read, longest), &mut expected);
            prop_assert_eq!(out, expected);
            prop_assert_eq!(words.is_empty(), read.is_empty());
            prop_assert_eq!(words.begins_like_a_structure(), read.starts_with(['{', '[']));
        }
    }

    #[test]
    fn whatever_stands_in_json_is_found(tree in tree()) {
        is_found_by_both(&tree.to_string());
        let indented = format!(" {tree:#}\r\n\t");
        is_found_by_both(indented.trim_end());
    }

    /// Nothing else comes here; if it ever does, nobody panics.
    #[test]
    fn what_is_no_json_is_gone_through_too(text in "[\\[\\]{}\",:\\\\ua0é ]{0,24}") {
        let _ = Object::read(&text);
        let _ = elements(&text);
        let _ = Reader::new(&text).value();
        let _ = super::conversation(super::super::content::Content::Json(&text), "user");
    }
}
