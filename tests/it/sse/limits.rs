//! What a stream may cost: past the limit an event is passed over and told, and everything around it is there.

use spanwright::{Error, wire::parse::Parser};

const LIMIT: usize = 100;

/// The data of what is read with the limit, whole and byte by byte, and how often it was told that something is past it.
fn bounded(stream: &str) -> (Vec<String>, usize, String) {
    let mut ways = [stream.len().max(1), 1, 7].map(|size| {
        let mut parser = Parser::new().with_limit(LIMIT);
        let told = stream.as_bytes().chunks(size).filter_map(|piece| parser.feed(piece).err());
        let told = told.inspect(|error| assert!(error.is_too_large() && error.to_string().contains("100"), "{error}"));
        let told = told.count();
        (parser.by_ref().map(|message| message.data).collect(), told, parser.last_event_id().to_owned())
    });
    assert_eq!(ways[1], ways[2], "{stream:?}");
    // In one piece it is told once, however many they are.
    assert_eq!(ways[0].1, ways[1].1.min(1));
    ways[0].1 = ways[1].1;
    assert_eq!(ways[0], ways[1], "{stream:?}");
    ways[0].clone()
}

#[test]
fn a_line_of_the_limit_is_taken_and_a_longer_one_is_not() {
    let line = |length: usize| format!("data:{}\n\ndata:b\n\n", "x".repeat(length - 5));
    assert_eq!(bounded(&line(LIMIT)), (vec!["x".repeat(LIMIT - 5), "b".into()], 0, String::new()));
    assert_eq!(bounded(&line(LIMIT + 1)), (vec!["b".into()], 1, String::new()));
    assert_eq!(bounded(&line(10 * LIMIT)), (vec!["b".into()], 1, String::new()));
}

#[test]
fn an_event_of_many_lines_is_bounded_too() {
    let lines = |count: usize| format!("data:a\n\n{}id:7\n\ndata:b\n\n", "data:123456789\n".repeat(count));
    let (taken, told, id) = bounded(&lines(10));
    assert_eq!((taken.len(), taken[1].len(), told, &*id), (3, 99, 0, "7"));
    assert_eq!(bounded(&lines(11)), (vec!["a".into(), "b".into()], 1, "7".into()));
    assert_eq!(bounded(&lines(1_000)), (vec!["a".into(), "b".into()], 1, "7".into()), "told once");
    assert_eq!(bounded(&"data\n".repeat(LIMIT)).1, 0);
    assert_eq!(bounded(&"data\n".repeat(LIMIT + 2)).1, 1, "empty lines have their line feeds");
}

#[test]
fn bytes_that_are_no_text_do_not_grow_past_the_limit() {
    let mut parser = Parser::new().with_limit(LIMIT);
    // Each becomes three bytes.
    let stream = [b"data:", &[0xff; 50][..], b"\n\ndata:b\n\n"].concat();
    assert!(parser.feed(&stream).expect_err("too large").is_too_large());
    assert_eq!(parser.map(|message| message.data).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn what_is_past_the_limit_is_told_for_each_event_and_the_rest_goes_on() {
    let large = "x".repeat(2 * LIMIT);
    let stream =
        format!("id:1\ndata:{large}\ndata:{large}\n\ndata:a\n\n:{large}\nid:{large}\ndata:no\n\nid:2\ndata:b\n\n");
    assert_eq!(bounded(&stream), (vec!["a".into(), "b".into()], 2, "2".into()));
}

#[test]
fn an_end_forgets_that_something_was_past_the_limit() {
    let mut parser = Parser::new().with_limit(LIMIT);
    assert!(parser.feed(&[b'x'; 2 * LIMIT]).is_err());
    parser.end();
    parser.feed(b"data:a\n\n").expect("feed");
    assert_eq!(parser.count(), 1);
}

#[test]
fn a_long_id_is_held_once_by_all_that_have_it() -> Result<(), Error> {
    let mut parser = Parser::new();
    parser.feed(format!("id:{}\n", "x".repeat(1 << 20)).as_bytes())?;
    parser.feed("data\n\n".repeat(10_000).as_bytes())?;
    let messages: Vec<_> = parser.collect();
    assert_eq!(messages.len(), 10_000, "ten gigabytes if each had its own");
    assert!(messages.iter().all(|message| message.id.as_ptr() == messages[0].id.as_ptr()));
    Ok(())
}

#[test]
fn what_a_stream_says_is_not_in_the_debug_form_of_its_parser() {
    let mut parser = Parser::new();
    parser.feed(b"id:secret\ndata:secret\n\nevent:secret\ndata:secret\ndata:sec").expect("feed");
    assert!(!format!("{parser:?}").contains("sec"), "{parser:?}");
}
