//! JSON as the pipeline handles it: payloads stay text, and events are written without a tree in between.

use crate::{Error, Text};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use std::fmt;

/// A JSON payload, kept as the text it came as: never parsed on the way through, so a deep or wide document costs what
/// its bytes cost (a tree of it can need 98 times that).
///
/// At most [`MAX_BYTES`](Json::MAX_BYTES) long and [`MAX_DEPTH`](Json::MAX_DEPTH) deep when read from outside. A clone
/// is cheap. Two payloads are equal when their texts are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(Text);

impl Json {
    /// The longest payload that is read, in bytes.
    pub const MAX_BYTES: usize = 1 << 20;
    /// The deepest nesting that is read.
    pub const MAX_DEPTH: usize = 64;
    /// How much is kept of what is too long, in bytes: more than a content policy keeps of a text where nothing else is
    /// said, so that the policy does the cutting and sees what stands at the cut whole.
    const BEGINNING_BYTES: usize = 80 << 10;

    /// Reads a JSON text.
    ///
    /// # Errors
    /// `is_invalid` when it is not one JSON value, is too long or nested too deeply.
    pub fn parse(text: &str) -> Result<Self, Error> {
        check_limits(text)?;
        serde_json::from_str::<de::IgnoredAny>(text)
            .map_err(|source| Error::invalid("payload is not JSON").with_source(source))?;
        Ok(Self(text.into()))
    }

    /// The JSON form of any value. What has none (a map with non-text keys, a failing `Serialize`) becomes its error
    /// message as a JSON string: an event is never lost over its payload. What is too long or too deep to be read back
    /// becomes `{"truncated_bytes": …, "beginning": "…"}`.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        match serde_json::to_string(value) {
            Ok(text) => Self::bounded(text),
            Err(error) => Self::text(&format!("not JSON: {error}")),
        }
    }

    /// A JSON string holding this text; of too long a one the beginning, as in [`of`](Json::of).
    pub fn text(text: &str) -> Self {
        let mut out = String::with_capacity(text.len() + 2);
        write_str(text, &mut out);
        Self::bounded(out)
    }

    /// JSON text taken as it is where it is JSON, else as a string: for attributes that hold either.
    pub fn parse_or_text(text: &str) -> Self {
        match serde_json::from_str::<de::IgnoredAny>(text) {
            Ok(_) => Self::bounded(text.to_owned()),
            Err(_) => Self::text(text),
        }
    }

    /// What is written must be what can be read: JSON past the limits is replaced by its beginning.
    fn bounded(text: String) -> Self {
        if check_limits(&text).is_ok() {
            return Self(text.into());
        }
        let end = (0..=Self::BEGINNING_BYTES.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let mut out = format!("{{\"truncated_bytes\":{},\"beginning\":", text.len());
        write_str(&text[..end], &mut out);
        out.push('}');
        Self(out.into())
    }

    /// JSON that this library wrote itself, of parts that are within the limits.
    pub(crate) fn written(text: String) -> Self {
        Self(text.into())
    }

    /// JSON's `null`.
    pub fn null() -> Self {
        Self(Text::from_static("null"))
    }

    /// The payload's own text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The payload as a tree; `null` where it holds numbers that a tree cannot.
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }
}

/// Length and nesting, before anything is built from the text.
fn check_limits(text: &str) -> Result<(), Error> {
    if text.len() > Json::MAX_BYTES {
        let message = format!("payload of {} bytes: at most {} are accepted", text.len(), Json::MAX_BYTES);
        return Err(Error::invalid(message));
    }
    // Looked at as a whole this is quick, and where there are so few, they are not nested deeper.
    if text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() <= Json::MAX_DEPTH {
        return Ok(());
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > Json::MAX_DEPTH {
            let message = format!("payload nested deeper than {}, which is the limit", Json::MAX_DEPTH);
            return Err(Error::invalid(message));
        }
    }
    Ok(())
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self::bounded(value.to_string())
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = String::with_capacity(self.0.len());
        self.write_json(&mut line);
        RawValue::from_string(line).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        check_limits(raw.get()).map_err(de::Error::custom)?;
        Ok(Self(raw.get().into()))
    }
}

