//! How events look on a wire: pure functions from events to bytes, and back.

pub mod parse;
pub mod sse;
