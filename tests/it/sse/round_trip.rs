//! What the encoder writes is what is read: by our parser however it is cut, and by parsers that other people wrote.

use super::{
    any::{event, json_event},
    cut, read,
};
use eventsource_stream::Eventsource;
use futures_util::{FutureExt, StreamExt, stream};
use proptest::prelude::*;
use spanwright::{
    Cursor, StreamEvent,
    event::Body,
    wire::sse::{KEEP_ALIVE, write_frame, write_frame_without_id, write_retry},
};
use std::{convert::Infallible, time::Duration};

/// Type, data and last event id of a message.
type Named = (String, String, String);

/// What a message of this event must be.
fn expected(cursor: Cursor, event: &StreamEvent) -> Named {
    let tag = match &event.body {
        Body::Unknown(unknown) => unknown.tag.replace(['\n', '\r', '\0'], ""),
        known => known.tag().to_owned(),
    };
    let tag = if tag.is_empty() { "message".to_owned() } else { tag };
    (tag, event.to_json(), cursor.to_string())
}

fn encode(events: &[StreamEvent]) -> (String, Vec<Named>) {
    let (mut text, mut messages) = (String::new(), Vec::new());
    for (event, offset) in events.iter().zip(1..) {
        let cursor = Cursor::new(u64::MAX - offset, offset);
        write_frame(cursor, event, &mut text);
        messages.push(expected(cursor, event));
    }
    (text, messages)
}

fn by_eventsource_stream(pieces: &[&[u8]]) -> Vec<Named> {
    let bytes = stream::iter(pieces.iter().map(|piece| Ok::<_, Infallible>(piece.to_vec())));
    let events = bytes.eventsource().map(|event| event.expect("an event"));
    events.map(|event| (event.event, event.data, event.id)).collect().now_or_never().expect("all is there")
}

fn by_sseer(pieces: &[&[u8]]) -> Vec<Named> {
    let bytes = stream::iter(pieces.iter().map(|piece| Ok::<_, Infallible>(piece.to_vec())));
    let events = sseer::event_stream::EventStream::new(bytes).map(|event| event.expect("an event"));
    let events = events.map(|event| (event.event.to_string(), event.data.to_string(), event.id.to_string()));
    events.collect().now_or_never().expect("all is there")
}

fn by_sse_stream(pieces: &[&[u8]]) -> Vec<Named> {
    let bytes = stream::iter(pieces.iter().map(|piece| Ok::<_, Infallible>(*piece)));
    let events = sse_stream::SseByteStream::new(bytes).map(|event| event.expect("an event"));
    let events = events.map(|event| {
        let tag = event.event.filter(|tag| !tag.is_empty()).unwrap_or_else(|| "message".into());
        (tag, event.data.expect("data"), event.id.expect("id"))
    });
    events.collect().now_or_never().expect("all is there")
}

fn by_ours(pieces: &[&[u8]]) -> Vec<Named> {
    let messages = read(pieces.iter().copied()).messages;
    messages.into_iter().map(|message| (message.event.to_string(), message.data, message.id.to_string())).collect()
}

proptest! {
    #[test]
    fn what_is_encoded_is_what_is_read_however_it_is_cut(
        events in prop::collection::vec(event(), 1..6), places in prop::collection::vec(0.0..1.0, 0..30),
    ) {
        let (text, messages) = encode(&events);
        prop_assert_eq!(text.lines().count(), 4 * events.len(), "nothing splits a frame: {:?}", text);
        let pieces = cut(text.as_bytes(), &places);
        prop_assert_eq!(&by_ours(&pieces), &messages);
        for (event, (_, data, cursor)) in events.iter().zip(&messages) {
            let back = StreamEvent::from_json(data).expect("an event");
            prop_assert_eq!(back.to_json(), event.to_json());
            prop_assert!(cursor.parse::<Cursor>().is_ok());
        }
    }

    #[test]
    fn what_was_read_once_is_the_same_event_ever_after(json in json_event()) {
        let data = |event: &StreamEvent| {
            let mut text = String::new();
            write_frame_without_id(event, &mut text);
            read([text.as_bytes()]).messages.remove(0).data
        };
        let event = StreamEvent::from_json(&json).expect("an event");
        let once = StreamEvent::from_json(&data(&event)).expect("an event");
        let twice = StreamEvent::from_json(&data(&once)).expect("an event");
        prop_assert_eq!(&once, &twice);
        let tree = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        prop_assert_eq!(tree(&once.to_json()), tree(&event.to_json()));
    }

    #[test]
    fn parsers_of_other_people_read_what_is_encoded_to_the_same_messages(
        events in prop::collection::vec(event(), 1..6), places in prop::collection::vec(0.0..1.0, 0..30),
    ) {
        let (text, messages) = encode(&events);
        let pieces = cut(text.as_bytes(), &places);
        prop_assert_eq!(&by_eventsource_stream(&pieces), &messages, "eventsource-stream");
        prop_assert_eq!(&by_sseer(&pieces), &messages, "sseer");
        prop_assert_eq!(&by_sse_stream(&pieces), &messages, "sse-stream");
    }

    #[test]
    fn what_has_no_id_leaves_the_last_one_as_it_is(event in event(), told in event(), pause in 0..u64::from(u32::MAX)) {
        let (pause, mut text) = (Duration::from_millis(pause), String::new());
        write_retry(pause, &mut text);
        write_frame(Cursor::new(1, 2), &event, &mut text);
        text.push_str(KEEP_ALIVE);
        write_frame_without_id(&told, &mut text);
        text.push_str(KEEP_ALIVE);
        let stream = read([text.as_bytes()]);
        prop_assert_eq!(stream.messages.len(), 2);
        prop_assert_eq!(&*stream.messages[1].id, "0000000000000001-2");
        prop_assert_eq!(stream.messages[1].data.as_str(), told.to_json());
        prop_assert_eq!((stream.last_event_id.as_str(), stream.retry), ("0000000000000001-2", Some(pause)));
    }
}
