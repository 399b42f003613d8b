//! Whose chunks they are.

use serde_json::Value;

use super::{answer::Answer, anthropic::Anthropic, chat::Chat, gemini, responses::Responses, rig::Rig};

/// A provider's form of chunks, and how far its answer is.
#[derive(Debug)]
pub(super) enum Shape {
    Chat(Chat),
    Responses(Responses),
    Anthropic(Anthropic),
    Gemini,
    Rig(Rig),
}

impl Shape {
    /// None for a chunk that does not tell: a ping, an error, something of the user's own.
    pub(super) fn of(chunk: &Value) -> Option<Self> {
        match chunk {
            chunk if Chat::is(chunk) => Some(Self::Chat(Chat::default())),
            chunk if Responses::is(chunk) => Some(Self::Responses(Responses::default())),
            chunk if Anthropic::is(chunk) => Some(Self::Anthropic(Anthropic::default())),
            chunk if gemini::is(chunk) => Some(Self::Gemini),
            chunk if Rig::is(chunk) => Some(Self::Rig(Rig::default())),
            _ => None,
        }
    }

    pub(super) fn read(&mut self, chunk: &Value, answer: &mut Answer<'_>) {
        match self {
            Self::Chat(chat) => chat.read(chunk, answer),
            Self::Responses(responses) => responses.read(chunk, answer),
            Self::Anthropic(anthropic) => anthropic.read(chunk, answer),
            Self::Gemini => gemini::read(chunk, answer),
            Self::Rig(rig) => rig.read(chunk, answer),
        }
    }

    /// `[DONE]` came.
    pub(super) fn done(&mut self) {
        if let Self::Chat(chat) = self {
            chat.done();
        }
    }

    /// What a whole answer of this provider has, and this one has not.
    pub(super) fn missing(&self) -> Option<&'static str> {
        match self {
            Self::Chat(chat) if !chat.is_complete() => Some("`finish_reason`"),
            Self::Responses(responses) if !responses.is_complete() => Some("`response.completed`"),
            Self::Anthropic(anthropic) if !anthropic.is_complete() => Some("`message_stop`"),
            _ => None,
        }
    }
}
