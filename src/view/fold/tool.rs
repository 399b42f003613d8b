//! Tool calls, and what a policy or a person says to them.

use super::{preview, shown};
use crate::{
    StepId, StreamEvent, Text,
    event::{Body, PermissionRequest, PermissionVerdict, PolicyDecision, PolicyVerdict},
    view::{
        Change, Inert, NodeKind, RunTree, Status,
        tree::{End, Key, NAME_CHARS},
    },
};

impl RunTree {
    pub(super) fn fold_tool(&mut self, event: &StreamEvent) -> Option<Change> {
        let (call, name, end) = match &event.body {
            Body::ToolInputStart(start) => {
                let at = self.call(event, &start.tool_call_id, true);
                return Some(self.call_begins(at, event, &start.tool_name, start.parent_step_id.as_ref()));
            }
            Body::ToolInputAvailable(start) => {
                let at = self.call(event, &start.tool_call_id, true);
                self.nodes[at].facts.preview = preview(&start.input);
                return Some(self.call_begins(at, event, &start.tool_name, start.parent_step_id.as_ref()));
            }
            Body::ToolInputDelta(piece) => {
                let at = self.find(&Key::Call(piece.tool_call_id.clone()))?;
                self.nodes[at].facts.text_chars += piece.input_text_delta.chars().count() as u64;
                return Some(Change::Updated);
            }
            Body::ToolOutputAvailable(end) => (&end.tool_call_id, &end.tool_name, End::well(end.duration_ms)),
            Body::ToolOutputError(end) => {
                let status = Status::from(&end.outcome);
                let end_of_call = End { status, duration_ms: end.duration_ms, error: Some(&end.error) };
                (&end.tool_call_id, &end.tool_name, end_of_call)
            }
            _ => return None,
        };
        let at = self.call(event, call, false);
        if let (Some(name), true) = (name, self.nodes[at].name.is_empty()) {
            self.nodes[at].name = Inert::new(name, NAME_CHARS);
        }
        Some(self.end(at, event.time, end))
    }

    /// The node of a tool call. Its own step says it best; where the events of a call come from the span of the model
    /// that wrote them, the id of the call does.
    fn call(&mut self, event: &StreamEvent, call: &Text, opens: bool) -> usize {
        let step = event.step_id.as_ref();
        let by_step = self.find_step(step);
        if let Some(at) = by_step.filter(|at| self.nodes[*at].kind == NodeKind::Tool) {
            self.keys.insert(Key::Call(call.clone()), at);
            return at;
        }
        let known = self.find(&Key::Call(call.clone())).filter(|at| {
            let node = &self.nodes[*at];
            let same_span = node.step_id.is_none() || step.is_none() || by_step.is_some();
            // Some models count their calls anew in each answer.
            same_span && (node.status.is_running() || !opens)
        });
        let at = known.unwrap_or_else(|| self.grow(NodeKind::Tool, "", step, step.filter(|_| by_step.is_some())));
        self.bind(at, step);
        self.keys.insert(Key::Call(call.clone()), at);
        at
    }

    fn call_begins(&mut self, at: usize, event: &StreamEvent, name: &str, parent: Option<&StepId>) -> Change {
        let node = &mut self.nodes[at];
        if parent.is_some() {
            node.parent_step_id = parent.cloned();
        }
        if node.name.is_empty() {
            node.name = Inert::new(name, NAME_CHARS);
        }
        if node.started.is_some() {
            return Change::Updated;
        }
        node.started = event.time;
        if node.status.is_running() { Change::Started(at) } else { Change::Updated }
    }

    pub(super) fn fold_permission(&mut self, event: &StreamEvent) -> Option<Change> {
        match &event.body {
            Body::PermissionRequest(request) => Some(self.asked(event, request)),
            Body::PermissionDecision(answer) => {
                let by_call = || self.find(&Key::Call(answer.tool_call_id.clone()?));
                let at = self.find(&Key::Permission(answer.permission_id.clone())).or_else(by_call)?;
                let by = answer.decided_by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
                let because = answer.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
                Some(self.answered(at, event, &answer.decision, &format!("{}{by}{because}", answer.decision)))
            }
            Body::PolicyDecision(decision) => Some(self.decided(event, decision)),
            _ => None,
        }
    }

    /// The tool call that a question or a decision is about, if it was seen.
    fn about(&self, event: &StreamEvent, call: Option<&Text>) -> Option<usize> {
        let by_step = || self.find_step(event.step_id.as_ref()).filter(|at| self.nodes[*at].kind == NodeKind::Tool);
        call.and_then(|call| self.find(&Key::Call(call.clone()))).or_else(by_step)
    }

    fn asked(&mut self, event: &StreamEvent, request: &PermissionRequest) -> Change {
        let about = self.about(event, request.tool_call_id.as_ref()).filter(|at| self.nodes[*at].status.is_running());
        let at = about.unwrap_or_else(|| {
            let at = self.grow(NodeKind::Permission, &request.tool_name, None, event.step_id.as_ref());
            self.nodes[at].started = event.time;
            self.nodes[at].facts.preview = preview(&request.arguments);
            at
        });
        if let Some(id) = &request.permission_id {
            self.keys.insert(Key::Permission(id.clone()), at);
        }
        self.wait(at, &format!("permission ({})", request.policy))
    }

    fn answered(&mut self, at: usize, event: &StreamEvent, answer: &PermissionVerdict, remark: &str) -> Change {
        if self.nodes[at].status.is_running() {
            self.nodes[at].facts.remark = shown(remark);
        }
        if self.nodes[at].kind != NodeKind::Permission {
            return self.resume(at);
        }
        let status = match answer {
            PermissionVerdict::Granted => Status::Ok,
            PermissionVerdict::Expired => Status::TimedOut,
            PermissionVerdict::Denied => Status::Denied,
            PermissionVerdict::Withdrawn => Status::Cancelled,
            PermissionVerdict::Other(_) => Status::Error,
        };
        self.end(at, event.time, End { status, duration_ms: None, error: None })
    }

    /// An allowance is not worth a place: nearly all calls are allowed.
    fn decided(&mut self, event: &StreamEvent, decision: &PolicyDecision) -> Change {
        if decision.decision == PolicyVerdict::Allow {
            return Change::Nothing;
        }
        let because = decision.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
        let remark = shown(&format!("policy {}{because}", decision.decision));
        if let Some(at) = self.about(event, decision.tool_call_id.as_ref()) {
            self.nodes[at].facts.remark = remark;
            return Change::Updated;
        }
        let (at, change) = self.moment(event, NodeKind::Policy, &decision.tool_name, None);
        self.nodes[at].facts.remark = remark;
        if decision.decision == PolicyVerdict::Deny {
            self.nodes[at].status = Status::Error;
        }
        change
    }
}
