//! What the record may say of content: levels, secret shapes, caps. Applied at the gate, before any sink; knows neither
//! queue nor sinks.

mod address;
mod assigned;
mod document;
mod irregular;
mod number;
mod pieces;
mod redactor;
mod secret_names;
mod settings;
mod shapes;
mod size;
mod spans;
mod text;

pub use redactor::Redactor;
pub use settings::{ContentLevel, ContentPolicy};

pub(crate) use pieces::Pieces;
#[cfg(feature = "otlp")]
pub(crate) use size::cut;
