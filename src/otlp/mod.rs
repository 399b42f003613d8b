//! The log's record for OpenTelemetry back ends: spans, metrics and log events over OTLP, delivered from a place in the log.

// The pump, which calls it, is built beside it.
#[allow(dead_code, reason = "nobody sends yet")]
mod transport;
