//! Where a span belongs: its id, its parent, the agent around it, and which open span an event means.

use super::{
    execution::{Execution, Told},
    story::Story,
};
use crate::{
    StepId, Text,
    event::{Body, Concept, Outcome, ParentType, ToolFailure},
    otlp::span::{Link, LinkKind},
};

/// Names of agents that are remembered for who is handed over to.
const MAX_AGENTS: usize = 64;
/// How far up an agent is looked for.
const MAX_DEPTH: usize = 256;

pub(super) const fn is_span(concept: Concept) -> bool {
    matches!(concept, Concept::Agent | Concept::Step | Concept::LlmCall | Concept::ToolCall)
}

/// Whether it is the end that is given to what a crash left open.
pub(super) fn is_lost(body: &Body) -> bool {
    match body {
        Body::ExecutionLost(_) => true,
        Body::AgentEnd(end) => end.outcome == Some(Outcome::Lost),
        Body::StepFailed(end) => end.outcome == Some(Outcome::Lost),
        Body::LlmCallFailed(end) => end.outcome == Some(Outcome::Lost),
        Body::ToolOutputError(end) => end.outcome == ToolFailure::Lost,
        Body::TextEnd(end) => end.outcome == Some(Outcome::Lost),
        Body::ReasoningEnd(end) => end.outcome == Some(Outcome::Lost),
        _ => false,
    }
}

/// The step of another process that an execution goes on from: of the same trace, as that came with it. Other parents
/// have ids that are no span's.
pub(in crate::otlp) fn remote_parent(opener: &Body) -> Option<u64> {
    let Body::ExecutionStart(start) = opener else { return None };
    let id = start.parent_id.as_ref().filter(|_| start.parent_type == Some(ParentType::StepExecution))?;
    let step = StepId::parse(id).ok()?;
    // A foreign id has a span id too, and nobody has that span.
    (format!("step_{:016x}", step.span_id()) == id.as_str()).then(|| step.span_id())
}

impl Execution {
    /// The id of the step, which is its span's. Where a step has several spans (a model call in a step of the same id),
    /// the first has it, and the others one that is made of the place of their start: the same whenever it is read.
    pub(super) fn own_id(&mut self, told: &Told) -> u64 {
        let own = told.step_id.as_ref().map(StepId::span_id).filter(|id| self.taken.insert(*id));
        own.unwrap_or_else(|| {
            let id = derived(self.run.trace_id, told.sequence);
            self.taken.insert(id);
            id
        })
    }

    /// What it says itself; else the first span of its step; else the root.
    pub(super) fn parent_of(&self, story: &Story) -> Option<u64> {
        let told = story.opener.parent_step_id().map(StepId::span_id);
        let of_step = || story.step_id.as_ref().map(StepId::span_id);
        let named = told.or_else(of_step).filter(|id| *id != story.span_id);
        named.or_else(|| self.around())
    }

    /// Where something is that says nothing of it: in the last root that is open, else in the last that was.
    pub(super) fn around(&self) -> Option<u64> {
        let root = self.open.iter().rev().find(|story| story.is_root).map(|root| root.span_id);
        root.or(self.ended.map(|(span_id, _)| span_id))
    }

    pub(super) fn of_span(&self, span_id: Option<u64>) -> Option<usize> {
        let span_id = span_id?;
        self.open.iter().rposition(|story| story.span_id == span_id)
    }

    /// The nearest such span at this place or around it.
    fn nearest(&self, mut span_id: Option<u64>, is_such: fn(&Story) -> bool) -> Option<usize> {
        for _ in 0..MAX_DEPTH {
            let place = self.of_span(span_id)?;
            if is_such(&self.open[place]) {
                return Some(place);
            }
            span_id = self.open[place].parent;
        }
        None
    }

    fn agent_at(&self, span_id: Option<u64>) -> Option<usize> {
        self.nearest(span_id, Story::is_agent)
    }

    /// The root around this place, or what goes on for it by now; else the last one.
    pub(super) fn root_of(&self, place: Option<usize>) -> Option<u64> {
        let root = self.nearest(place.map(|at| self.open[at].span_id), |story| story.is_root);
        let root = root.map(|at| self.open[at].span_id).or_else(|| self.around());
        let goes_on =
            |root, story: &Story| if story.resumes && story.parent == root { Some(story.span_id) } else { root };
        self.open.iter().fold(root, goes_on)
    }

    pub(super) fn agent_around(&self, parent: Option<u64>) -> Option<&Text> {
        self.open[self.agent_at(parent)?].own_agent()
    }

    pub(super) fn is_inside(&self, story: &Story, root: u64) -> bool {
        let mut parent = story.parent;
        for _ in 0..MAX_DEPTH {
            match parent {
                Some(id) if id == root => return true,
                _ => parent = self.of_span(parent).and_then(|place| self.open[place].parent),
            }
        }
        false
    }

