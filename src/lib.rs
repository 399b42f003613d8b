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
pub mod span;
#[cfg(feature = "terminal")]
pub mod terminal;
mod text;
mod time;
pub mod view;
pub mod wire;

#[doc(hidden)]
pub mod __private;

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
#[cfg(feature = "macros")]
pub use spanwright_macros::*;
