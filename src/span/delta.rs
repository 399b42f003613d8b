//! The pieces of a stream, as events in the current span.

use tracing::{Level, event};

use crate::semconv::{DELTA_REASONING, DELTA_TARGET, DELTA_TEXT};

/// A piece of the answer's text, said in the current span.
pub fn text_delta(text: &str) {
    event!(target: DELTA_TARGET, Level::INFO, { { DELTA_TEXT } = text });
}

/// A piece of the model's reasoning, said in the current span.
pub fn reasoning_delta(text: &str) {
    event!(target: DELTA_TARGET, Level::INFO, { { DELTA_REASONING } = text });
}
