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
#[cfg(test)]
mod batch_tests;
mod control;
mod delivery;
mod encode;
mod fold;
mod joint;
mod map;
mod outlet;
mod percent;
mod pump;
mod record;
mod settings;
mod sink;
mod span;
mod start;
mod stats;
mod traces;
mod transport;
mod unwound;

pub use delivery::Delivery;
pub use settings::{Capture, Destination, Encoding, Naming, OpenInference};
pub use stats::Stats;
pub use transport::Signal;
