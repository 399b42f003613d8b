//! `Node`: one thing that an agent does, with what is known of it.

use super::{Inert, NodeKind, Status, Usage};
use crate::{StepId, Timestamp, event::GuardrailDecision};
use std::time::Duration;

/// One thing that an agent does. Its texts are bounded and [inert](Inert).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Node {
    /// What kind of thing.
    pub kind: NodeKind,
    /// What it is called: an agent's, step's or tool's name, the model of a model call. May be empty.
    pub name: Inert,
    /// Its own step; none for what happened at once and for what was sent without ids.
    pub step_id: Option<StepId>,
    /// The step around it, as far as it was told; the root for none.
    pub parent_step_id: Option<StepId>,
    /// How far it is.
    pub status: Status,
    /// When it began; none if its start was not seen.
    pub started: Option<Timestamp>,
    /// From start to end.
    pub duration: Option<Duration>,
    /// What else is known.
    pub facts: Box<Facts>,
}

/// What is known of a node beyond its name and its times.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Facts {
    /// What a tool was called with, what was asked, what was looked for.
    pub preview: Inert,
    /// Tokens and money of a model call.
    pub usage: Usage,
    /// From request to first chunk.
    pub first_chunk: Option<Duration>,
    /// Characters streamed so far: a model's text, or the input that it writes for a tool.
    pub text_chars: u64,
    /// Characters of reasoning streamed so far.
    pub reasoning_chars: u64,
    /// A guardrail's verdict.
    pub verdict: Option<GuardrailDecision>,
    /// How many memories or documents were found.
    pub hits: Option<u64>,
    /// What went wrong.
    pub error: Inert,
    /// What is said of it in a few words: a reason, a score, who granted it, why a model stopped.
    pub remark: Inert,
    /// What it waits for, a person mostly.
    pub waiting: Option<Inert>,
    /// Which try, where not the first.
    pub attempt: Option<u64>,
    /// How much of a job is done, and how much there is to do.
    pub progress: Option<(u64, Option<u64>)>,
    /// Pieces of its text were seen: the whole at a segment's end says nothing new then.
    pub(super) pieces_seen: bool,
}

impl Node {
    pub(super) fn new(kind: NodeKind, name: Inert) -> Self {
        Self {
            kind,
            name,
            step_id: None,
            parent_step_id: None,
            status: Status::Running,
            started: None,
            duration: None,
            facts: Box::default(),
        }
    }

    /// Time from start to end, or to `now` while it runs; none where it is not known.
    pub fn elapsed(&self, now: Option<Timestamp>) -> Option<Duration> {
        match self.status {
            Status::Running => Some(now?.since(self.started?)),
            _ => self.duration,
        }
    }

    /// Output tokens per second, from the first chunk on where that is known.
    pub fn tokens_per_second(&self) -> Option<f64> {
        let whole = self.duration?;
        let writing = self.facts.first_chunk.map_or(whole, |first| whole.saturating_sub(first));
        let rate = self.facts.usage.output? as f64 / writing.as_secs_f64();
        (rate.is_finite() && rate > 0.0).then_some(rate)
    }
}
