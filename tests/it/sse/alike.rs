//! Any bytes at all: the parser agrees with itself however they are cut, with another one, and never gives up.

use super::{
    any::{self, SIGNS},
    cut, read, targets,
};
use futures_util::{FutureExt, StreamExt, stream};
use proptest::prelude::*;
use spanwright::wire::parse::Parser;
use std::convert::Infallible;

/// Bytes that look like a stream, and some that look like nothing.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let sign = prop::sample::select(SIGNS).prop_map(|sign| sign.as_bytes().to_vec());
    let piece = prop_oneof![8 => sign, 1 => prop::collection::vec(any::<u8>(), 0..6)];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A stream in UTF-8: what the other parser takes for an error is only what is not.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::text(), 0..10).prop_map(|texts| texts.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_the_same_stream_however_they_are_cut(bytes in bytes(), places in prop::collection::vec(0.0..1.0, 0..20)) {
        let whole = read([&*bytes]);
        prop_assert_eq!(&read(cut(&bytes, &places)), &whole);
        prop_assert_eq!(&read(bytes.chunks(1)), &whole);
    }

    #[test]
    fn past_the_limit_too_any_bytes_are_the_same_stream_however_they_are_cut(bytes in bytes(), size in 1..20_usize) {
        let read = |pieces: std::slice::Chunks<'_, u8>| {
            let mut parser = Parser::new().with_limit(12);
            let told = pieces.filter_map(|piece| parser.feed(piece).err()).filter(|error| error.is_too_large()).count();
            (parser.last_event_id().to_owned(), told > 0, parser.collect::<Vec<_>>())
        };
        let whole = read(bytes.chunks(usize::MAX));
        prop_assert!(whole.2.iter().all(|message| message.data.len() <= 12));
        prop_assert_eq!(read(bytes.chunks(size)), whole);
    }

    /// sseer 0.3.1 stands for the standard: it passes every case but one, that bytes which are no UTF-8 are replaced.
    #[test]
    fn any_text_is_read_as_another_parser_reads_it(text in text(), places in prop::collection::vec(0.0..1.0, 0..20)) {
        let ours = read([text.as_bytes()]).messages;
        let pieces = cut(text.as_bytes(), &places).into_iter().map(|piece| Ok::<_, Infallible>(piece.to_vec()));
        let theirs = sseer::event_stream::EventStream::new(stream::iter(pieces)).map(|event| event.expect("an event"));
        let theirs: Vec<_> = theirs.collect().now_or_never().expect("all is there");
        let ours: Vec<_> = ours.iter().map(|message| (&*message.event, &*message.data, &*message.id)).collect();
        let theirs: Vec<_> = theirs.iter().map(|event| (&*event.event, &*event.data, &*event.id)).collect();
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn what_the_fuzzers_ask_holds_for_bytes_that_are_made(bytes in bytes(), json in any::json_event(), at in 0.0..1.0, byte in any::<u8>()) {
        // JSON that is nearly an event: one byte of it is another.
        let mut nearly = json.clone().into_bytes();
        let at = (at * nearly.len() as f64) as usize;
        nearly[at] = byte;
        let cursor = format!("{:016x}-{}", bytes.len(), byte);
        for bytes in [&bytes, json.as_bytes(), &nearly, cursor.as_bytes()] {
            targets::sse_parse(bytes);
            targets::sse_roundtrip(bytes);
            targets::event_json(bytes);
            targets::cursor(bytes);
        }
    }
}
