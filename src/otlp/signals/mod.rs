//! What is made of finished spans: spans of OTLP, log events, metrics.

mod logs;
mod metrics;
mod traces;

pub(super) use logs::LogEvents;
pub(super) use metrics::Meter;
pub(super) use traces::Spans;
#[cfg(feature = "otlp-bridge")]
pub(super) use traces::has_remote_parent;
