//! `Recording`: what was recorded, and what can be asked of it.

use super::normal::normal;
use crate::{
    StreamEvent,
    view::{Node, NodeKind, RunTree, Status, words},
};
use std::fmt;

/// What a run did, and what its work returned.
///
/// It is displayed as its [`tree`](Self::tree).
#[derive(Debug, Clone)]
pub struct Recording<T = ()> {
    output: T,
    raw: Vec<StreamEvent>,
    events: Vec<StreamEvent>,
    pub(super) trees: Vec<RunTree>,
}

impl Recording<()> {
    /// A recording of events that came from elsewhere: an emitter's, a log's, a file's.
    pub fn of(events: impl IntoIterator<Item = StreamEvent>) -> Self {
        Self::new((), events.into_iter().collect())
    }
}

impl<T> Recording<T> {
    pub(super) fn new(output: T, raw: Vec<StreamEvent>) -> Self {
        let events = normal(&raw);
        let trees = trees(&events);
        Self { output, raw, events, trees }
    }

    /// What the work returned.
    pub const fn output(&self) -> &T {
        &self.output
    }

    /// What the work returned, without the rest.
    pub fn into_output(self) -> T {
        self.output
    }

    /// The events of the record in their order, without what differs from run to run: a snapshot of them as JSON is the
    /// same every time.
    ///
    /// Ids of executions and steps are numbered in the order of their appearance, wherever they stand, and stay valid
    /// ids; the clock begins on 2026-01-01 and goes on by 1 ms with each event; everything took 0 ms and has no rate. What the program
    /// itself made up (a provider's call id, a time in a text) is left as it is. Of a streamed text the pieces are not
    /// recorded; its end has the whole.
    pub fn events(&self) -> &[StreamEvent] {
        &self.events
    }

    /// The events as they came.
    pub fn raw_events(&self) -> &[StreamEvent] {
        &self.raw
    }

    /// What was done as an indented tree, one below the other where there were several executions; see
    /// [`RunTree::outline`] for what a line says. No times and no ids stand in it.
    ///
    /// What is beside each other stands in the order in which it began: where things run at the same time, that may
    /// differ from run to run, and [`sorted_tree`](Self::sorted_tree) does not.
    pub fn tree(&self) -> String {
        self.trees.iter().map(RunTree::outline).collect()
    }

    /// The tree with everything that is beside each other in the order of its text, not of its beginning: for runs that
    /// do things at the same time.
    pub fn sorted_tree(&self) -> String {
        let mut trees: Vec<String> = self.trees.iter().map(RunTree::sorted_outline).collect();
        trees.sort();
        trees.concat()
    }

    /// The names of the tools that were called, in the order in which the calls began; those that failed are among them.
    pub fn tools(&self) -> Vec<&str> {
        self.nodes().filter(|node| node.kind == NodeKind::Tool).map(|node| node.name.as_str()).collect()
    }

    /// What went wrong, one line each: everything that ended with an error, a panic, a time-out, a denial, or whose end
    /// was lost. What was cancelled is not among it, nor what a guardrail blocked: both are ways to go on as intended.
    pub fn errors(&self) -> Vec<String> {
        self.nodes().filter(|node| went_wrong(node.status)).map(error_line).collect()
    }

    /// Tokens of all model calls; none where one of them did not tell.
    pub fn tokens(&self) -> Option<u64> {
        let known = self.without(|node| node.facts.usage.input.or(node.facts.usage.output).is_some()).is_empty();
        known.then(|| self.trees.iter().fold(0, |sum: u64, tree| sum.saturating_add(tree.totals().tokens)))
    }

    /// What all model calls cost, in USD; none where the price of one of them is not known.
    pub fn cost_usd(&self) -> Option<f64> {
        let known = self.without(|node| node.facts.usage.cost_usd.is_some()).is_empty();
        known.then(|| self.trees.iter().filter_map(|tree| tree.totals().cost_usd).sum())
    }

    /// The model calls that lack something. One that failed and told nothing of what it used is taken to have used
    /// nothing.
    pub(super) fn without(&self, has: impl Fn(&Node) -> bool) -> Vec<&Node> {
        let calls = self.nodes().filter(|node| matches!(node.kind, NodeKind::Llm | NodeKind::Embedding));
        let used = |node: &&Node| {
            let usage = node.facts.usage;
            node.status != Status::Error || usage.input.or(usage.output).is_some()
        };
        calls.filter(used).filter(|node| !has(node)).collect()
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.trees.iter().flat_map(RunTree::nodes)
    }
}

impl<T> fmt::Display for Recording<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tree())
    }
}

/// One tree for each execution, in the order of their first events.
fn trees(events: &[StreamEvent]) -> Vec<RunTree> {
    let mut trees: Vec<RunTree> = Vec::new();
    for event in events {
        let known = trees.iter().rposition(|tree| tree.id() == event.execution_id.as_ref());
        let at = known.unwrap_or_else(|| {
            trees.push(RunTree::new());
            trees.len() - 1
        });
        trees[at].apply(event);
    }
    trees
}

const fn went_wrong(status: Status) -> bool {
    matches!(status, Status::Error | Status::Denied | Status::Panicked | Status::TimedOut | Status::Lost)
}

fn error_line(node: &Node) -> String {
    format!("{}: {}", words::title(node), words::ending(node, true).unwrap_or_default())
}
