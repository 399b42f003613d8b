//! The tool calls that models announced in an execution and that nobody has run yet.
//!
//! A model writes a call's id and name; the program then runs a tool of that name, often without a word of the id. That
//! the two are one call is known only here.

use super::{contract::Slot, listener::Listener, open::OpenSpan};
use crate::{
    StepId, Text,
    event::{ToolFailure, ToolOutputError},
};

/// A call that a model announced.
pub(super) struct Announced {
    id: Text,
    name: Text,
    /// The model call's step: what is said of the call says it there until its tool runs.
    step_id: StepId,
    /// What the model call is a part of; its tools mostly are too.
    around: Option<StepId>,
}

/// Oldest first.
#[derive(Default)]
pub(super) struct Calls(Vec<Announced>);

/// It may have run all the same, where no span of ours is around it.
const UNANSWERED: &str = "the model asked for it; no run of it was seen";
/// Announced calls of one execution that wait for their tools; further ones are not announced.
const MAX_WAITING: usize = 256;

impl Calls {
    fn announce(&mut self, call: Announced) -> bool {
        let has_room = self.0.len() < MAX_WAITING;
        if has_room {
            self.0.push(call);
        }
        has_room
    }

    /// A call waits no longer, for its tool runs under its id.
    fn take(&mut self, id: &str) {
        if let Some(at) = self.0.iter().position(|call| call.id == id) {
            self.0.remove(at);
        }
    }

    /// The oldest call of this tool. Agents that run at the same time have the same tools, so one that was announced
    /// beside the tool goes first.
    fn take_named(&mut self, name: &str, around: Option<&StepId>) -> Option<Text> {
        let beside = |call: &Announced| call.name == name && call.around.as_ref() == around;
        let at = self.0.iter().position(beside).or_else(|| self.0.iter().position(|call| call.name == name))?;
        Some(self.0.remove(at).id)
    }
}

impl OpenSpan {
    /// Notes a call that this model writes. False where there is no room for it.
    pub(super) fn note_call(&self, id: Text, name: Text) -> bool {
        let (step_id, around) = (self.step_id.clone(), self.parent_step_id.clone());
        self.run.calls().announce(Announced { id, name, step_id, around })
    }

    /// The id of the call that this tool answers: the provider's, which a model may have announced; none of its own and
    /// none announced for it, its step's.
    pub(super) fn choose_call_id(&self) -> Text {
        if let Some(id) = self.fields.text(Slot::ToolCallId) {
            self.run.calls().take(&id);
            return id;
        }
        let taken = self.run.calls().take_named(&self.display_name(), self.parent_step_id.as_ref());
        taken.unwrap_or_else(|| Text::from(self.step_id.to_string()))
    }

    /// The execution ends: what was announced and not seen to run is closed.
    pub(super) fn close_calls(&self, listener: &impl Listener) {
        let waiting = std::mem::take(&mut *self.run.calls());
        for call in waiting.0 {
            let end = ToolOutputError::new(call.id, UNANSWERED, ToolFailure::Unanswered).tool_name(call.name);
            let mut event = self.event(end);
            event.step_id = Some(call.step_id);
            listener.hear(event);
        }
    }
}
