//! Where the record goes and how: settings in code, and the standard environment variables.

mod destination;
mod dialect;
mod list;
pub(super) mod resource;
#[cfg(test)]
mod tests;
mod vars;
mod way;

pub use destination::Destination;
pub(super) use destination::{BATCH_SPANS, MAX_VALUE_BYTES, MOST_BATCH_BYTES};
pub use dialect::{Capture, Encoding, Naming, OpenInference, Temporality};
pub(crate) use way::{Kind, Way};
