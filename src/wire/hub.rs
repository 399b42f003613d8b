//! The hub's envelope: `{id, type, session, payload}`, with what was lost as an event.

use crate::{Cursor, StreamEvent};

/// Writes one event.
pub(crate) fn write(_cursor: Option<Cursor>, _event: &StreamEvent, _out: &mut String) {}
