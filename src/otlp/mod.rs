//! The log's record for OpenTelemetry back ends: spans, metrics and log events over OTLP, delivered from a place in the log.
//!
//! ```text
//!  EventLog ──pages──▶ fold ──finished spans──▶ outlet: map ─▶ encode ─▶ batch ─▶ transport ──▶ back end
//!      ▲                                          │ settled
//!      └──────────────── place ◀──────────────────┘
//! ```
// Its parts are built beside each other.
#![allow(dead_code, reason = "nobody sends yet")]

mod batch;
#[cfg(feature = "otlp-bridge")]
mod bridge;
mod control;
mod delivery;
mod encode;
mod fold;
mod import;
mod joint;
mod logs;
mod map;
#[doc(hidden)]
pub mod measured;
mod metrics;
mod offline;
mod outlet;
mod percent;
mod perfetto;
mod pump;
mod settings;
mod sink;
mod span;
mod start;
mod stats;
mod traces;
mod transport;

pub use delivery::Delivery;
pub use import::{Traces, read_json};
pub use offline::{Export, Exported};
pub use settings::{Capture, Destination, Encoding, Naming, OpenInference, Temporality};
pub use stats::Stats;
pub use transport::Signal;
