//! The vocabulary: what can happen in an execution, each kind declared once. Knows nothing of tracing, threads, files.

mod batch;
mod content;
mod declare;
mod error;
mod execution;
mod kind_set;
mod kinds;
mod life;
mod mode;
mod roots;
#[cfg(feature = "schema")]
mod schema;
mod stream;
mod values;

pub use batch::{Batch, Recorded};
pub(crate) use content::{Holds, Treatment};
pub use error::{BackoffStrategy, ErrorCategory, ErrorCode, ExecutionError, RetryPolicy};
pub use execution::{ExecutionContext, ExecutionEvent, ExecutionEventType, ParentLink, SCHEMA_VERSION};
pub use kind_set::KindSet;
pub use kinds::*;
pub use life::OpenThings;
pub use mode::{Class, StreamMode};
pub(crate) use roots::Roots;
#[cfg(feature = "schema")]
pub use schema::stream_event_schema;
pub use stream::StreamEvent;
pub use values::*;
