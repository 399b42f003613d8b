//! `RunTree`: the events of one execution, folded into a tree.

use super::{Inert, Node, NodeKind, Status, Totals, Usage, arrange};
use crate::{ExecutionId, StepId, StreamEvent, Text, Timestamp, event::Roots};
use std::{collections::HashMap, time::Duration};

/// Names are cut to this many characters.
pub(super) const NAME_CHARS: usize = 60;
/// Every other text is cut to this many characters.
pub(super) const TEXT_CHARS: usize = 240;

/// What an execution does and did, as a tree. The root is the execution itself.
///
/// Takes events in any order, doubled or incomplete: what is missing is left open, a second end changes nothing, and
/// who joins late gets a tree of what happened since. Each event costs the same however large the tree is.
///
/// At most [`NODES_MAX`](Self::NODES_MAX) nodes are held: then half of them are forgotten, what ended longest ago first.
#[derive(Debug, Clone)]
pub struct RunTree {
    pub(super) id: Option<ExecutionId>,
    pub(super) roots: Roots,
    pub(super) nodes: Vec<Node>,
    pub(super) keys: HashMap<Key, usize>,
    pub(super) totals: Totals,
    pub(super) last: Option<Timestamp>,
    pub(super) forgotten: usize,
}

/// By what an event finds its node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// The node whose own step this is.
    Step(StepId),
    /// A tool call.
    Call(Text),
    /// The last model call that was sent without a step of its own, by the step it was sent from.
    Model(Option<StepId>),
    /// What waits for the answer to a permission request.
    Permission(Text),
    /// A job.
    Job(Text),
}

/// What an event changed, for who prints one line for each change. Numbers of nodes hold until the next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Nothing that is shown.
    Nothing,
    /// A fact.
    Updated,
    /// This node began.
    Started(usize),
    /// This node waits for someone.
    Waiting(usize),
    /// This node goes on.
    Resumed(usize),
    /// This node ended, or happened at once.
    Ended(usize),
}

impl Default for RunTree {
    fn default() -> Self {
        Self::new()
    }
}

impl RunTree {
    /// The most nodes that are held.
    pub const NODES_MAX: usize = 4096;

    /// A tree of nothing but a root.
    pub fn new() -> Self {
        Self {
            id: None,
            roots: Roots::new(),
            nodes: vec![Node::new(NodeKind::Run, Inert::default())],
            keys: HashMap::new(),
            totals: Totals::default(),
            last: None,
            forgotten: 0,
        }
    }

    /// Takes in the next event. It is not asked which execution it is of: that is the caller's choice.
    pub fn apply(&mut self, event: &StreamEvent) -> Change {
        self.last = self.last.max(event.time);
        if self.id.is_none() {
            self.id.clone_from(&event.execution_id);
        }
        if self.nodes.len() >= Self::NODES_MAX {
            self.forget();
        }
        self.fold(event)
    }

    /// The execution; none before the first event that names it.
    pub const fn id(&self) -> Option<&ExecutionId> {
        self.id.as_ref()
    }

    /// The nodes in the order in which they were first seen; the root stands first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The execution's own node.
    pub fn root(&self) -> &Node {
        &self.nodes[0]
    }

    /// How many nodes are not held any more.
    pub const fn forgotten(&self) -> usize {
        self.forgotten
    }

    /// Sums over the execution.
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The latest time that an event carried.
    pub const fn last_seen(&self) -> Option<Timestamp> {
        self.last
    }

    /// True when the execution has ended.
    pub fn is_finished(&self) -> bool {
        !self.root().status.is_running()
    }

    pub(super) fn find(&self, key: &Key) -> Option<usize> {
        self.keys.get(key).copied()
    }

    pub(super) fn find_step(&self, step: Option<&StepId>) -> Option<usize> {
        self.find(&Key::Step(step?.clone()))
    }

    /// A new node below `parent`; it is found by `step` where that is given and still free.
    pub(super) fn grow(&mut self, kind: NodeKind, name: &str, step: Option<&StepId>, parent: Option<&StepId>) -> usize {
        let at = self.nodes.len();
        let mut node = Node::new(kind, Inert::new(name, NAME_CHARS));
        node.parent_step_id = parent.cloned();
        self.nodes.push(node);
        self.bind(at, step);
        at
    }

    /// Gives a node its own step, if it has none and the step is free.
    pub(super) fn bind(&mut self, at: usize, step: Option<&StepId>) {
        if let Some(step) = step
            && self.nodes[at].step_id.is_none()
            && self.find_step(Some(step)).is_none()
        {
            self.nodes[at].step_id = Some(step.clone());
            self.keys.insert(Key::Step(step.clone()), at);
        }
    }

    /// Ends a node; a second end changes nothing.
    pub(super) fn end(&mut self, at: usize, time: Option<Timestamp>, end: End<'_>) -> Change {
        let node = &mut self.nodes[at];
        if !node.status.is_running() {
            return Change::Nothing;
        }
        node.status = end.status;
        // When something was found open after a crash, the time of finding it says nothing about how long it ran.
        if end.status != Status::Lost {
            let measured = time.zip(node.started).map(|(time, started)| time.since(started));
            node.duration = end.duration_ms.map(Duration::from_millis).or(measured);
        }
        node.facts.waiting = None;
        if let Some(error) = end.error {
            node.facts.error = Inert::new(error, TEXT_CHARS);
        }
        Change::Ended(at)
    }

    /// Puts what a call used on its node, and the difference to what was known before into the sums.
    pub(super) fn spend(&mut self, at: usize, usage: Usage) {
        let node = &mut self.nodes[at];
        let old = node.facts.usage;
        node.facts.usage = usage.or(old);
        // Usage stands on leaf calls; what stands on an agent or a step is the sum of calls that are counted already.
        if matches!(node.kind, NodeKind::Llm | NodeKind::Embedding) {
            let new = node.facts.usage;
            self.totals.exchange(old, new);
        }
    }

    fn forget(&mut self) {
        let kept = arrange::choose(self, Self::NODES_MAX / 2);
        let mut count = 0;
        let places: Vec<Option<usize>> = kept.iter().map(|kept| kept.then(|| (count, count += 1).0)).collect();
        let mut keep = kept.iter();
        self.nodes.retain(|_| keep.next().copied().unwrap_or(false));
        self.keys.retain(|_, at| places[*at].map(|place| *at = place).is_some());
        self.forgotten += kept.len() - count;
    }
}

/// How a node ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct End<'a> {
    pub(super) status: Status,
    pub(super) duration_ms: Option<u64>,
    pub(super) error: Option<&'a str>,
}

impl End<'_> {
    pub(super) const fn well(duration_ms: Option<u64>) -> Self {
        Self { status: Status::Ok, duration_ms, error: None }
    }
}
