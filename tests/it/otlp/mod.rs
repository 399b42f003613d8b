//! What leaves for OpenTelemetry back ends.

mod exported;
mod shapes;
mod torn;
