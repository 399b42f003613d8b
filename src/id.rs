//! Ids of executions, steps and events: W3C-sized, so that one can be pasted into any tracing back end.

use crate::{Error, json};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// Foreign ids are accepted up to this many bytes.
pub const MAX_ID_BYTES: usize = 128;

/// Id of one execution: `exec_` and 32 hex digits, time-ordered; the digits are its OpenTelemetry trace id.
///
/// Ids of other systems are accepted as they are (1 to 128 bytes, no control characters); their trace id is a stable
/// hash of the text. An id is never used as a path.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ExecutionId(Repr<[u8; 16]>);

/// Id of one step: `step_` and 16 hex digits, which are its OpenTelemetry span id. Foreign ids as in [`ExecutionId`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StepId(Repr<[u8; 8]>);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr<Bytes> {
    Native(Bytes),
    /// A box more than needed, so that a reference is one word: ids are in every event, and foreign ones are rare.
    Foreign(Arc<Box<str>>),
}

impl ExecutionId {
    /// A new id: 48 bits of Unix milliseconds, then 80 random bits.
    #[expect(clippy::new_without_default, reason = "a fresh random id is not a default value")]
    pub fn new() -> Self {
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let random = fastrand::u128(..) & ((1 << 80) - 1);
        Self::from_trace_id(((millis << 80) | random).max(1))
    }

    /// The id whose trace id this is. Zero is not a trace id (W3C Trace Context, `trace-id`) and becomes 1.
    pub fn from_trace_id(trace_id: u128) -> Self {
        Self(Repr::Native(trace_id.max(1).to_be_bytes()))
    }

    /// When an id of ours was made, in Unix ms; none for a foreign one.
    pub(crate) fn created_ms(&self) -> Option<u128> {
        matches!(self.0, Repr::Native(_)).then(|| self.trace_id() >> 80)
    }

    /// The OpenTelemetry trace id: the id's own 128 bits, or a stable hash of a foreign id.
    pub fn trace_id(&self) -> u128 {
        match &self.0 {
            Repr::Native(bytes) => u128::from_be_bytes(*bytes),
            Repr::Foreign(text) => stable_hash(text).max(1),
        }
    }
}

impl StepId {
    /// A new random id.
    #[expect(clippy::new_without_default, reason = "a fresh random id is not a default value")]
    pub fn new() -> Self {
        Self::from_span_id(fastrand::u64(1..))
    }

    /// The id whose span id this is. Zero is not a span id (W3C Trace Context, `parent-id`) and becomes 1.
    pub fn from_span_id(span_id: u64) -> Self {
        Self(Repr::Native(span_id.max(1).to_be_bytes()))
    }

    /// The OpenTelemetry span id: the id's own 64 bits, or a stable hash of a foreign id.
    pub fn span_id(&self) -> u64 {
        match &self.0 {
            Repr::Native(bytes) => u64::from_be_bytes(*bytes),
            Repr::Foreign(text) => ((stable_hash(text) >> 64) as u64).max(1),
        }
    }
}

/// FNV-1a in 128 bits: the same text gives the same id in every process and version. Not for secrets.
fn stable_hash(text: &str) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    text.bytes().fold(BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

/// Whether a text is one that names something: 1 byte to `most`, and no control characters.
pub(crate) fn check_text(what: &str, text: &str, most: usize) -> Result<(), Error> {
    if text.is_empty() || text.len() > most {
        return Err(Error::invalid(format!("{what} of {} bytes: 1 to {most} are accepted", text.len())));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(Error::invalid(format!("{what} holds the control character {c:?}: none are accepted"))),
        None => Ok(()),
    }
}

/// Appends two digits for each byte, 16 bytes at most.
fn write_hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 32];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    // Digits are text.
    out.push_str(str::from_utf8(&text[..2 * bytes.len()]).unwrap_or_default());
}

/// Lower-case digits only, as W3C Trace Context writes them; another spelling is a foreign id and kept as it is.
fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; N];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    (bytes != [0; N]).then_some(bytes)
}

