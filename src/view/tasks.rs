//! An execution and the agents inside it as tasks.

use super::{BlockedOn, Inert, NodeKind, Run, Status, summary::told_apart};
use crate::{Text, Timestamp};
use serde::Serialize;
use std::time::Duration;

/// Something that an agent was given to do: an execution, or an agent inside it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Task {
    /// Id of the execution, or of the step that the agent is.
    pub id: Text,
    /// The task that it is part of: that of the agent or execution around it; of an execution what caused it.
    pub parent_id: Option<Text>,
    /// Name of the agent.
    pub agent: Inert,
    /// How far it is: `running`, `paused`, `completed`, `failed`, `cancelled` or `lost`.
    pub status: &'static str,
    /// When it began.
    pub created_at: Option<Timestamp>,
    /// From its beginning to its end, in seconds; while it runs as far as [`at`](Task::at) says.
    pub alive_seconds: Option<f64>,
    /// Input tokens of its own calls and those of the tasks inside it.
    pub prompt_tokens: u64,
    /// Output tokens of its own calls and those of the tasks inside it.
    pub completion_tokens: u64,
    /// What it waits for; of the execution as a whole.
    pub blocked_on: Option<BlockedOn>,
}

impl Task {
    /// The same, with how long it has run by now, if it runs.
    pub fn at(mut self, now: Timestamp) -> Self {
        if self.status == word(Status::Running) {
            self.alive_seconds = self.created_at.map(|created| seconds(now.since(created)));
        }
        self
    }
}

/// To the millisecond: `2.268`, not `2.2676315799999998`.
pub(crate) fn seconds(time: Duration) -> f64 {
    time.as_millis() as f64 / 1_000.0
}

impl Run {
    /// The execution, called `id`, and the agents inside it, in the order in which they were first seen.
    pub fn tasks(&self, id: &Text) -> Vec<Task> {
        let parents = self.tree().parents();
        let tokens = self.tokens_below(&parents);
        let tasks = (0..parents.len()).filter(|at| self.is_task(*at));
        tasks.map(|at| self.task(at, &parents, tokens[at], id)).collect()
    }

    fn task(&self, at: usize, parents: &[usize], tokens: (u64, u64), id: &Text) -> Task {
        let node = &self.tree().nodes()[at];
        Task {
            id: self.task_id(at, id),
            parent_id: match at {
                0 => self.parent_id().cloned(),
                _ => path(parents[at], parents).find(|at| self.is_task(*at)).map(|around| self.task_id(around, id)),
            },
            agent: node.name.clone(),
            status: word(node.status),
            created_at: node.started,
            alive_seconds: node.elapsed(None).map(seconds),
            prompt_tokens: tokens.0,
            completion_tokens: tokens.1,
            blocked_on: self.blocked_on().filter(|_| at == 0),
        }
    }

    fn is_task(&self, at: usize) -> bool {
        let node = &self.tree().nodes()[at];
        at == 0 || (node.kind == NodeKind::Agent && node.step_id.is_some())
    }

    fn task_id(&self, at: usize, execution: &Text) -> Text {
        let step = self.tree().nodes()[at].step_id.as_ref().filter(|_| at > 0);
        step.map_or_else(|| execution.clone(), |step| step.to_string().into())
    }

    /// What calls used, on each node around them.
    fn tokens_below(&self, parents: &[usize]) -> Vec<(u64, u64)> {
        let mut sums = vec![(0_u64, 0_u64); parents.len()];
        for (call, node) in self.tree().nodes().iter().enumerate() {
            let (input, output) = told_apart(node);
            if (input, output) != (0, 0) {
                path(call, parents).for_each(|at| sums[at] = (sums[at].0 + input, sums[at].1 + output));
            }
        }
        sums
    }
}

/// From a node up to the root, both included.
fn path(at: usize, parents: &[usize]) -> impl Iterator<Item = usize> + '_ {
    std::iter::successors(Some(at), |at| (*at > 0).then(|| parents[*at]))
}

const fn word(status: Status) -> &'static str {
    match status {
        Status::Running => "running",
        Status::Ok => "completed",
        Status::Error | Status::Denied | Status::Panicked | Status::TimedOut => "failed",
        Status::Cancelled => "cancelled",
        Status::Lost => "lost",
    }
}
