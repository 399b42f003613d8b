//! One execution: what is open in it, and what each event does to that.

use super::{
    Entry,
    places::{is_lost, is_span, remote_parent},
    story::Story,
};
use crate::{
    StepId, Text, Timestamp,
    event::{Body, Concept, ExecutionStart, Life},
    otlp::span::{Link, LinkKind, Output, Run},
};
use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

#[derive(Debug)]
pub(super) struct Execution {
    pub(super) run: Arc<Run>,
    /// In the order in which they began.
    pub(super) open: Vec<Story>,
    /// Span ids that were given out.
    pub(super) taken: HashSet<u64>,
    /// The agents that were last seen under each name, for who was handed over to.
    pub(super) agents: Vec<(Text, u64)>,
    /// The last root that ended, and whether it ended well.
    pub(super) ended: Option<(u64, bool)>,
    /// Steps of the roots that ended last: a second end of one ends no other.
    ended_steps: VecDeque<StepId>,
    /// The root that waits for somebody: what begins next goes on for it.
    pub(super) paused: Option<u64>,
    /// When it was last heard of, before its process was lost.
    heard: Option<Timestamp>,
    bytes: usize,
}

/// Events of the execution for which the end of a model call waits at most for what it used.
const LINGER: u64 = 32;
/// Open spans of one execution past which their bytes are not added up with each event.
const MANY: usize = 64;

/// Ends of roots that are remembered.
const MAX_ENDED_STEPS: usize = 16;

/// An event, taken apart.
pub(super) struct Told {
    pub(super) sequence: u64,
    pub(super) time: Timestamp,
    pub(super) step_id: Option<StepId>,
    pub(super) body: Body,
}

