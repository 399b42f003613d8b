//! One client over several connections: what goes on after an end, and what does not.

use spanwright::wire::parse::Parser;
use std::time::Duration;

#[test]
fn what_was_not_complete_at_the_end_does_not_run_into_the_next_stream() {
    for rest in ["data:lost", "data:lost\n", "event:lost\n", "id:lost\n", ": comment", "data:lost\r", "\u{feff}"] {
        let mut parser = Parser::new();
        parser.feed(b"id:1\nretry:5\ndata:a\n\n").expect("feed");
        parser.feed(rest.as_bytes()).expect("feed");
        parser.end();
        assert_eq!(parser.last_event_id(), "1", "{rest:?}");
        parser.feed(b"\ndata:b\n\n").expect("feed");
        let seen: Vec<_> = parser.by_ref().map(|message| (message.event, message.data, message.id)).collect();
        let expected = [("message", "a", "1"), ("message", "b", "1")];
        assert_eq!(seen, expected.map(|(event, data, id)| (event.into(), data.to_owned(), id.into())), "{rest:?}");
        assert_eq!(parser.retry(), Some(Duration::from_millis(5)));
    }
}

#[test]
fn each_connection_may_begin_with_a_byte_order_mark() {
    let mut parser = Parser::new();
    for _ in 0..3 {
        parser.feed("\u{feff}data:a\n\n".as_bytes()).expect("feed");
        parser.end();
    }
    assert_eq!(parser.count(), 3);
}

#[test]
fn a_client_that_comes_back_has_the_id_that_it_came_with() {
    let mut parser = Parser::new().with_last_event_id("41");
    assert_eq!(parser.last_event_id(), "41");
    parser.feed(b"data:a\n\nid:42\ndata:b\n\n").expect("feed");
    assert_eq!(parser.by_ref().map(|message| message.id.to_string()).collect::<Vec<_>>(), ["41", "42"]);
}
