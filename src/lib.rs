//! Shows what an AI agent does while it does it.

mod error;
pub mod event;
mod id;
mod json;
pub mod log;
mod pending;
pub mod semconv;
mod text;
mod time;

pub use error::Error;
pub use event::StreamEvent;
pub use id::{Cursor, EventId, ExecutionId, MAX_ID_BYTES, StepId};
pub use json::Json;
pub use log::EventLog;
pub use pending::Pending;
pub use text::Text;
pub use time::Timestamp;
