//! What the items of a stream say: text is told as it comes.

use serde::Serialize;

use super::{AgentSpan, text_delta};

/// Reads the items of one stream.
#[derive(Debug, Default)]
pub struct ChunkReader {}

impl ChunkReader {
    /// A reader at the beginning of a stream.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }

    /// An item that is a piece of text.
    pub fn text(&mut self, span: &AgentSpan, text: &str) {
        if span.is_enabled() {
            text_delta(text);
        }
    }

    /// An item that has a JSON form, as a provider sends it.
    pub fn item<T: Serialize>(&mut self, span: &AgentSpan, item: &T) {
        let _ = (span, item);
    }

    /// No item comes any more.
    pub fn end(&mut self, span: &AgentSpan) {
        let _ = span;
    }
}