impl Execution {
    pub(super) fn new(entry: &Entry<'_>) -> Self {
        let run = Run {
            execution_id: entry.execution_id.clone(),
            trace_id: entry.execution_id.trace_id(),
            session_id: None,
            tenant_id: entry.tenant_id.cloned(),
            user_id: entry.user_id.cloned(),
        };
        Self {
            run: Arc::new(run),
            open: Vec::new(),
            taken: HashSet::new(),
            agents: Vec::new(),
            ended: None,
            ended_steps: VecDeque::new(),
            paused: None,
            heard: None,
            bytes: 0,
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.bytes + self.taken.len() * 2 * size_of::<u64>()
    }

    /// Nothing is open, and something was.
    pub(super) fn is_over(&self) -> bool {
        self.open.is_empty() && self.ended.is_some()
    }

    pub(super) fn apply(&mut self, entry: Entry<'_>, without_content: bool, out: &mut Vec<Output>) {
        // What a crash left open ended when it was last heard of, not when that was found out.
        let time = self.heard.filter(|_| is_lost(&entry.body)).unwrap_or(entry.time);
        self.heard = Some(time);
        self.belong_to(entry.tenant_id);
        let (sequence, step_id) = (entry.sequence, entry.step_id.cloned());
        let body = if without_content { entry.body.without_content() } else { entry.body.into_owned() };
        let told = Told { sequence, time, step_id, body };
        self.release(&told, out);
        match told.body.kind().life() {
            Life::Opens(Concept::Execution) => self.begin(told),
            Life::Opens(concept) if is_span(concept) => self.open(concept, told),
            Life::Closes(Concept::Execution) => self.end(told, out),
            Life::Closes(concept) if is_span(concept) => self.close(concept, told, out),
            _ => self.fact(told, out),
        }
        // A look at all that is open with each event would cost the square of it: where that is much, now and then is enough.
        if self.open.len() < MANY || sequence.is_multiple_of(MANY as u64) {
            self.bytes = self.open.iter().map(|story| story.bytes).sum();
        }
    }

    /// A root begins. What goes on after a pause is part of what was paused; what is tried again after an end that was
    /// not a good one is linked to it.
    fn begin(&mut self, told: Told) {
        if let Body::ExecutionStart(start) = &told.body {
            self.say_whose(start);
        }
        self.ended_steps.retain(|step_id| Some(step_id) != told.step_id.as_ref());
        let paused = self.paused.take().filter(|span_id| self.of_span(Some(*span_id)).is_some());
        let broken_off = self.ended.filter(|(_, well)| !well && paused.is_none());
        let mut root = Story::new(Concept::Execution, self.own_id(&told), told);
        root.parent = paused.or_else(|| remote_parent(&root.opener));
        root.resumes = paused.is_some();
        root.links.extend(broken_off.map(|(span_id, _)| Link { span_id, why: LinkKind::Resumed }));
        self.enter(root);
    }

    /// Whose it is may be known later than that it is; it never becomes another's.
    fn belong_to(&mut self, tenant_id: Option<&Text>) {
        if self.run.tenant_id.is_none() && tenant_id.is_some() {
            Arc::make_mut(&mut self.run).tenant_id = tenant_id.cloned();
        }
    }

    fn say_whose(&mut self, start: &ExecutionStart) {
        let run = Arc::make_mut(&mut self.run);
        let told = |new: &Option<Text>, known: &mut Option<Text>| {
            if new.is_some() {
                known.clone_from(new);
            }
        };
        told(&start.session_id, &mut run.session_id);
        told(&start.user_id, &mut run.user_id);
        told(&start.tenant_id, &mut run.tenant_id);
    }

    fn open(&mut self, concept: Concept, told: Told) {
        let known = match concept {
            Concept::ToolCall => self.announced(&told),
            _ => None,
        };
        match known {
            _ if self.is_alone(&told) => self.become_one(concept, told),
            Some(place) => self.called(place, told),
            None => {
                let mut story = Story::new(concept, self.own_id(&told), told);
                story.parent = self.parent_of(&story);
                story.links.extend(self.handed_over(&story));
                self.enter(story);
            }
        }
    }

    /// A thing that was alone got an execution made for it: its start comes right after that, from the same step. Both
    /// are one span, as they were one to whoever opened it.
    fn is_alone(&self, told: &Told) -> bool {
        let root = self.open.last().filter(|story| story.concept == Concept::Execution && story.facts.is_empty());
        let is_next = |root: &&Story| root.opened_by == told.sequence.wrapping_sub(1) && root.step_id == told.step_id;
        root.filter(is_next).is_some() && told.step_id.is_some() && told.body.parent_step_id().is_none()
    }

    fn become_one(&mut self, concept: Concept, told: Told) {
        if let Some(root) = self.open.last_mut() {
            root.become_one_with(concept, told);
        }
        self.count_call(self.open.len() - 1);
    }

    fn enter(&mut self, mut story: Story) {
        story.agent = story.own_agent().cloned().or_else(|| self.agent_around(story.parent).cloned());
        self.remember_agent(&story);
        self.open.push(story);
        self.count_call(self.open.len() - 1);
    }

    fn close(&mut self, concept: Concept, told: Told, out: &mut Vec<Output>) {
        let Some(place) = self.find_open(concept, &told) else { return };
        let story = &mut self.open[place];
        let now = told.time;
        story.end_with(now, told.body);
        if story.is_root {
            return;
        }
        match story.awaits_usage() {
            true => story.lingers_until = Some(told.sequence.saturating_add(LINGER)),
            false => self.leave(place, now, out),
        }
    }

    /// The root of this step ends, else the last one, and each that it went on for after a pause: as the log's own rows have it
    /// (`event/roots.rs`).
    fn end(&mut self, told: Told, out: &mut Vec<Output>) {
        let of_step = |story: &Story| story.is_root && story.step_id == told.step_id;
        let last = || match &told.step_id {
            Some(step_id) if self.ended_steps.contains(step_id) => None,
            _ => self.open.iter().rposition(|story| story.is_root),
        };
        let mut ending = self.open.iter().rposition(of_step).or_else(last);
        while let Some(place) = ending {
            let resumed = self.end_root(place, &told, out);
            ending = self.open.iter().position(|story| Some(story.span_id) == resumed);
        }
    }

    /// With it ends what is open inside: nobody will say its end any more. Gives the root that it went on for.
    fn end_root(&mut self, place: usize, told: &Told, out: &mut Vec<Output>) -> Option<u64> {
        let mut root = self.open.remove(place);
        let resumed = root.parent.filter(|_| root.resumes);
        let others = self.open.iter().any(|story| story.is_root && resumed != Some(story.span_id));
        let goes_along = |story: &Story| !story.is_root && (!others || self.is_inside(story, root.span_id));
        let mut inner: Vec<usize> = (0..self.open.len()).filter(|at| goes_along(&self.open[*at])).collect();
        while let Some(place) = inner.pop() {
            self.leave(place, told.time, out);
        }
        self.ended_steps.extend(root.step_id.clone());
        if self.ended_steps.len() > MAX_ENDED_STEPS {
            self.ended_steps.pop_front();
        }
        root.end_with(told.time, told.body.clone());
        self.give_out(root, told.time, out);
        resumed
    }
}
