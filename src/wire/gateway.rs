//! Gateway.

use super::translator::{Run, Voice};
use crate::StreamEvent;

#[derive(Debug)]
pub(super) struct Gateway;

impl Gateway {
    pub(super) fn new(_run: &Run) -> Self {
        Self
    }
}

impl Voice for Gateway {
    fn say(&mut self, _event: &StreamEvent, _out: &mut String) {}
}
