//! What must hold for any bytes from outside: readers say yes or no, and what they take they give back.

use spanwright::{
    Cursor, StreamEvent,
    wire::{
        parse::{Message, Parser},
        sse::{write_frame, write_retry},
    },
};
use std::time::Duration;

/// The longest line and event that is taken here: so short that the limit is reached.
const LIMIT: usize = 64;

/// A stream of server-sent events. The first byte says in pieces of how many bytes it comes: they change nothing.
pub(crate) fn sse_parse(bytes: &[u8]) {
    let Some((size, stream)) = bytes.split_first() else { return };
    let whole = parse(stream, stream.len().max(1));
    assert_eq!(parse(stream, usize::from(*size).max(1)), whole);
    assert!(whole.messages.iter().all(|message| message.data.len() <= LIMIT && !message.id.contains('\0')));
}

#[derive(Debug, PartialEq)]
struct Parsed {
    messages: Vec<Message>,
    last_event_id: String,
    retry: Option<Duration>,
    is_too_large: bool,
}

fn parse(stream: &[u8], size: usize) -> Parsed {
    let mut parser = Parser::new().with_limit(LIMIT);
    let (mut messages, mut is_too_large) = (Vec::new(), false);
    for piece in stream.chunks(size) {
        is_too_large |= parser.feed(piece).is_err();
        messages.extend(parser.by_ref());
    }
    parser.end();
    Parsed { messages, last_event_id: parser.last_event_id().to_owned(), retry: parser.retry(), is_too_large }
}

/// An event from outside, as it goes on to a client: one message, and in it the same event.
pub(crate) fn sse_roundtrip(bytes: &[u8]) {
    let Ok(event) = StreamEvent::from_json(&String::from_utf8_lossy(bytes)) else { return };
    let cursor = Cursor::new(0xabc, bytes.len() as u64);
    let mut frame = String::new();
    write_retry(Duration::from_millis(7), &mut frame);
    write_frame(cursor, &event, &mut frame);
    let mut parser = Parser::new();
    parser.feed(frame.as_bytes()).expect("an event is within what is accepted");
    let messages: Vec<Message> = parser.by_ref().collect();
    assert_eq!(messages.len(), 1, "{frame:?}");
    assert_eq!((messages[0].data.as_str(), &*messages[0].id), (&*event.to_json(), &*cursor.to_string()));
    assert_eq!(parser.retry(), Some(Duration::from_millis(7)));
}

/// The JSON form of an event: what was read once is the same ever after.
pub(crate) fn event_json(bytes: &[u8]) {
    let Ok(event) = StreamEvent::from_json(&String::from_utf8_lossy(bytes)) else { return };
    let text = event.to_json();
    assert!(!text.contains(['\n', '\r']), "{text:?}");
    let back = StreamEvent::from_json(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
    assert_eq!(back.to_json(), text);
}

/// A cursor from a client.
pub(crate) fn cursor(bytes: &[u8]) {
    let Ok(cursor) = String::from_utf8_lossy(bytes).parse::<Cursor>() else { return };
    assert_eq!(cursor.to_string().parse::<Cursor>().ok(), Some(cursor));
}
