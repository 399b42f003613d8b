//! Panics in our code, or in what others gave us: they end what was being done, and not the thread that did it.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What it gives; none where it panicked, of which the panic hook has told on stderr. What it was at may be half done:
/// that is for the caller to put in order. (With `panic = "abort"` the process ends, and the next one goes on.)
pub(super) fn caught<T>(what: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(what)).ok()
}
