//! Values that are too long, shortened inside: what was valid JSON stays valid, and says what was cut.

use crate::{json, policy};
use std::borrow::Cow;

/// Strings inside of a value are not made shorter than this: there is always room to say that they were cut.
const SHORTEST: usize = 96;
/// A bound below this is taken as this.
const SMALLEST: usize = 256;

pub(super) fn at_least(max: usize) -> usize {
    max.max(SMALLEST)
}

/// A text of at most `max` bytes.
pub(super) fn text(text: &str, max: usize) -> Cow<'_, str> {
    match text.len() > max {
        true => Cow::Owned(policy::cut(text, text, max)),
        false => Cow::Borrowed(text),
    }
}

/// Writes with ever shorter strings until the whole is no longer than `max`; false when it never is.
pub(super) fn fit(max: usize, out: &mut String, mut write: impl FnMut(usize, &mut String)) -> bool {
    let mut longest = max;
    loop {
        out.clear();
        write(longest, out);
        if out.len() <= max {
            return true;
        }
        if longest == SHORTEST {
            return false;
        }
        longest = (longest / 2).max(SHORTEST);
    }
}

/// JSON of at most `max` bytes. Strings in it are shortened; where it has too many things for that, its beginning is
/// given as a text in an object, as everywhere in the record.
pub(super) fn json(text: &str, max: usize, out: &mut String) {
    if !fit(max, out, |longest, out| shorten(text, longest, out)) {
        out.clear();
        write_beginning(text, max, out);
    }
}

fn write_beginning(text: &str, max: usize, out: &mut String) {
    out.push_str("{\"truncated_bytes\":");
    out.push_str(itoa::Buffer::new().format(text.len()));
    out.push_str(",\"beginning\":");
    // Escaped, a text of quotes doubles and one of control characters is six times as long.
    let room = (max - out.len() - "\"\"}".len()) / 6;
    let end = (0..=room.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    json::write_str(&text[..end], out);
    out.push('}');
}

/// Copies JSON; strings in it are `longest` bytes at most.
pub(super) fn shorten(text: &str, longest: usize, out: &mut String) {
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        out.push_str(&rest[..start]);
        let end = string_end(&rest.as_bytes()[start..]);
        let quoted = &rest[start..start + end];
        match quoted.len() > longest + 2 {
            true => write_short(quoted, longest, out),
            false => out.push_str(quoted),
        }
        rest = &rest[start + end..];
    }
    out.push_str(rest);
}

fn write_short(quoted: &str, longest: usize, out: &mut String) {
    match serde_json::from_str::<Cow<'_, str>>(quoted) {
        Ok(whole) => json::write_str(&text(&whole, longest), out),
        Err(_) => out.push_str(quoted),
    }
}

/// After the closing quote of the string that begins here.
fn string_end(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(place) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| matches!(b, b'"' | b'\\'))) {
        match bytes[at + place] {
            b'"' => return at + place + 1,
            _ => at += place + 2,
        }
    }
    bytes.len()
}
