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
mod control;
mod fold;
mod map;
mod outlet;
mod pump;
mod settings;
mod sink;
mod span;
mod stats;
mod transport;

pub use settings::{Capture, Encoding, Naming, OpenInference};
pub use stats::Stats;
