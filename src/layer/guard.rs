//! Around every callback: not into itself, and not out of it by a panic.

use crate::Recorder;
use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs a callback, unless this thread is in one already.
///
/// A value's `Debug` may log: under a global subscriber tracing-core would call the layer again, without end.
pub(super) fn once(recorder: &Recorder, callback: impl FnOnce()) {
    if INSIDE.replace(true) {
        return;
    }
    let _leave = Leave;
    contained(recorder, callback);
}

/// Runs a callback that calls no code of the user's, also inside another one: a `Debug` may close a span.
///
/// A panic would unwind into the user's call, or, while the program unwinds already, abort it. It is counted.
pub(super) fn contained(recorder: &Recorder, callback: impl FnOnce()) {
    // Nothing of ours is left half-changed: a callback first reads, then changes in one step.
    if catch_unwind(AssertUnwindSafe(callback)).is_err() {
        recorder.callback_panicked();
    }
}

struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        INSIDE.set(false);
    }
}
