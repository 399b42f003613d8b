//! The log's record for OpenTelemetry back ends: spans, metrics and log events over OTLP, delivered from a place in the log.
//!
//! ```text
//!  EventLog ──pages──▶ fold ──finished spans──▶ outlet: map ─▶ encode ─▶ batch ─▶ transport ──▶ back end
//!      ▲                                          │ settled
//!      └──────────────── place ◀──────────────────┘
//! ```

#[cfg(feature = "otlp-bridge")]
mod bridge;
mod delivery;
mod encode;
mod fold;
mod map;
#[doc(hidden)]
pub mod measured;
mod offline;
mod percent;
mod settings;
mod signals;
mod sink;
mod span;
mod start;
mod transport;
mod unwound;

#[cfg(feature = "otlp-bridge")]
pub use bridge::WithoutAgentSpans;
pub use delivery::{Delivery, Stats};
pub use offline::{Export, Exported, Traces, read_json};
pub use settings::{Capture, Destination, Encoding, Naming, OpenInference, Temporality};
pub use transport::Signal;