    /// A call counts for the agent that made it, once it is made.
    pub(super) fn count_call(&mut self, place: usize) {
        let (concept, parent, is_called) = {
            let story = &self.open[place];
            (story.concept, story.parent, story.is_called)
        };
        let Some(agent) = self.agent_at(parent).filter(|_| is_called) else { return };
        match concept {
            Concept::LlmCall => self.open[agent].calls.inference += 1,
            Concept::ToolCall => self.open[agent].calls.tool += 1,
            _ => {}
        }
    }

    pub(super) fn remember_agent(&mut self, story: &Story) {
        let Some(name) = story.own_agent().cloned() else { return };
        self.agents.retain(|(known, _)| *known != name);
        if self.agents.len() == MAX_AGENTS {
            self.agents.remove(0);
        }
        self.agents.push((name, story.span_id));
    }

    pub(super) fn handed_over(&self, story: &Story) -> Option<Link> {
        let Body::AgentStart(start) = &story.opener else { return None };
        let from = start.handoff_from.as_ref()?;
        let (_, span_id) = self.agents.iter().find(|(name, _)| name == from)?;
        Some(Link { span_id: *span_id, why: LinkKind::Handoff })
    }

    /// The call that a model announced and that begins now, or whose input is whole now. Some models count their calls
    /// anew in each answer: what runs already is not meant.
    pub(super) fn announced(&self, told: &Told) -> Option<usize> {
        let key = told.body.key();
        let is_meant = |story: &Story| {
            let known = story.concept == Concept::ToolCall && story.closer.is_none() && story.key.as_ref() == key;
            known && (!story.is_called || story.step_id == told.step_id || !has_own_step(story))
        };
        self.open.iter().rposition(is_meant)
    }

    /// An announced call runs: from now on, and in a step of its own where it has one.
    pub(super) fn called(&mut self, place: usize, told: Told) {
        if matches!(told.body, Body::ToolInputStart(_)) {
            return;
        }
        let before = self.open[place].is_called;
        let own = told.step_id.as_ref().map(StepId::span_id).filter(|id| !self.taken.contains(id));
        self.taken.extend(own);
        let parent = told.body.parent_step_id().map(StepId::span_id);
        let story = &mut self.open[place];
        let span_id = own.unwrap_or(story.span_id);
        story.is_called_by(span_id, told);
        story.parent = parent.filter(|id| *id != span_id).or(story.parent);
        if !before {
            self.count_call(place);
        }
    }

    /// What an end means: by the key of a call in the same step, by the key alone, by the step.
    pub(super) fn find_open(&self, concept: Concept, told: &Told) -> Option<usize> {
        let step_id = told.step_id.as_ref();
        if concept != Concept::ToolCall {
            return self.open.iter().rposition(|story| story.is_open(concept, step_id));
        }
        let key = told.body.key();
        let by_key = |story: &&Story| story.key.as_ref() == key;
        let both = self.open.iter().rposition(|story| story.is_open(concept, step_id) && by_key(&story));
        both.or_else(|| {
            self.open.iter().rposition(|story| story.is_open(concept, story.step_id.as_ref()) && by_key(&story))
        })
    }
}

/// Whether it is the first span of its step.
pub(super) fn has_own_step(story: &Story) -> bool {
    story.step_id.as_ref().is_some_and(|step| step.span_id() == story.span_id)
}

/// Of splitmix64.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
const MIX: [u64; 2] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

/// A span id for what has no step of its own, by splitmix64: the same in every process that reads the same record.
fn derived(trace_id: u128, sequence: u64) -> u64 {
    let mut mixed = seed(trace_id).wrapping_add(sequence.wrapping_mul(STEP));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(MIX[0]);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(MIX[1]);
    (mixed ^ (mixed >> 31)).max(1)
}

fn seed(trace_id: u128) -> u64 {
    (trace_id as u64) ^ ((trace_id >> 64) as u64)
}

/// Whether a span id was made so, and is no step's: one that was not has a chance of one in four thousand million.
pub(in crate::otlp) fn is_derived(trace_id: u128, span_id: u64) -> bool {
    let mut mixed = span_id ^ (span_id >> 31) ^ (span_id >> 62);
    mixed = mixed.wrapping_mul(const { inverse(MIX[1]) });
    mixed = (mixed ^ (mixed >> 27) ^ (mixed >> 54)).wrapping_mul(const { inverse(MIX[0]) });
    mixed = mixed ^ (mixed >> 30) ^ (mixed >> 60);
    let sequence = mixed.wrapping_sub(seed(trace_id)).wrapping_mul(const { inverse(STEP) });
    u32::try_from(sequence).is_ok()
}

/// Of an odd number among those of 64 bits, by Newton's method: each round doubles the bits that are right.
const fn inverse(odd: u64) -> u64 {
    let (mut inverse, mut round) = (odd, 0);
    while round < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::{derived, is_derived};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_that_were_made_are_known_again_and_others_are_not(trace_id: u128, sequence: u32, other: u64) {
            prop_assert!(is_derived(trace_id, derived(trace_id, u64::from(sequence))));
            prop_assert!(!is_derived(trace_id, other));
        }
    }
}
