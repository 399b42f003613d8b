//! The cases of the standard's own tests for the format of a stream (web-platform-tests, `eventsource`), as ours.

use super::{data, named, read_however_cut};
use crate::shared;
use serde_json::Value;
use std::{path::PathBuf, process::Command, time::Duration};

/// Streams of messages without type and id, by the name of the test that asks for them.
const DATA: &[(&str, &str, &[&str])] = &[
    ("event-data: lines are joined", "data:msg\ndata: msg\n\n", &["msg\nmsg"]),
    ("event-data: no data, no event", ":\nfalsefield:msg\n\nfalsefield:msg\nData:data\n\n", &[]),
    ("event-data: a bare field is an empty line", "data\n\ndata:end\n\n", &["", "end"]),
    ("format-bom", "\u{feff}data:1\n\n\u{feff}data:2\n\ndata:3\n\n", &["1", "3"]),
    ("format-bom-2", "\u{feff}\u{feff}data:1\n\ndata:2\n\ndata:3\n\n", &["2", "3"]),
    ("format-bom: alone", "\u{feff}\n\ndata:1\n\n", &["1"]),
    ("format-bom: before a comment", "\u{feff}:data:0\ndata:1\n\n", &["1"]),
    ("format-bom: in a value", "data:\u{feff}1\n\n", &["\u{feff}1"]),
    ("format-data-before-final-empty-line", "data:test1\n\ndata:test2", &["test1"]),
    ("format-data-before-final-empty-line: a line end is not enough", "data:test1\n\ndata:test2\n", &["test1"]),
    ("format-field-data", "data:\n\ndata\ndata\n\ndata:test\n\n", &["", "\n", "test"]),
    ("format-field-event-empty", "event: \ndata:data\n\n", &["data"]),
    ("format-field-event-empty: the last one counts", "event:test\nevent\ndata:data\n\n", &["data"]),
    (
        "format-field-parsing",
        "data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n",
        &["\0\n 2\n1\n3\n\n4"],
    ),
    (
        "format-field-unknown",
        "data:test\n data\ndata\nfoobar:xxx\njustsometext\n:comment\ndata:test\n\n",
        &["test\n\ntest"],
    ),
    ("format-leading-space", "data:\ttest\rdata: \ndata:test\n\n", &["\ttest\n\ntest"]),
    ("format-leading-space: one of two", "data:  test\n\n", &[" test"]),
    ("format-newlines", "data:test\r\ndata\ndata:test\r\n\r\n", &["test\n\ntest"]),
    ("format-null-character", "data:\0\n\n\n\n", &["\0"]),
    ("format-utf-8", "data:ok…\n\n", &["ok…"]),
    (
        "what Unicode calls line ends are none",
        "data:a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f\u{1c}g\n\n",
        &["a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f\u{1c}g"],
    ),
    ("colons in a value", "data:a:b: c\n\n", &["a:b: c"]),
    ("an empty stream", "", &[]),
];

#[test]
fn the_data_of_every_case_is_as_the_standard_has_it() {
    for (name, stream, expected) in DATA {
        assert_eq!(data(stream), *expected, "{name}");
    }
}

#[test]
fn comments_are_passed_over_whatever_is_in_them_and_wherever_they_stand() {
    let long = "x".repeat(2 * 1024);
    let stream = format!("data:1\r:\0\n:\r\ndata:2\n:{long}\rdata:3\n:data:fail\r:{long}\ndata:4\n\n");
    assert_eq!(data(stream), ["1\n2\n3\n4"]);
}

#[test]
fn what_is_no_utf_8_becomes_replacement_characters_and_harms_nothing_else() {
    let cases: [(&[u8], &str); 6] = [
        (b"\xff", "\u{fffd}"),
        // Cut short: one for as much of it as could have begun a character.
        (b"\xe2\x82", "\u{fffd}"),
        (b"\xf0\x9f\x92x", "\u{fffd}x"),
        (b"\xed\xa0\x80", "\u{fffd}\u{fffd}\u{fffd}"),
        (b"\xc0\xaf", "\u{fffd}\u{fffd}"),
        (b"a\x80b", "a\u{fffd}b"),
    ];
    for (bytes, expected) in cases {
        let stream = [b"data:", bytes, b"\n\ndata:next\n\n"].concat();
        assert_eq!(data(stream), [expected, "next"], "{bytes:x?}");
    }
    assert_eq!(data(b"\xef\xbbdata:1\n\ndata:2\n\n"), ["2"], "half a byte order mark makes a name that is unknown");
    assert_eq!(data(b"d\xffata:1\ndata:2\n\n"), ["2"]);
}

