//! How events look on a wire: pure functions from events to bytes, and back.

mod ag_ui;
mod agents;
mod ai_sdk_ui;
mod chat;
mod dialect;
mod frame;
pub mod gateway;
mod hub;
mod memory;
mod object;
mod orderly;
pub mod parse;
mod pieces;
pub mod sse;
mod told;
mod translator;

pub use dialect::Dialect;
pub(crate) use dialect::FrameWriter;
pub use told::Told;
pub use translator::{Run, Translator};
