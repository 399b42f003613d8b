//! Server-sent events, as the WHATWG HTML standard defines them (section 9.2): the encoder.

use super::told::Told;
use crate::{Cursor, StreamEvent, event::Body};
use std::time::Duration;

/// Appends one event as a frame, with an id where it has a cursor.
pub(crate) fn write(cursor: Option<Cursor>, event: &StreamEvent, out: &mut String) {
    match cursor {
        Some(cursor) => write_frame(cursor, event, out),
        None => write_frame_without_id(event, out),
    }
}

/// Appends one event as a frame: `event:` its type, `data:` its JSON, `id:` its cursor, and the blank line that ends it.
/// Line ends are LF only (some clients read nothing else).
///
/// The id is the last line: there are clients that take it as they read it, and not at the blank line. One that is cut
/// off between an id and its data would never see the event.
///
/// Nothing can split a frame: the id is made of hex digits, the JSON is one line, and a `type` of another version that
/// holds a line break loses it ("If the field value contains U+000A or U+000D", it would end the field).
pub fn write_frame(cursor: Cursor, event: &StreamEvent, out: &mut String) {
    write_body(event, out);
    write_id(cursor, out);
    out.push('\n');
}

/// The same without an id: for events of the stream itself, from which a client must not resume.
pub fn write_frame_without_id(event: &StreamEvent, out: &mut String) {
    write_body(event, out);
    out.push('\n');
}

fn write_body(event: &StreamEvent, out: &mut String) {
    out.push_str("event: ");
    match &event.body {
        Body::Unknown(event) => out.extend(event.tag.split(['\n', '\r', '\0'])),
        known => out.push_str(known.tag()),
    }
    out.push_str("\ndata: ");
    event.write_json(out);
    out.push('\n');
}

/// Appends how long a client waits before it reconnects: ASCII digits, in ms. Once in a stream, as the first line of
/// its first frame.
pub fn write_retry(pause: Duration, out: &mut String) {
    use std::fmt::Write;
    // Writing to a String cannot fail.
    let _ = writeln!(out, "retry: {}", pause.as_millis());
}

/// Appends a place to resume from and nothing else: a block without data sets the client's last id and is no event
/// ("Set the last event ID string … If the data buffer is an empty string …, return", WHATWG HTML 9.2.6).
pub fn write_bookmark(cursor: Cursor, out: &mut String) {
    write_id(cursor, out);
    out.push('\n');
}

/// Appends the line that makes a cursor the client's last id.
pub(crate) fn write_id(cursor: Cursor, out: &mut String) {
    write_place(cursor, &Told::default(), out);
}

/// The line by which a client comes back to a [`Translator`](super::Translator), maybe in the middle of texts.
pub fn write_place(cursor: Cursor, told: &Told, out: &mut String) {
    out.push_str("id: ");
    cursor.write(out);
    told.write(out);
    out.push('\n');
}

/// A comment: a line that clients skip, which keeps the line up.
pub const KEEP_ALIVE: &str = ": keep-alive\n\n";
