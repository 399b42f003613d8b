//! What is written, against what `opentelemetry-proto` makes of the same.

mod spans;
mod structured;
