//! AiSdkUi.

use super::translator::{Run, Voice};
use crate::StreamEvent;

#[derive(Debug)]
pub(super) struct AiSdkUi;

impl AiSdkUi {
    pub(super) fn new(_run: &Run) -> Self {
        Self
    }
}

impl Voice for AiSdkUi {
    fn say(&mut self, _event: &StreamEvent, _out: &mut String) {}
}
