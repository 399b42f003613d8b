//! Memory and operations: what was stored, recalled, forgotten, and how far work is.

use crate::{Cursor, StreamEvent};

/// Writes one event.
pub(crate) fn write(_cursor: Option<Cursor>, _event: &StreamEvent, _out: &mut String) {}
