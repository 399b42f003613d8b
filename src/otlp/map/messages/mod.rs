//! Messages between an agent and a model, read in the forms that providers and crates give them, and written in those of
//! the conventions.

mod flat;
pub(super) mod json;
mod part;
mod parts;
mod read;
mod reader;
mod system;
mod typed;
#[cfg(test)]
mod typed_tests;
mod words;
#[cfg(test)]
mod words_tests;
mod write;

use parts::Parts;
use std::borrow::Cow;
use words::Words;

pub(super) use read::{conversation, said};

/// One message, as the GenAI convention has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message<'a> {
    /// `system`, `user`, `assistant`, `tool`, or the sender's own word.
    pub(super) role: Cow<'a, str>,
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) parts: Parts<'a>,
    pub(super) finish_reason: Option<Cow<'a, str>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part<'a> {
    Text(Words<'a>),
    Reasoning(Words<'a>),
    ToolCall {
        id: Option<Words<'a>>,
        name: Words<'a>,
        arguments: Option<Given<'a>>,
    },
    ToolResponse {
        id: Option<Words<'a>>,
        response: Given<'a>,
    },
    Blob {
        modality: &'static str,
        mime_type: Option<Cow<'a, str>>,
        content: Words<'a>,
    },
    Uri {
        modality: &'static str,
        uri: Cow<'a, str>,
    },
    /// An object with a `type`, as it came: the schema lets any be.
    Other(&'a str),
}

/// JSON, or a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Given<'a> {
    Json(Cow<'a, str>),
    Text(Words<'a>),
}

impl<'a> Message<'a> {
    pub(super) fn new(role: impl Into<Cow<'a, str>>, parts: impl Into<Parts<'a>>) -> Self {
        Self { role: role.into(), name: None, parts: parts.into(), finish_reason: None }
    }
}
