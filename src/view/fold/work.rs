//! Executions, steps and agents.

use super::{preview, shown};
use crate::{
    Json, StepId, StreamEvent,
    event::{Body, Concept, Life, Outcome},
    view::{
        Change, Inert, NodeKind, RunTree, Status,
        tree::{End, Key, NAME_CHARS},
    },
};

/// What a start says.
struct Start<'a> {
    kind: NodeKind,
    name: &'a str,
    parent: Option<&'a StepId>,
    attempt: Option<u64>,
    input: Option<&'a Json>,
}

impl RunTree {
    pub(super) fn fold_execution(&mut self, event: &StreamEvent) -> Option<Change> {
        self.roots.apply(event);
        let is_end = event.kind().life() == Life::Closes(Concept::Execution);
        if is_end && !self.roots.is_empty() {
            return Some(Change::Nothing);
        }
        let end = match &event.body {
            Body::ExecutionStart(start) => {
                self.bind_root(event.step_id.as_ref());
                let name = start.name.as_deref().unwrap_or_default();
                let (attempt, input) = (start.attempt, start.input.as_ref());
                return Some(self.begin(0, event, &Start { kind: NodeKind::Run, name, parent: None, attempt, input }));
            }
            Body::ExecutionEnd(end) => {
                End { status: status(end.outcome.as_ref(), Status::Ok), ..End::well(Some(end.duration_ms)) }
            }
            Body::ExecutionFailed(end) => End {
                status: status(end.outcome.as_ref(), Status::Error),
                duration_ms: end.duration_ms,
                error: Some(&end.error.message),
            },
            Body::ExecutionCancelled(end) => {
                End { status: Status::Cancelled, duration_ms: end.duration_ms, error: Some(&end.reason) }
            }
            Body::ExecutionLost(end) => End { status: Status::Lost, duration_ms: None, error: Some(&end.reason) },
            Body::ExecutionPaused(pause) => return Some(self.wait(0, &pause.reason)),
            Body::ExecutionResumed(_) => return Some(self.resume(0)),
            _ => return None,
        };
        Some(self.end(0, event.time, end))
    }

    /// The root has its step even where something was seen before that called itself the same.
    fn bind_root(&mut self, step: Option<&StepId>) {
        if let (Some(step), None) = (step, &self.nodes[0].step_id) {
            self.nodes[0].step_id = Some(step.clone());
            self.keys.entry(Key::Step(step.clone())).or_insert(0);
        }
    }

    pub(super) fn fold_step(&mut self, event: &StreamEvent) -> Option<Change> {
        let step = event.step_id.as_ref();
        let (kind, end) = match &event.body {
            Body::StepStart(start) => {
                let (kind, parent) = (NodeKind::from(&start.step_type), start.parent_step_id.as_ref());
                let (attempt, input) = (start.attempt, start.input.as_ref());
                return self.open(event, &Start { kind, name: &start.name, parent, attempt, input });
            }
            Body::AgentStart(start) => {
                let (parent, input) = (start.parent_step_id.as_ref(), start.input.as_ref());
                return self
                    .open(event, &Start { kind: NodeKind::Agent, name: &start.name, parent, attempt: None, input });
            }
            Body::StepEnd(end) => (
                NodeKind::Step,
                End { status: status(end.outcome.as_ref(), Status::Ok), ..End::well(Some(end.duration_ms)) },
            ),
            Body::StepFailed(end) => {
                let status = status(end.outcome.as_ref(), Status::Error);
                (NodeKind::Step, End { status, duration_ms: end.duration_ms, error: Some(&end.error.message) })
            }
            Body::AgentEnd(end) => {
                let fallback = if end.error.is_some() { Status::Error } else { Status::Ok };
                let status = status(end.outcome.as_ref(), fallback);
                (NodeKind::Agent, End { status, duration_ms: Some(end.duration_ms), error: end.error.as_deref() })
            }
            _ => return None,
        };
        let at = self.find_step(step).or_else(|| step.map(|step| self.grow(kind, "", Some(step), None)))?;
        // A step that ends under the root's own id is another view of the root, which has an end of its own.
        Some(if at == 0 { Change::Nothing } else { self.end(at, event.time, end) })
    }

    /// Something with a step of its own begins. Without one its end could never be told, so it is not shown.
    fn open(&mut self, event: &StreamEvent, start: &Start<'_>) -> Option<Change> {
        let step = event.step_id.as_ref()?;
        let at =
            self.find_step(Some(step)).unwrap_or_else(|| self.grow(start.kind, start.name, Some(step), start.parent));
        Some(self.begin(at, event, start))
    }

    /// Puts on a node what its start says. A second start changes nothing; one that comes after the end fills in.
    fn begin(&mut self, at: usize, event: &StreamEvent, start: &Start<'_>) -> Change {
        let node = &mut self.nodes[at];
        if node.started.is_some() {
            return Change::Nothing;
        }
        node.started = event.time;
        if node.kind != NodeKind::Run {
            node.kind = start.kind;
        }
        if !start.name.is_empty() {
            node.name = Inert::new(start.name, NAME_CHARS);
        }
        if node.parent_step_id.is_none() {
            node.parent_step_id = start.parent.cloned();
        }
        node.facts.attempt = start.attempt.filter(|attempt| *attempt > 1);
        node.facts.preview = start.input.map(preview).unwrap_or_default();
        if node.status.is_running() { Change::Started(at) } else { Change::Updated }
    }

    pub(super) fn wait(&mut self, at: usize, reason: &str) -> Change {
        let node = &mut self.nodes[at];
        if !node.status.is_running() {
            return Change::Nothing;
        }
        node.facts.waiting = Some(shown(reason));
        Change::Waiting(at)
    }

    pub(super) fn resume(&mut self, at: usize) -> Change {
        match self.nodes[at].facts.waiting.take() {
            Some(_) => Change::Resumed(at),
            None => Change::Nothing,
        }
    }
}

fn status(outcome: Option<&Outcome>, fallback: Status) -> Status {
    outcome.map_or(fallback, Status::from)
}
