//! A trace as events, in an order in which they could have been told: starts before what is inside, ends after it.

use super::{place::Tree, span::Span};
use crate::{
    ExecutionId, StepId, StreamEvent, Timestamp,
    event::{Body, ExecutionLost, Outcome, ParentType},
    layer::Whereabouts,
    otlp::fold::is_derived,
};
use std::{cmp::Reverse, collections::BTreeSet};

/// The events of one trace.
pub(super) fn events(spans: Vec<Span>) -> Vec<StreamEvent> {
    let tree = Tree::of(spans);
    let id = tree.spans.iter().find_map(Span::execution_id);
    let id = id.or_else(|| tree.spans.first().map(|span| ExecutionId::from_trace_id(span.trace_id)));
    id.map(|id| Teller::new(tree, &id).tell()).unwrap_or_default()
}

struct Teller {
    tree: Tree,
    said: Vec<Said>,
    open: BTreeSet<Open>,
    out: Vec<StreamEvent>,
}

/// What a span tells.
struct Said {
    starts: Vec<StreamEvent>,
    moments: Vec<(Timestamp, Option<StreamEvent>)>,
    ends: Vec<StreamEvent>,
    /// Not before what is around it, whose clock may be another.
    begins_at: Timestamp,
    /// After everything that happens in it, where it is a root: with it everything ends.
    ends_at: Timestamp,
}

/// What has begun, in the order of its end: what is inside first.
type Open = (Timestamp, Reverse<usize>, Reverse<usize>);

/// What is told next: a start, or a moment of a span.
type Item = (Timestamp, usize, usize, Option<usize>);

impl Teller {
    fn new(mut tree: Tree, id: &ExecutionId) -> Self {
        let spans = std::mem::take(&mut tree.spans);
        let ids: Vec<StepId> = spans.iter().map(|span| StepId::from_span_id(span.span_id)).collect();
        let begins: Vec<Timestamp> = spans.iter().map(|span| span.start).collect();
        let mut ends: Vec<Timestamp> = spans.iter().map(|span| span.end).collect();
        for (at, span) in spans.iter().enumerate() {
            if let Some(root) = tree.ancestors(at).last() {
                ends[root] = ends[root].max(span.end);
            }
        }
        let said = spans.into_iter().enumerate().map(|(at, span)| {
            let parent = tree.around[at].map(|around| ids[around].clone());
            let is_own = !is_derived(span.trace_id, span.span_id);
            let shared = tree.around[at].filter(|around| !is_own && !tree.is_root(*around));
            let shared = shared.map(|around| ids[around].clone());
            let begins_at = tree.ancestors(at).map(|around| begins[around]).fold(begins[at], Timestamp::max);
            Said { begins_at, ends_at: ends[at].max(begins_at), ..told(span, id, ids[at].clone(), parent, shared) }
        });
        let said = said.collect();
        Self { tree, said, open: BTreeSet::new(), out: Vec::new() }
    }

    fn tell(mut self) -> Vec<StreamEvent> {
        for (time, _, at, moment) in self.items() {
            self.close(Some((time, at, moment.is_some())));
            match moment {
                None => {
                    let starts = std::mem::take(&mut self.said[at].starts);
                    self.out.extend(starts);
                    self.open.insert((self.said[at].ends_at, Reverse(self.tree.depth[at]), Reverse(at)));
                }
                Some(moment) => self.out.extend(self.said[at].moments[moment].1.take()),
            }
        }
        self.close(None);
        self.out
    }

    fn items(&self) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        for (at, said) in self.said.iter().enumerate() {
            let depth = self.tree.depth[at];
            items.extend((!said.starts.is_empty()).then_some((said.begins_at, depth, at, None)));
            let moments = said.moments.iter().map(|(time, _)| (*time).max(said.begins_at)).enumerate();
            items.extend(moments.map(|(moment, time)| (time, depth + 1, at, Some(moment))));
        }
        items.sort();
        items
    }

    /// Ends what is over before this happens: at the very moment only what it is not part of.
    fn close(&mut self, before: Option<(Timestamp, usize, bool)>) {
        let is_over = |open: &&Open| before.is_none_or(|(time, ..)| open.0 <= time);
        let stays = |(ends_at, _, Reverse(open)): &Open| {
            before.is_some_and(|(time, at, is_moment)| {
                let is_around = || (is_moment && *open == at) || self.tree.ancestors(at).any(|around| around == *open);
                *ends_at == time && is_around()
            })
        };
        let due: Vec<Open> = self.open.iter().take_while(is_over).filter(|open| !stays(open)).copied().collect();
        for open in due {
            self.open.remove(&open);
            let ends = std::mem::take(&mut self.said[open.2.0].ends);
            self.out.extend(ends);
        }
    }
}

/// `shared`: the step that it is a part of without being one, as our own export tells it.
fn told(span: Span, id: &ExecutionId, step_id: StepId, parent: Option<StepId>, shared: Option<StepId>) -> Said {
    let Span { own, said, start, end, moments, parent: remote, .. } = span;
    let is_root = parent.is_none();
    let moment = |(time, body): (Timestamp, Body)| {
        let event = StreamEvent::new(body).of_execution(id.clone()).of_step(step_id.clone()).at(time);
        (time, Some(event))
    };
    let moments = moments.into_iter().map(moment).collect();
    let (mut starts, mut ends) = said.tell(id, Whereabouts { step_id: step_id.clone(), parent, start, end });
    for event in &mut starts {
        match &mut event.body {
            Body::StepStart(start) => {
                start.step_type = own.step_type.clone().unwrap_or_else(|| start.step_type.clone());
                start.attempt = own.attempt;
            }
            Body::LlmCallStart(start) => start.attempt = own.attempt,
            Body::ExecutionStart(start) => {
                let remote = remote.map(|id| (StepId::from_span_id(id).to_string().into(), ParentType::StepExecution));
                (start.parent_id, start.parent_type) = own.parent.clone().or(remote).unzip();
                start.attempt = own.attempt;
            }
            _ => {}
        }
    }
    ends.iter_mut().for_each(|event| as_lost(&mut event.body));
    if let Some(step) = shared {
        starts.iter_mut().chain(&mut ends).for_each(|event| of_step(event, &step));
    }
    if own.is_unended && !is_root {
        ends.clear();
    }
    Said { starts, moments, ends, begins_at: start, ends_at: end }
}

/// A call that happened in a step, and had no step of its own.
fn of_step(event: &mut StreamEvent, step: &StepId) {
    match &mut event.body {
        Body::LlmCallStart(start) => start.parent_step_id = None,
        Body::ToolInputAvailable(start) => start.parent_step_id = None,
        Body::LlmCallEnd(_) | Body::LlmCallFailed(_) | Body::TokenUsage(_) => {}
        Body::ToolOutputAvailable(_) | Body::ToolOutputError(_) => {}
        _ => return,
    }
    event.step_id = Some(step.clone());
}

/// A crash is told of an execution by a kind of its own, which no span can say.
fn as_lost(body: &mut Body) {
    if let Body::ExecutionFailed(failed) = body
        && failed.outcome == Some(Outcome::Lost)
    {
        *body = ExecutionLost::new(failed.error.message.clone()).into();
    }
}
