//! The tool calls that models announced in an execution and that nobody has run yet.
//!
//! A model writes a call's id and name; the program then runs a tool of that name, often without a word of the id. That
//! the two are one call is known only here.

use super::open::OpenSpan;
use crate::{
    Recorder, StepId, StreamEvent, Text,
    event::{ToolFailure, ToolOutputError},
};

/// A call that a model announced.
pub(super) struct Announced {
    id: Text,
    name: Text,
    /// The model call's step: what is said of the call says it there until its tool runs.
    step_id: StepId,
}

/// Oldest first.
#[derive(Default)]
pub(super) struct Calls(Vec<Announced>);

/// Announced calls of one execution that wait for their tools; further ones are not announced.
const MAX_WAITING: usize = 256;

impl Calls {
    /// Notes a call. False where there is no room for it.
    pub(super) fn announce(&mut self, id: Text, name: Text, step_id: StepId) -> bool {
        let has_room = self.0.len() < MAX_WAITING;
        if has_room {
            self.0.push(Announced { id, name, step_id });
        }
        has_room
    }

    /// A tool runs: its call waits no longer. By the call's id where the tool has one, else the oldest of its name.
    pub(super) fn take(&mut self, id: Option<&str>, name: &str) -> Option<Text> {
        let is_it = |call: &Announced| id.map_or(call.name == name, |id| call.id == id);
        let at = self.0.iter().position(is_it)?;
        Some(self.0.remove(at).id)
    }
}

impl OpenSpan {
    /// The execution ends: what was announced and not seen to run is closed.
    pub(super) fn close_calls(&self, recorder: &Recorder) {
        let waiting = std::mem::take(&mut *self.run.calls());
        for call in waiting.0 {
            let mut event: StreamEvent = self.event(
                ToolOutputError::new(call.id, "announced by the model; no run of it was seen", ToolFailure::Unanswered)
                    .tool_name(call.name),
            );
            event.step_id = Some(call.step_id);
            recorder.emit(event);
        }
    }
}
