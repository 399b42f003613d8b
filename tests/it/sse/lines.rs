//! The cases of LaunchDarkly's contract tests for clients, as ours: parsing, byte order marks, comments, line ends.

use super::{data, named, read, read_however_cut};
use spanwright::wire::parse::Parser;

#[test]
fn an_event_is_one_event_wherever_it_is_cut_into_pieces() {
    let pieces: [&[u8]; 7] = [b"da", b"ta: he", b"llo\n", b"\nda", b"ta: wor", b"ld\n", b"\n"];
    let data: Vec<_> = read(pieces).messages.into_iter().map(|message| message.data).collect();
    assert_eq!(data, ["hello", "world"]);
}

#[test]
fn an_event_is_there_as_soon_as_its_blank_line_is_whatever_ends_it() {
    for stream in ["data:a\n\n", "data:a\r\r", "data:a\r\n\r", "data:a\n\r", "data:a\r\n\n"] {
        let mut parser = Parser::new();
        parser.feed(stream.as_bytes()).expect("within the limit");
        assert_eq!(parser.next().map(|message| message.data).as_deref(), Some("a"), "{stream:?}");
        assert_eq!(parser.next(), None);
    }
}

/// Type, data and last event id of a message.
type Named = (&'static str, &'static str, &'static str);

/// Of each case a stream whose lines end with `\n`, and its messages.
const CASES: &[(&str, &[Named])] = &[
    ("data: Hello\n\n", &[("message", "Hello", "")]),
    ("data: Hello\n\ndata: World\n\n", &[("message", "Hello", ""), ("message", "World", "")]),
    ("event: greeting\ndata: Hello\n\n", &[("greeting", "Hello", "")]),
    ("id: abc\ndata: Hello\n\n", &[("message", "Hello", "abc")]),
    ("data: Hello\nid: abc\nevent: greeting\n\n", &[("greeting", "Hello", "abc")]),
    ("id: abc\ndata: Hello\n\ndata: World\n\n", &[("message", "Hello", "abc"), ("message", "World", "abc")]),
    ("id: abc\ndata: Hello\n\nid:\ndata: World\n\n", &[("message", "Hello", "abc"), ("message", "World", "")]),
    ("id: a\0c\ndata: Hello\n\n", &[("message", "Hello", "")]),
    ("unknown: x\ndata: Hello\nunknown\n\n", &[("message", "Hello", "")]),
    ("event:greeting\ndata:Hello\n\n", &[("greeting", "Hello", "")]),
    ("event:  greeting\ndata:  Hello \n\n", &[(" greeting", " Hello ", "")]),
    ("data\n\ndata\ndata\n\n", &[("message", "", ""), ("message", "\n", "")]),
    ("data: €豆腐🦀\n\n", &[("message", "€豆腐🦀", "")]),
    ("data: a\ndata:  b\ndata:\ndata: c\n\n", &[("message", "a\n b\n\nc", "")]),
    (": one\ndata: Hello\n\n", &[("message", "Hello", "")]),
    (": one\n: two\n\ndata: Hello\n: three\n\n:\n\n", &[("message", "Hello", "")]),
    ("\n\n\ndata: Hello\n\n\n\n", &[("message", "Hello", "")]),
];

#[test]
fn every_case_is_the_same_with_each_kind_of_line_end() {
    for (stream, expected) in CASES {
        for end in ["\n", "\r", "\r\n"] {
            let stream = stream.replace('\n', end);
            let read = read_however_cut(stream.as_bytes());
            assert_eq!(read.messages.iter().map(named).collect::<Vec<_>>(), *expected, "{stream:?}");
        }
    }
}

#[test]
fn one_byte_order_mark_at_the_start_is_no_part_of_any_case() {
    for (stream, expected) in CASES {
        let read = read_however_cut(format!("\u{feff}{stream}").as_bytes());
        assert_eq!(read.messages.iter().map(named).collect::<Vec<_>>(), *expected, "{stream:?}");
    }
    assert_eq!(data("data:a\n\n\u{feff}\n\ndata:b\n\n"), ["a", "b"], "a later one is a line of its own");
}

#[test]
fn line_ends_of_all_kinds_stand_beside_each_other() {
    assert_eq!(data("data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\rdata: e\r\r\n"), ["a\nb\nc", "d", "e"]);
}

#[test]
fn a_hundred_messages_come_in_order() {
    let stream: String = (0..100).map(|n| format!("id: {n}\ndata: {n}\n\n")).collect();
    let read = read_however_cut(stream.as_bytes());
    let expected: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    assert_eq!(read.messages.iter().map(|message| &*message.data).collect::<Vec<_>>(), expected);
    assert!(read.messages.iter().all(|message| message.id == *message.data));
    assert_eq!(read.last_event_id, "99");
}

#[test]
fn five_mebibytes_are_one_message_in_one_piece_and_in_many() {
    let text: String = (0..5 << 20).map(|at: u32| char::from(b'!' + (at.wrapping_mul(at) / 7 % 90) as u8)).collect();
    let stream = format!("data: {text}\n\n");
    for size in [stream.len(), stream.len() / 2, 65_536, 100] {
        let messages = read(stream.as_bytes().chunks(size)).messages;
        assert!(messages.len() == 1 && messages[0].data == text, "pieces of {size}");
    }
}
