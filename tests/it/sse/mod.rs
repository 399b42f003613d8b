//! Server-sent events: the parser against the standard, and the encoder against parsers.

mod alike;
mod any;
mod connections;
mod format;
mod limits;
mod lines;
mod round_trip;
mod targets;

use spanwright::wire::parse::{Message, Parser};
use std::time::Duration;

/// What a stream came to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stream {
    messages: Vec<Message>,
    last_event_id: String,
    retry: Option<Duration>,
}

/// Reads a stream that comes in these pieces, to its end. Messages are taken after each piece.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Stream {
    let mut parser = Parser::new();
    let mut messages = Vec::new();
    for piece in pieces {
        parser.feed(piece).expect("within the limit");
        messages.extend(parser.by_ref());
    }
    parser.end();
    Stream { messages, last_event_id: parser.last_event_id().to_owned(), retry: parser.retry() }
}

/// Reads a stream whole, in pieces of each small size, cut in two at every place, and with nothing between two pieces:
/// it must come to the same.
fn read_however_cut(bytes: &[u8]) -> Stream {
    let whole = read([bytes]);
    for size in 1..8 {
        assert_eq!(read(bytes.chunks(size)), whole, "pieces of {size}: {:?}", String::from_utf8_lossy(bytes));
    }
    for at in 0..bytes.len().min(600) {
        let (first, second) = bytes.split_at(at);
        let cut = read([first, &[], second]);
        assert_eq!(cut, whole, "cut at {at}: {:?}", String::from_utf8_lossy(bytes));
    }
    whole
}

/// Cuts the bytes at these places, each a share of their length.
fn cut<'a>(bytes: &'a [u8], places: &[f64]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|share| (share * bytes.len() as f64) as usize).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|two| &bytes[two[0]..two[1]]).collect()
}

fn named(message: &Message) -> (&str, &str, &str) {
    (&message.event, &message.data, &message.id)
}

/// The data of a stream of messages that have neither a type nor an id.
fn data(bytes: impl AsRef<[u8]>) -> Vec<String> {
    let messages = read_however_cut(bytes.as_ref()).messages;
    assert!(messages.iter().all(|message| message.event == "message" && message.id.is_empty()), "{messages:?}");
    messages.into_iter().map(|message| message.data).collect()
}
