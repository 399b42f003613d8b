//! `Runs`: the trees of many executions, as many as fit.

use super::{Change, RunTree};
use crate::{ExecutionId, StreamEvent, event::Body};
use std::collections::{HashMap, VecDeque};

/// Trees by execution. Finished ones past a bound are dropped, the oldest first; so are unfinished ones past
/// [`RUNNING_MAX`](Self::RUNNING_MAX), since an execution whose end was lost would stay for ever.
#[derive(Debug, Clone)]
pub struct Runs {
    trees: HashMap<ExecutionId, RunTree>,
    /// In the order of their first event.
    running: VecDeque<ExecutionId>,
    /// In the order of their end.
    finished: VecDeque<ExecutionId>,
    finished_max: usize,
    missed: u64,
}

impl Default for Runs {
    fn default() -> Self {
        Self::new(100)
    }
}

impl Runs {
    /// The most unfinished executions that are held.
    pub const RUNNING_MAX: usize = 1024;

    /// No executions yet; of finished ones at most `finished_max` are held.
    pub fn new(finished_max: usize) -> Self {
        Self { trees: HashMap::new(), running: VecDeque::new(), finished: VecDeque::new(), finished_max, missed: 0 }
    }

    /// Takes in the next event; what changed in the tree of its execution. An event that names none counts as one of
    /// the only execution that runs, and for nothing where several do.
    pub fn apply(&mut self, event: &StreamEvent) -> Option<(&RunTree, Change)> {
        if let Body::StreamLagged(lagged) = &event.body {
            self.missed = self.missed.saturating_add(lagged.dropped);
        }
        let id = match (&event.execution_id, self.running.len()) {
            (Some(id), _) => id.clone(),
            (None, 1) => self.running.front()?.clone(),
            (None, _) => return None,
        };
        let tree = self.trees.entry(id.clone()).or_insert_with(|| {
            self.running.push_back(id.clone());
            RunTree::new()
        });
        let was_finished = tree.is_finished();
        let change = tree.apply(event);
        let ends = tree.is_finished() && !was_finished;
        if ends {
            self.running.retain(|running| *running != id);
            self.finished.push_back(id.clone());
        }
        self.drop_oldest();
        self.trees.get(&id).map(|tree| (tree, change))
    }

    /// One event adds one execution at most, so one is dropped at most, and never the one that has just changed: it
    /// stands last in its queue.
    fn drop_oldest(&mut self) {
        let oldest = match (self.finished.len() > self.finished_max.max(1), self.running.len() > Self::RUNNING_MAX) {
            (true, _) => self.finished.pop_front(),
            (_, true) => self.running.pop_front(),
            _ => None,
        };
        if let Some(id) = oldest {
            self.trees.remove(&id);
        }
    }

    /// The tree of an execution.
    pub fn get(&self, id: &ExecutionId) -> Option<&RunTree> {
        self.trees.get(id)
    }

    /// Executions that have not ended, in the order of their first event.
    pub fn running(&self) -> impl DoubleEndedIterator<Item = &RunTree> + ExactSizeIterator {
        self.running.iter().map(|id| &self.trees[id])
    }

    /// Executions that have ended, in the order of their end.
    pub fn finished(&self) -> impl DoubleEndedIterator<Item = &RunTree> + ExactSizeIterator {
        self.finished.iter().map(|id| &self.trees[id])
    }

    /// How many executions are held.
    pub fn len(&self) -> usize {
        self.trees.len()
    }

    /// True when none is held.
    pub fn is_empty(&self) -> bool {
        self.trees.is_empty()
    }

    /// How many events the stream has said that it lost.
    pub const fn missed(&self) -> u64 {
        self.missed
    }
}
