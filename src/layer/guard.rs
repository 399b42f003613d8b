//! Around every callback: not into itself, and not out of it by a panic.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs a callback, unless this thread is in one already.
///
/// A value's `Debug` may log: under a global subscriber tracing-core would call the layer again, without end. And a
/// panic in it would unwind into the user's call, or, while the program unwinds already, abort it.
pub(super) fn once(callback: impl FnOnce()) {
    if INSIDE.replace(true) {
        return;
    }
    let _leave = Leave;
    // Nothing of ours is left half-changed: a callback first reads, then changes in one step.
    let _ = catch_unwind(AssertUnwindSafe(callback));
}

struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        INSIDE.set(false);
    }
}
