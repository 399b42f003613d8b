//! The log's record for OpenTelemetry back ends: spans, metrics and log events over OTLP, delivered from a place in the log.

mod percent;
// The pump, which calls it, is built beside it.
#[allow(dead_code, reason = "nobody sends yet")]
mod settings;
#[allow(dead_code, reason = "nobody sends yet")]
mod transport;

pub use settings::{Capture, Destination, Encoding, Naming, OpenInference};
