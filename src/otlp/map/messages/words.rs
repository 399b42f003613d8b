//! A text of a message. What came out of JSON is kept as it stands there for as long as nobody reads it: most of it goes
//! into JSON again, and is then copied.

use super::reader::Reader;
use crate::{
    json,
    otlp::map::{content, cut},
};
use std::borrow::Cow;

#[derive(Debug, Clone)]
pub(in crate::otlp::map) enum Words<'a> {
    Plain(Cow<'a, str>),
    /// A string of JSON, quotes included, that is escaped as we would do it.
    Quoted(&'a str),
}

/// A string of JSON, quotes included.
#[derive(Debug, Clone, Copy)]
pub(in crate::otlp::map) struct Quoted<'a> {
    json: &'a str,
    escapes: Escapes,
}

/// How what must be escaped in a string is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::otlp::map) enum Escapes {
    None,
    /// As [`json::write_str`] does it.
    Ours,
    Others,
}

impl Escapes {
    /// Of what stands behind a backslash. A control character that has a letter has no number.
    pub(super) fn of(rest: &[u8]) -> Self {
        match rest {
            [b'"' | b'\\' | b'n' | b'r' | b't' | b'b' | b'f', ..] => Self::Ours,
            [b'u', b'0', b'0', b'0', b'0'..=b'7' | b'b' | b'e' | b'f', ..] => Self::Ours,
            [b'u', b'0', b'0', b'1', b'0'..=b'9' | b'a'..=b'f', ..] => Self::Ours,
            _ => Self::Others,
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Others, _) | (_, Self::Others) => Self::Others,
            (Self::None, Self::None) => Self::None,
            _ => Self::Ours,
        }
    }
}

impl<'a> Quoted<'a> {
    pub(super) fn new(json: &'a str, escapes: Escapes) -> Self {
        Self { json, escapes }
    }

    pub(super) fn json(self) -> &'a str {
        self.json
    }

    /// What stands between the quotes.
    pub(super) fn inside(self) -> &'a str {
        &self.json[1..self.json.len() - 1]
    }

    /// What it says, where nothing in it is escaped.
    pub(super) fn unescaped(self) -> Option<&'a str> {
        (self.escapes == Escapes::None).then(|| self.inside())
    }

    /// What it says; none where that is no text, as of half a surrogate pair.
    pub(super) fn decoded(self) -> Option<Cow<'a, str>> {
        match self.escapes {
            Escapes::None => Some(Cow::Borrowed(self.inside())),
            _ => serde_json::from_str::<String>(self.json).ok().map(Cow::Owned),
        }
    }

    pub(super) fn words(self) -> Option<Words<'a>> {
        match self.escapes {
            Escapes::Others => self.decoded().map(Words::Plain),
            _ => Some(Words::Quoted(self.json)),
        }
    }
}

impl<'a> Words<'a> {
    /// What a JSON string says; none for other JSON.
    pub(super) fn of(json: &'a str) -> Option<Self> {
        Reader::new(json).string()?.words()
    }

    pub(super) fn plain(&self) -> Cow<'_, str> {
        match self {
            Self::Plain(text) => Cow::Borrowed(text),
            Self::Quoted(json) => unquoted(json),
        }
    }

    pub(super) fn into_plain(self) -> Cow<'a, str> {
        match self {
            Self::Plain(text) => text,
            Self::Quoted(json) => unquoted(json),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Plain(text) => text.is_empty(),
            Self::Quoted(json) => *json == "\"\"",
        }
    }

    /// Whether it may be a JSON object or array: no brace or bracket is escaped by us.
    pub(super) fn begins_like_a_structure(&self) -> bool {
        match self {
            Self::Plain(text) => text.starts_with(['{', '[']),
            Self::Quoted(json) => json.starts_with("\"{") || json.starts_with("\"["),
        }
    }

    /// As a JSON string that says at most so many bytes.
    pub(super) fn write(&self, longest: usize, out: &mut String) {
        match self {
            // Unescaped it is no longer.
            Self::Quoted(json) if json.len() <= longest => out.push_str(json),
            words => json::write_str(&cut::text(&words.plain(), longest), out),
        }
    }
}

fn unquoted(json: &str) -> Cow<'_, str> {
    content::decoded(json).unwrap_or_default()
}

impl PartialEq for Words<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.plain() == other.plain()
    }
}

impl<'a> From<Cow<'a, str>> for Words<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Plain(text)
    }
}

impl<'a> From<&'a str> for Words<'a> {
    fn from(text: &'a str) -> Self {
        Self::Plain(Cow::Borrowed(text))
    }
}
