//! AgUi.

use super::translator::{Run, Voice};
use crate::StreamEvent;

#[derive(Debug)]
pub(super) struct AgUi;

impl AgUi {
    pub(super) fn new(_run: &Run) -> Self {
        Self
    }
}

impl Voice for AgUi {
    fn say(&mut self, _event: &StreamEvent, _out: &mut String) {}
}
