//! What went in or came out, as the record has it.

use crate::{Json, Text};
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// What a field with content holds. Empty ones are as absent: so is what was left out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'a> {
    /// JSON, or a text that is JSON.
    Json(&'a str),
    Text(&'a str),
}

pub(super) const JSON: &str = "application/json";
pub(super) const PLAIN: &str = "text/plain";

impl<'a> Content<'a> {
    pub(super) fn of_json(json: Option<&'a Json>) -> Option<Self> {
        let text = json?.as_str().trim_ascii();
        (!matches!(text, "" | "null" | "\"\"")).then_some(Self::Json(text))
    }

    pub(super) fn of_text(text: Option<&'a Text>) -> Option<Self> {
        let text = text?.as_str();
        match is_structure(text) {
            _ if text.is_empty() => None,
            true => Some(Self::Json(text)),
            false => Some(Self::Text(text)),
        }
    }

    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Json(text) | Self::Text(text) => text,
        }
    }

    /// The text that it is, where it is one: also a JSON string is.
    pub(super) fn plain(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Json(json) => decoded(json),
        }
    }
}

/// Whether a text is a JSON object or array.
pub(super) fn is_structure(text: &str) -> bool {
    text.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// What a JSON string says; none for other JSON.
pub(super) fn decoded(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    match inner.contains('\\') {
        true => serde_json::from_str::<String>(json).ok().map(Cow::Owned),
        false => Some(Cow::Borrowed(inner)),
    }
}
