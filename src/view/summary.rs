//! What an execution did, in a few numbers.

use super::{Blocked, BlockedOn, Inert, Node, NodeKind, RunTree};
use crate::{StepId, StreamEvent, Text, Timestamp, event::Body};
use serde::Serialize;

/// What an execution did and does, in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Summary {
    /// Tokens and money.
    #[serde(flatten)]
    pub spent: Spent,
    /// Calls of models.
    pub model_calls: u64,
    /// Calls of tools.
    pub tool_calls: u64,
    /// What it waits for.
    pub blocked_on: Option<BlockedOn>,
    /// What began last of all that has not ended yet.
    pub current_step: Option<CurrentStep>,
    /// False when older events were not looked at: `prompt_tokens`, `completion_tokens` and the counts of calls are then
    /// those of the newest events only. The other sums are the whole execution's all the same.
    pub complete: bool,
}

/// Tokens and money.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Spent {
    /// Tokens of all model calls.
    pub tokens: u64,
    /// True when there were more than these: some call did not tell.
    pub tokens_at_least: bool,
    /// Input tokens, as far as calls told them apart.
    pub prompt_tokens: u64,
    /// Output tokens, as far as calls told them apart.
    pub completion_tokens: u64,
    /// Price in USD; none as long as no price is known.
    pub cost_usd: Option<f64>,
    /// True when it cost more than this: some call has no price.
    pub cost_at_least: bool,
}

/// A step that runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CurrentStep {
    /// Its id, if it has one.
    pub step_id: Option<StepId>,
    /// What kind of thing: the words of a run's tree.
    pub kind: NodeKind,
    /// What it is called.
    pub name: Inert,
    /// Since when it runs.
    pub started_at: Option<Timestamp>,
}

/// The events of one execution, folded into all that is said of it.
#[derive(Debug, Clone, Default)]
pub struct Run {
    tree: RunTree,
    blocked: Blocked,
    parent_id: Option<Text>,
    title: Option<Inert>,
}

/// A note of this name gives an execution, and so its session, a title.
const TITLE: &str = "title";
/// Titles are cut to this many characters.
const TITLE_CHARS: usize = 120;

impl Run {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next event, in order.
    pub fn apply(&mut self, event: &StreamEvent) {
        self.tree.apply(event);
        self.blocked.apply(event);
        match &event.body {
            Body::ExecutionStart(start) => self.parent_id.clone_from(&start.parent_id),
            Body::Note(note) if note.name == TITLE => {
                self.title =
                    serde_json::from_str::<&str>(note.value.as_str()).ok().map(|text| Inert::new(text, TITLE_CHARS));
            }
            _ => {}
        }
    }

    /// What it did, as a tree.
    pub const fn tree(&self) -> &RunTree {
        &self.tree
    }

    /// What it waits for.
    pub fn blocked_on(&self) -> Option<BlockedOn> {
        self.blocked.on()
    }

    /// Id of what caused it.
    pub const fn parent_id(&self) -> Option<&Text> {
        self.parent_id.as_ref()
    }

    /// What it is about, where somebody noted that (a note named `title`).
    pub const fn title(&self) -> Option<&Inert> {
        self.title.as_ref()
    }

    /// In a few numbers. `complete` says whether every event of the execution was taken in.
    pub fn summary(&self, complete: bool) -> Summary {
        let nodes = self.tree.nodes();
        let count = |kind| nodes.iter().filter(|node| node.kind == kind).count() as u64;
        Summary {
            spent: Spent::of(&self.tree),
            model_calls: count(NodeKind::Llm),
            tool_calls: count(NodeKind::Tool),
            blocked_on: self.blocked_on(),
            current_step: self.current_step(),
            complete: complete && self.tree.forgotten() == 0,
        }
    }

    fn current_step(&self) -> Option<CurrentStep> {
        let node = self.tree.nodes().iter().skip(1).rev().find(|node| node.status.is_running())?;
        if self.tree.is_finished() {
            return None;
        }
        let Node { kind, ref name, ref step_id, started, .. } = *node;
        Some(CurrentStep { step_id: step_id.clone(), kind, name: name.clone(), started_at: started })
    }
}

impl Spent {
    /// What the execution of this tree spent.
    pub fn of(tree: &RunTree) -> Self {
        let totals = tree.totals();
        let calls = tree.nodes().iter().map(told_apart);
        let (prompt_tokens, completion_tokens) =
            calls.fold((0, 0), |(input, output), call| (input + call.0, output + call.1));
        Self {
            tokens: totals.tokens,
            tokens_at_least: totals.are_tokens_a_lower_bound(),
            prompt_tokens,
            completion_tokens,
            cost_usd: totals.cost_usd,
            cost_at_least: totals.is_cost_a_lower_bound(),
        }
    }

    /// Both together. A sum of money of which one part is not known is a lower bound.
    pub fn and(self, other: Self) -> Self {
        let unknown = |this: &Self| this.cost_usd.is_none() && this.tokens > 0;
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            tokens_at_least: self.tokens_at_least || other.tokens_at_least,
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            completion_tokens: self.completion_tokens.saturating_add(other.completion_tokens),
            cost_usd: match (self.cost_usd, other.cost_usd) {
                (Some(one), Some(two)) => Some(one + two),
                (one, two) => one.or(two),
            },
            cost_at_least: self.cost_at_least || other.cost_at_least || unknown(&self) || unknown(&other),
        }
    }
}

/// Input and output tokens of a call; none of what sums up other calls, or is none.
pub(super) fn told_apart(node: &Node) -> (u64, u64) {
    let usage = node.facts.usage;
    match node.kind {
        NodeKind::Llm | NodeKind::Embedding if !usage.is_aggregate => {
            (usage.input.unwrap_or(0), usage.output.unwrap_or(0))
        }
        _ => (0, 0),
    }
}