#[test]
fn a_type_is_of_one_event_only() {
    let stream =
        read_however_cut(b"event:test\ndata:x\n\ndata:x\n\nevent:gone\n\ndata:y\n\nevent:a\nevent: b\ndata:z\n\n");
    let expected = [("test", "x", ""), ("message", "x", ""), ("message", "y", ""), ("b", "z", "")];
    assert_eq!(stream.messages.iter().map(named).collect::<Vec<_>>(), expected);
}

#[test]
fn an_id_stays_until_there_is_another_one() {
    let stream = read_however_cut(
        "id: …\ndata:a\n\ndata:b\n\nid: 2\n\ndata:c\n\nid\ndata:d\n\nid:5\ndata:e\n\nid:\ndata:f\n\n".as_bytes(),
    );
    let ids: Vec<(&str, &str)> = stream.messages.iter().map(|message| (&*message.data, &*message.id)).collect();
    assert_eq!(ids, [("a", "…"), ("b", "…"), ("c", "2"), ("d", ""), ("e", "5"), ("f", "")]);
    assert_eq!(stream.last_event_id, "");
}

#[test]
fn an_id_with_a_nul_is_none() {
    for id in ["\0\0", "x\0", "\0x", "x\0x", " \0"] {
        let stream = read_however_cut(format!("id:1\nid:{id}\ndata:a\n\n").as_bytes());
        assert_eq!(stream.messages.iter().map(named).collect::<Vec<_>>(), [("message", "a", "1")], "{id:?}");
    }
}

#[test]
fn the_id_of_an_event_that_is_not_complete_is_not_taken() {
    for stream in
        ["id:1\ndata:a\n\nid:2\ndata:b", "id:1\ndata:a\n\nid:2\ndata:b\n", "id:1\ndata:a\n\nid:2\n", "id:1\n\nid:2"]
    {
        assert_eq!(read_however_cut(stream.as_bytes()).last_event_id, "1", "{stream:?}");
    }
}

#[test]
fn a_pause_is_digits_and_nothing_else() {
    let cases = [
        ("retry:3000\n", Some(3_000)),
        ("retry: 03000\n", Some(3_000)),
        ("retry:3000\nretry:1000x\n", Some(3_000)),
        ("retry:3000\nretry\nretry:\nretry:-1\nretry:+1\nretry:1.5\nretry:  1\nretry:１\n", Some(3_000)),
        ("retry:1\nretry:0\n", Some(0)),
        ("retry:99999999999999999999999\n", Some(u64::MAX)),
        ("Retry:1\nretry :1\nretry", None),
    ];
    for (stream, expected) in cases {
        assert_eq!(read_however_cut(stream.as_bytes()).retry, expected.map(Duration::from_millis), "{stream:?}");
    }
}

/// The cases of `../shared`, which are JavaScript: Node says them as JSON, bytes in hexadecimal digits.
const SAY_CASES: &str = r#"
    const { cases } = await import(process.argv[1]);
    const hex = cases.map(({ name, chunks, expect }) => ({ name, expect, chunks: chunks.map((chunk) => chunk.toString("hex")) }));
    process.stdout.write(JSON.stringify(hex));
"#;

#[test]
fn the_cases_that_other_parsers_were_held_against_hold() {
    const CASES: &str = "harness/wire/sse-cases.mjs";
    if shared::read(CASES).is_none() {
        return;
    }
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(CASES);
    let Ok(said) = Command::new("node").args(["--input-type=module", "--eval", SAY_CASES]).arg(file).output() else {
        eprintln!("skipped: no node here to read {CASES}");
        return;
    };
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let cases: Vec<Value> = serde_json::from_slice(&said.stdout).expect("JSON");
    assert_eq!(cases.len(), 46);
    for case in &cases {
        let chunks: Vec<Vec<u8>> = case["chunks"].as_array().expect("chunks").iter().map(bytes).collect();
        let read = super::read(chunks.iter().map(Vec::as_slice));
        let got: Vec<Value> = read
            .messages
            .iter()
            .map(|message| serde_json::json!({ "type": *message.event, "data": message.data, "id": *message.id }))
            .collect();
        assert!(case["expect"] == Value::Array(got), "{}", case["name"]);
    }
}

fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().expect("text").as_bytes();
    let value = |digit: u8| char::from(digit).to_digit(16).expect("digit") as u8;
    digits.chunks(2).map(|two| value(two[0]) << 4 | value(two[1])).collect()
}