macro_rules! w3c_id {
    ($name:ident, $prefix:literal, $what:literal) => {
        impl $name {
            /// Reads an id, ours or another system's.
            ///
            /// # Errors
            /// `is_invalid` when it is empty, longer than 128 bytes or holds a control character.
            pub fn parse(text: &str) -> Result<Self, Error> {
                if let Some(bytes) = text.strip_prefix($prefix).and_then(parse_hex) {
                    return Ok(Self(Repr::Native(bytes)));
                }
                check_text($what, text, MAX_ID_BYTES)?;
                Ok(Self(Repr::Foreign(Arc::new(text.into()))))
            }

            pub(crate) fn heap_bytes(&self) -> usize {
                match &self.0 {
                    Repr::Native(_) => 0,
                    Repr::Foreign(text) => text.len(),
                }
            }

            /// Appends the id as a JSON string.
            pub(crate) fn write_json(&self, out: &mut String) {
                match &self.0 {
                    Repr::Native(bytes) => {
                        out.push_str(concat!("\"", $prefix));
                        write_hex(bytes, out);
                        out.push('"');
                    }
                    Repr::Foreign(text) => json::write_str(text, out),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match &self.0 {
                    Repr::Native(bytes) => {
                        let mut text = String::from($prefix);
                        write_hex(bytes, &mut text);
                        f.pad(&text)
                    }
                    Repr::Foreign(text) => f.pad(text),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("an ", $what))
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::parse(text).map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }
    };
}

w3c_id!(ExecutionId, "exec_", "execution id");
w3c_id!(StepId, "step_", "step id");

/// A place in the record: the epoch of the log that gave it out, and an offset that counts every event from 1.
///
/// Written `<epoch as 16 hex digits>-<offset>`, short ASCII that every SSE client can send back as `Last-Event-ID`.
/// The epoch is random and changes whenever the log is opened, so an offset that a crash took back is never mistaken
/// for the one that replaced it; it is never a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Cursor {
    /// Which opening of the log.
    pub epoch: u64,
    /// How many events had been numbered, this one included.
    pub offset: u64,
}

impl Cursor {
    /// The place after `offset` events of `epoch`.
    pub const fn new(epoch: u64, offset: u64) -> Self {
        Self { epoch, offset }
    }

    /// Appends the cursor's text: once for each frame, so without the ways of `fmt`.
    pub(crate) fn write(self, out: &mut String) {
        write_hex(&self.epoch.to_be_bytes(), out);
        out.push('-');
        out.push_str(itoa::Buffer::new().format(self.offset));
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        f.write_str(&text)
    }
}

impl std::str::FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parsed = text.split_once('-').and_then(|(epoch, offset)| {
            let digits = offset.bytes().all(|b| b.is_ascii_digit());
            let epoch = u64::from_be_bytes(parse_hex::<8>(epoch)?);
            digits.then(|| Some(Self { epoch, offset: offset.parse().ok()? })).flatten()
        });
        parsed.ok_or_else(|| {
            let shown: String = text.chars().take(64).collect();
            Error::invalid(format!("cursor {shown:?}: 16 hex digits, '-' and a number are accepted"))
        })
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Id of one persisted event: `evt_` and the 32 hex digits of its cursor, so it never repeats and needs no storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventId(Cursor);

impl EventId {
    /// The id of the event at this cursor.
    pub const fn at(cursor: Cursor) -> Self {
        Self(cursor)
    }

    /// Where the event stands in its log.
    pub const fn cursor(self) -> Cursor {
        self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "evt_{:016x}{:016x}", self.0.epoch, self.0.offset)
    }
}

impl std::str::FromStr for EventId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = text.strip_prefix("evt_").and_then(parse_hex::<16>);
        let number = bytes.map(u128::from_be_bytes).ok_or_else(|| {
            let shown: String = text.chars().take(64).collect();
            Error::invalid(format!("event id {shown:?}: evt_ and 32 hex digits are accepted"))
        })?;
        Ok(Self(Cursor::new((number >> 64) as u64, number as u64)))
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
