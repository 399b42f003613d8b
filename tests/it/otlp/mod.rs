//! What leaves for OpenTelemetry back ends.

mod exported;
mod map;
mod shapes;
mod torn;
