//! Chat.

use super::translator::{Run, Voice};
use crate::StreamEvent;

#[derive(Debug)]
pub(super) struct Chat;

impl Chat {
    pub(super) fn new(_run: &Run) -> Self {
        Self
    }
}

impl Voice for Chat {
    fn say(&mut self, _event: &StreamEvent, _out: &mut String) {}
}
