//! What happens at once: it joins the span that it is about, is a span of its own, or comes too late for any.

use super::{
    execution::{Execution, Told},
    places::has_own_step,
    story::Story,
};
use crate::{
    StepId, Timestamp,
    event::{Body, Concept, Kind, StepType},
    otlp::span::{Fact, Output},
};
use std::time::Duration;

impl Execution {
    pub(super) fn fact(&mut self, told: Told, out: &mut Vec<Output>) {
        match &told.body {
            Body::ExecutionPaused(_) => self.paused = self.root_of(self.meant(&told)),
            Body::ExecutionResumed(_) => self.paused = None,
            // What a client draws lines by; the text's whole comes with its end.
            Body::StartStep(_)
            | Body::FinishStep(_)
            | Body::Start(_)
            | Body::TextStart(_)
            | Body::ReasoningStart(_) => {
                return;
            }
            _ => {}
        }
        let place = self.meant(&told);
        if let Some(step_type) = step_of(&told.body)
            && !place.is_some_and(|at| self.open[at].is_step(&step_type))
        {
            return self.moment(told, out);
        }
        let (now, own) = (told.time, self.ended_step(&told));
        let fact = Fact { time: now, body: told.body };
        match place.or_else(|| self.of_span(self.around())) {
            Some(place) => {
                let is_usage = matches!(fact.body, Body::TokenUsage(_));
                self.open[place].note(fact);
                if is_usage && self.open[place].lingers_until.is_some() {
                    self.leave(place, now, out);
                }
            }
            None => out.push(Output::Late { run: self.run.clone(), parent: own.or_else(|| self.around()), fact }),
        }
    }

    /// The span of the step that it names, where that has ended.
    fn ended_step(&self, told: &Told) -> Option<u64> {
        told.step_id.as_ref().map(StepId::span_id).filter(|id| self.taken.contains(id))
    }

    /// The open span that an event is about.
    fn meant(&self, told: &Told) -> Option<usize> {
        let of_call = match &told.body {
            Body::PermissionRequest(event) => event.tool_call_id.as_ref(),
            Body::PermissionDecision(event) => event.tool_call_id.as_ref(),
            Body::PolicyDecision(event) => event.tool_call_id.as_ref(),
            _ => None,
        };
        let call = |story: &Story| story.concept == Concept::ToolCall && story.key.as_ref() == of_call;
        let call = of_call.and_then(|_| self.open.iter().rposition(call));
        call.or_else(|| self.meant_by_step(told))
    }

    /// What is only announced in a step is not what is told of in it: it may never run, and be no span.
    fn meant_by_step(&self, told: &Told) -> Option<usize> {
        let step_id = told.step_id.as_ref()?;
        let of_step = |story: &Story| story.step_id.as_ref() == Some(step_id);
        let model = |story: &Story| story.concept == Concept::LlmCall && of_step(story);
        let is_there = |story: &Story| of_step(story) && (story.is_called || has_own_step(story));
        let model = self.open.iter().rposition(model).filter(|_| is_of_model(&told.body));
        model.or_else(|| self.open.iter().position(is_there))
    }

    /// A look into memory, a verdict: a span of its own where no step was opened for it.
    fn moment(&mut self, told: Told, out: &mut Vec<Output>) {
        let now = told.time;
        let step = self.meant(&told).map(|place| self.open[place].span_id);
        let step_is_gone = self.ended_step(&told);
        let mut story = Story::new(Concept::Step, self.own_id(&told), told);
        story.parent = step.or(step_is_gone).or_else(|| self.around()).filter(|id| *id != story.span_id);
        story.agent = self.agent_around(story.parent).cloned();
        story.start = earlier(now, duration_ms(&story.opener));
        self.give_out(story, now, out);
    }

    /// The ends of model calls that waited for their usage, where none will come any more.
    pub(super) fn release(&mut self, told: &Told, out: &mut Vec<Output>) {
        if self.open.iter().all(|story| story.lingers_until.is_none()) {
            return;
        }
        let is_due = |story: &Story| {
            let same_step = story.step_id == told.step_id && told.step_id.is_some();
            let until = story.lingers_until.unwrap_or(u64::MAX);
            until <= told.sequence
                || story.lingers_until.is_some() && (ends_waiting(&told.body) || same_step && !is_of_model(&told.body))
        };
        while let Some(place) = self.open.iter().position(is_due) {
            self.leave(place, told.time, out);
        }
    }

    pub(super) fn leave(&mut self, place: usize, now: Timestamp, out: &mut Vec<Output>) {
        let story = self.open.remove(place);
        self.give_out(story, now, out);
    }

    pub(super) fn give_out(&mut self, story: Story, now: Timestamp, out: &mut Vec<Output>) {
        let is_root = story.is_root;
        if story.was_never_called() {
            return self.tell_uncalled(story, now);
        }
        let span = story.finish(&self.run, now);
        if is_root {
            self.ended = Some((span.span_id, span.outcome().is_none()));
        }
        out.push(Output::Finished(span));
    }

    /// A call that nobody made is something that happened to whoever announced it.
    fn tell_uncalled(&mut self, story: Story, now: Timestamp) {
        let place = self.of_span(story.parent).or_else(|| self.of_span(self.around()));
        if let (Some(place), Some(body)) = (place, story.closer) {
            self.open[place].note(Fact { time: now, body });
        }
    }
}

/// The kind of step that is about such a fact.
fn step_of(body: &Body) -> Option<StepType> {
    Some(match body {
        Body::MemoryRecalled(_) | Body::MemoryStored(_) | Body::MemoryUpdated(_) => StepType::MemoryNode,
        Body::GuardrailEvaluated(_) => StepType::GuardrailNode,
        Body::Retrieval(_) => StepType::RetrieverNode,
        Body::Embedding(_) => StepType::EmbeddingNode,
        _ => return None,
    })
}

/// What is said of a model call, also after its end.
fn is_of_model(body: &Body) -> bool {
    matches!(
        body.kind(),
        Kind::TokenUsage | Kind::TextEnd | Kind::ReasoningEnd | Kind::Citation | Kind::ContextSnapshot
    )
}

/// After these nothing more is said of what came before.
fn ends_waiting(body: &Body) -> bool {
    matches!(
        body.kind(),
        Kind::ExecutionEnd
            | Kind::ExecutionFailed
            | Kind::ExecutionCancelled
            | Kind::ExecutionLost
            | Kind::ExecutionPaused
    )
}

fn duration_ms(body: &Body) -> u64 {
    match body {
        Body::MemoryRecalled(event) => event.duration_ms,
        Body::Retrieval(event) => event.duration_ms,
        Body::Embedding(event) => event.duration_ms,
        _ => 0,
    }
}

fn earlier(time: Timestamp, ms: u64) -> Timestamp {
    let nanos = i64::try_from(Duration::from_millis(ms).as_nanos()).unwrap_or(i64::MAX);
    Timestamp::from_unix_nanos(time.unix_nanos().saturating_sub(nanos))
}
