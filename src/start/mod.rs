//! One line at the start of a program, and one at its end.

mod builder;
mod guard;
mod hidden;

pub use builder::Builder;
pub use guard::Guard;

use crate::Error;

/// Starts with nothing configured: the record in `spanwright.db` in the working directory, the live tree on stderr (a
/// plain line for each start and end where that is no terminal), no network at all. Installs the process's `tracing` subscriber.
///
/// # Errors
/// As for [`Builder::init`].
pub fn init() -> Result<Guard, Error> {
    builder().init()
}

/// Settings for a start of your own; see [`Builder`].
pub fn builder() -> Builder {
    Builder::default()
}
