//! What leaves for OpenTelemetry back ends.

mod exported;
mod logs;
mod metrics;
mod shapes;
mod torn;
