//! What each event does to the tree. A kind that changes nothing that is shown, or that is not known, does nothing.

mod model;
mod moment;
mod tool;
mod work;

use super::{Change, Inert, NodeKind, RunTree, Status, tree::TEXT_CHARS};
use crate::{Json, StreamEvent};

impl RunTree {
    pub(super) fn fold(&mut self, event: &StreamEvent) -> Change {
        self.fold_execution(event)
            .or_else(|| self.fold_step(event))
            .or_else(|| self.fold_tool(event))
            .or_else(|| self.fold_permission(event))
            .or_else(|| self.fold_model(event))
            .or_else(|| self.fold_text(event))
            .or_else(|| self.fold_search(event))
            .or_else(|| self.fold_verdict(event))
            .or_else(|| self.fold_state(event))
            .unwrap_or(Change::Nothing)
    }

    /// Something that began and is over in one event: on the node of its own step where that is of this kind, else as
    /// a leaf below the step it was sent from.
    fn moment(&mut self, event: &StreamEvent, kind: NodeKind, name: &str, duration_ms: Option<u64>) -> (usize, Change) {
        let step = event.step_id.as_ref();
        let own = self.find_step(step).filter(|at| {
            let node = &self.nodes[*at];
            let only_its_end_was_seen = node.kind == NodeKind::Step && node.name.is_empty() && node.started.is_none();
            node.kind == kind || only_its_end_was_seen
        });
        if let Some(at) = own {
            self.nodes[at].kind = kind;
            return (at, Change::Updated);
        }
        let at = self.grow(kind, name, None, step);
        let node = &mut self.nodes[at];
        node.status = Status::Ok;
        node.duration = duration_ms.map(std::time::Duration::from_millis);
        (at, Change::Ended(at))
    }
}

/// A text as it is shown.
fn shown(text: &str) -> Inert {
    Inert::new(text, TEXT_CHARS)
}

/// A payload as it is shown: `"rayleigh"` for `{"query": "rayleigh"}`, `a: 1, b: 2` for an object of several fields.
fn preview(json: &Json) -> Inert {
    super::payload::preview(json)
}
