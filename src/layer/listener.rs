//! Who hears what a span tells.

use crate::{ExecutionId, Recorder, StreamEvent, Text};
use std::cell::RefCell;

/// The recorder; or whoever has spans told that are over, and nobody can steer.
pub(super) trait Listener {
    fn hear(&self, event: StreamEvent);

    /// Why the execution was asked to end, if it was.
    fn cancelled(&self, id: &ExecutionId) -> Option<Text>;
}

impl Listener for Recorder {
    fn hear(&self, event: StreamEvent) {
        self.emit(event);
    }

    fn cancelled(&self, id: &ExecutionId) -> Option<Text> {
        Self::cancelled(self, id)
    }
}

impl Listener for RefCell<Vec<StreamEvent>> {
    fn hear(&self, event: StreamEvent) {
        self.borrow_mut().push(event);
    }

    fn cancelled(&self, _: &ExecutionId) -> Option<Text> {
        None
    }
}
