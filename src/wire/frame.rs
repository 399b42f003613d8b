//! Frames whose data is JSON, as most dialects write them.

use crate::Cursor;
use serde::Serialize;

/// Appends a frame: its name and id where it has them, and its data on one line.
pub(super) fn write(cursor: Option<Cursor>, name: Option<&str>, data: &impl Serialize, out: &mut String) {
    // What we write has string keys and finite numbers; there is no such value that fails.
    let Ok(data) = serde_json::to_string(data) else { return };
    if let Some(name) = name {
        out.push_str("event: ");
        out.extend(name.split(['\n', '\r', '\0']));
        out.push('\n');
    }
    out.push_str("data: ");
    out.push_str(&data);
    out.push('\n');
    // The last line, as in the native dialect.
    if let Some(cursor) = cursor {
        super::sse::write_id(cursor, out);
    }
    out.push('\n');
}
