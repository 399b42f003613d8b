//! Where the record goes and how: settings in code, and the standard environment variables.

mod dialect;

pub use dialect::{Capture, Encoding, Naming, OpenInference};
