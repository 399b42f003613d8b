//! Shows what an AI agent does while it does it.

mod error;
pub mod event;
pub mod hub;
mod id;
mod json;
mod layer;
pub mod log;
mod pending;
mod recorder;
pub mod semconv;
#[cfg(feature = "serve")]
pub mod serve;
mod text;
mod time;
pub mod wire;

pub use error::Error;
pub use event::StreamEvent;
pub use id::{Cursor, EventId, ExecutionId, MAX_ID_BYTES, StepId};
pub use json::Json;
pub use layer::AgentLayer;
pub use log::EventLog;
pub use pending::Pending;
pub use recorder::{EventEmitter, QueueLimits, Recorder, RecorderBuilder, Stats};
pub use text::Text;
pub use time::Timestamp;
