//! The pieces of a stream, as events in a span: the current one, or one that is named.

use tracing::{Level, Span, event};

use crate::semconv::{
    DELTA_END, DELTA_REASONING, DELTA_TARGET, DELTA_TEXT, DELTA_TOOL_CALL_ID, DELTA_TOOL_INPUT, DELTA_TOOL_NAME,
};

/// A piece of the answer's text, said in the current span.
pub fn text_delta(text: &str) {
    event!(target: DELTA_TARGET, Level::INFO, { { DELTA_TEXT } = text });
}

/// A piece of the model's reasoning, said in the current span.
pub fn reasoning_delta(text: &str) {
    event!(target: DELTA_TARGET, Level::INFO, { { DELTA_REASONING } = text });
}

/// A piece of the answer's text.
pub(super) fn text_in(span: &Span, text: &str) {
    event!(target: DELTA_TARGET, parent: span.id(), Level::INFO, { { DELTA_TEXT } = text });
}

/// A piece of the model's reasoning.
pub(super) fn reasoning_in(span: &Span, text: &str) {
    event!(target: DELTA_TARGET, parent: span.id(), Level::INFO, { { DELTA_REASONING } = text });
}

/// A piece, maybe empty, of the input that the model writes for a tool; the first one of a call names the tool.
pub(super) fn tool_input_in(span: &Span, call: &str, tool: Option<&str>, piece: &str) {
    event!(target: DELTA_TARGET, parent: span.id(), Level::INFO, {
        { DELTA_TOOL_CALL_ID } = call,
        { DELTA_TOOL_NAME } = tool,
        { DELTA_TOOL_INPUT } = piece
    });
}

/// The text that was being written is whole.
pub(super) fn text_ends_in(span: &Span) {
    event!(target: DELTA_TARGET, parent: span.id(), Level::INFO, { { DELTA_END } = true });
}
