//! The vocabulary: what can happen in an execution, each kind declared once. Knows nothing of tracing, threads, files.

mod declare;
mod error;
mod execution;
mod kinds;
mod mode;
#[cfg(feature = "schema")]
mod schema;
mod stream;
mod values;

pub use error::{BackoffStrategy, ErrorCategory, ErrorCode, ExecutionError, RetryPolicy};
pub use execution::{ExecutionContext, ExecutionEvent, ExecutionEventType, ParentLink, SCHEMA_VERSION};
pub use kinds::*;
pub use mode::{Class, StreamMode};
#[cfg(feature = "schema")]
pub use schema::stream_event_schema;
pub use stream::StreamEvent;
pub use values::*;
