//! A frame of one JSON object and nothing else, as the dialects of front ends have it: no id, no event name, LF only.

use crate::{
    StreamEvent,
    json::{self, WriteJson},
};

/// A frame that is being written; [`end`](ObjectFrame::end) completes it.
#[must_use = "a frame without its end is none"]
pub(super) struct ObjectFrame<'a> {
    out: &'a mut String,
}

impl<'a> ObjectFrame<'a> {
    /// Of this `type`.
    pub(super) fn new(kind: &str, out: &'a mut String) -> Self {
        out.push_str("data: {\"type\":");
        json::write_str(kind, out);
        Self { out }
    }

    pub(super) fn field(self, name: &'static str, value: &(impl WriteJson + ?Sized)) -> Self {
        self.written(name, |out| value.write_json(out))
    }

    /// Absent where there is none: these dialects read `null` as a wrong value, not as no value.
    pub(super) fn optional(self, name: &'static str, value: Option<&(impl WriteJson + ?Sized)>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// A field whose value writes itself.
    pub(super) fn written(self, name: &'static str, write: impl FnOnce(&mut String)) -> Self {
        self.out.push(',');
        json::write_str(name, self.out);
        self.out.push(':');
        write(self.out);
        self
    }

    pub(super) fn end(self) {
        self.out.push_str("}\n\n");
    }
}

/// Appends what an event says as one object: its step, its kind's own fields, its time, by the names of `docs/events.md`.
pub(super) fn write_said(event: &StreamEvent, out: &mut String) {
    let start = out.len();
    if let Some(step) = &event.step_id {
        out.push_str(",\"step_id\":");
        step.write_json(out);
    }
    event.body.write_fields(out);
    if let Some(time) = event.time {
        out.push_str(",\"timestamp\":");
        time.unix_millis().write_json(out);
    }
    match out.len() > start {
        // Each field is written with a comma before it; that of the first is where the brace belongs.
        true => out.replace_range(start..=start, "{"),
        false => out.push('{'),
    }
    out.push('}');
}