/// Writes a value as JSON at the end of a text. What `serde_json` would write, at a fraction of its cost: keys are
/// literals, and short texts are copied without a look at each character.
pub(crate) trait WriteJson {
    fn write_json(&self, out: &mut String);
}

impl WriteJson for u64 {
    fn write_json(&self, out: &mut String) {
        out.push_str(itoa::Buffer::new().format(*self));
    }
}

impl WriteJson for i64 {
    fn write_json(&self, out: &mut String) {
        out.push_str(itoa::Buffer::new().format(*self));
    }
}

impl WriteJson for bool {
    fn write_json(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

/// JSON has no NaN and no infinity (RFC 8259, section 6): they are written as `null` and read back as NaN.
impl WriteJson for f64 {
    fn write_json(&self, out: &mut String) {
        if self.is_finite() {
            out.push_str(ryu::Buffer::new().format_finite(*self));
        } else {
            out.push_str("null");
        }
    }
}

impl WriteJson for str {
    fn write_json(&self, out: &mut String) {
        write_str(self, out);
    }
}

impl WriteJson for Text {
    fn write_json(&self, out: &mut String) {
        write_str(self, out);
    }
}

impl WriteJson for Json {
    fn write_json(&self, out: &mut String) {
        // A payload may hold line breaks between its tokens; one event is one line in every sink.
        if self.0.bytes().any(|b| b == b'\n' || b == b'\r') {
            self.0.split(['\n', '\r']).for_each(|line| out.push_str(line));
        } else {
            out.push_str(&self.0);
        }
    }
}

impl<T: WriteJson> WriteJson for Vec<T> {
    fn write_json(&self, out: &mut String) {
        out.push('[');
        for (index, item) in self.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            item.write_json(out);
        }
        out.push(']');
    }
}

/// Appends `text` as a JSON string (RFC 8259, section 7).
pub(crate) fn write_str(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut rest = text;
    while let Some(at) = first_escape(rest.as_bytes()) {
        out.push_str(&rest[..at]);
        write_escape(rest.as_bytes()[at], out);
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// Where the first byte stands that JSON wants escaped. Eight bytes are looked at in one step, as the next one is near
/// in most texts; after four such steps without one, the text is taken as prose, in steps of 32.
fn first_escape(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    let mut steps = 0;
    while let Some((eight, after)) = rest.split_first_chunk::<8>() {
        let found = escapes(u64::from_le_bytes(*eight));
        if found != 0 {
            return Some(bytes.len() - rest.len() + first(found));
        }
        rest = after;
        steps += 1;
        if steps == 4 {
            rest = skip_prose(rest);
        }
    }
    let mut last = [b' '; 8];
    last[..rest.len()].copy_from_slice(rest);
    let found = escapes(u64::from_le_bytes(last));
    (found != 0).then(|| bytes.len() - rest.len() + first(found))
}

/// The index of the first byte that is marked.
const fn first(marked: u64) -> usize {
    (marked.trailing_zeros() / 8) as usize
}

/// Written so that the compiler compares 16 bytes at once.
fn skip_prose(mut bytes: &[u8]) -> &[u8] {
    while let Some((step, after)) = bytes.split_first_chunk::<32>()
        && !step.iter().fold(false, |any, &b| any | (b < 0x20) | (b == b'"') | (b == b'\\'))
    {
        bytes = after;
    }
    bytes
}

/// The high bit of each of eight bytes that is a control character, a quote or a backslash. Exact up to the first such
/// byte (a borrow may mark bytes after it), and never wrong about there being one: bytes of multi-byte characters have
/// their high bit set, which the mask leaves out.
const fn escapes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES * 0x80;
    let below_space = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (below_space | quote | backslash) & !word & HIGH
}

fn write_escape(byte: u8, out: &mut String) {
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b'\n' => out.push_str("\\n"),
        b'\r' => out.push_str("\\r"),
        b'\t' => out.push_str("\\t"),
        0x08 => out.push_str("\\b"),
        0x0c => out.push_str("\\f"),
        other => {
            const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
            out.push_str("\\u00");
            out.push(DIGITS[usize::from(other >> 4)]);
            out.push(DIGITS[usize::from(other & 15)]);
        }
    }
}
