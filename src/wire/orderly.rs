//! A run's events set right: what follows can rely on their order, whatever was lost, doubled or never said.

use super::{pieces::Pieces, told::Told};
use crate::{
    ExecutionId, Json, StreamEvent, Text, Timestamp,
    event::{
        Body, Class, Concept, ExecutionLost, ExecutionStart, Kind, Life, OpenThings, ReasoningStart, Roots, TextDelta,
        TextEnd, TextStart, ToolInputAvailable, ToolInputStart,
    },
};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet, VecDeque},
};

/// Takes a run's events and hands on others, of which these things are true:
///
/// - the first is the run's start, the last its end; each comes once and nothing follows the end;
/// - what is continued or ended was begun before; what was begun is ended before the run's end, inner things first;
/// - an id of a text, a reasoning or a tool call is used once: what begins under one that was used gets another;
/// - the pieces of a text, put together, are its whole, as far as the record has it;
/// - a tool's output comes after its input, and that after its pieces; put together they are its text where pieces got
///   lost and it can still be made so;
/// - a run that says nothing but its result says it as a text.
///
/// Transport events pass while the run goes on; of what was lost before its start is told after it.
pub(super) struct Orderly {
    open: OpenThings,
    roots: Roots,
    pieces: Pieces,
    /// Open tool calls.
    calls: HashMap<Text, Call>,
    ended: Ended,
    /// Ids of open things that were used before, and what they are called instead.
    renamed: HashMap<(Concept, Text), Text>,
    renames: u64,
    /// What was lost before the start.
    early: Vec<StreamEvent>,
    phase: Phase,
    said_text: bool,
    repairs: u64,
}

/// An open tool call.
struct Call {
    tool_name: Text,
    /// Its whole input was told.
    has_input: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Before,
    Running,
    Over,
}

/// Things that are open at once at most, and ids that are remembered after their end.
const MAX_OPEN: usize = 4_096;
/// Losses before the start that are told after it.
const MAX_EARLY: usize = 16;
const INTERRUPTED: &str = "the stream was interrupted";
/// Of a tool whose name nobody told.
const UNNAMED: &str = "tool";
/// Id of the text that is made of a run's result.
const RESULT: &str = "result";

type Say<'a> = &'a mut dyn FnMut(&StreamEvent);

impl Orderly {
    pub(super) fn new(execution_id: ExecutionId) -> Self {
        Self {
            open: OpenThings::new(execution_id),
            roots: Roots::new(),
            pieces: Pieces::default(),
            calls: HashMap::new(),
            ended: Ended::default(),
            renamed: HashMap::new(),
            renames: 0,
            early: Vec::new(),
            phase: Phase::Before,
            said_text: false,
            repairs: 0,
        }
    }

    pub(super) fn repairs(&self) -> u64 {
        self.repairs
    }

    #[cfg(feature = "serve")]
    pub(super) fn has_begun(&self) -> bool {
        self.phase != Phase::Before
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// What of the open texts was handed on so far.
    pub(super) fn told(&self) -> Told {
        self.pieces.told()
    }

    /// From here on it is handed to somebody who was told so much of the open texts by another reading.
    pub(super) fn resume(&mut self, told: &Told) {
        self.said_text |= self.pieces.resume(told);
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, event: &StreamEvent, say: Say<'_>) {
        let life = event.kind().life();
        self.roots.apply(event);
        match self.phase {
            _ if event.class() == Class::Transport => self.pass(event, say),
            // Feedback and evaluations come when all is over: no fault, but there is nobody to tell.
            Phase::Over => self.repairs += u64::from(life != Life::AtOnce),
            Phase::Running if life == Life::Opens(Concept::Execution) => self.repairs += 1,
            Phase::Running => self.take_running(life, event, say),
            Phase::Before if life == Life::Opens(Concept::Execution) => self.begin(event, say),
            Phase::Before => {
                self.repairs += 1;
                self.begin(&self.made(ExecutionStart::new(), event.time), say);
                self.take_running(life, event, say);
            }
        }
    }

    fn pass(&mut self, event: &StreamEvent, say: Say<'_>) {
        let is_loss = matches!(event.kind(), Kind::StreamLagged | Kind::StreamGap);
        if is_loss {
            // Pieces are missing from here on: what is open is told at its end, from its whole.
            self.pieces.hold();
        }
        match self.phase {
            Phase::Running => say(event),
            Phase::Before if is_loss && self.early.len() < MAX_EARLY => self.early.push(event.clone()),
            Phase::Before | Phase::Over => {}
        }
    }

    /// No more events come.
    pub(super) fn finish(&mut self, say: Say<'_>) {
        if self.phase == Phase::Over {
            return;
        }
        let end = self.made(ExecutionLost::new(INTERRUPTED), None);
        self.repairs += 1;
        self.take(&end, say);
    }

    fn begin(&mut self, event: &StreamEvent, say: Say<'_>) {
        self.phase = Phase::Running;
        self.open.apply(event);
        say(event);
        std::mem::take(&mut self.early).iter().for_each(say);
    }

    fn take_running(&mut self, life: Life, event: &StreamEvent, say: Say<'_>) {
        let event = &*self.rename(life, event);
        match life {
            Life::Opens(concept) => self.open(concept, event, say),
            Life::Continues(concept) => self.go_on(concept, event, say),
            // What the run called in another process has ended.
            Life::Closes(Concept::Execution) if !self.roots.is_empty() => self.repairs += 1,
            Life::Closes(Concept::Execution) => self.end(event, say),
            Life::Closes(concept) => self.close(concept, event, say),
            _ => say(event),
        }
    }

    /// The event, with another id where its own was used before: models do use the id of a call again.
    fn rename<'e>(&mut self, life: Life, event: &'e StreamEvent) -> Cow<'e, StreamEvent> {
        let (Life::Opens(concept) | Life::Continues(concept) | Life::Closes(concept), Some(key)) =
            (life, event.body.key())
        else {
            return Cow::Borrowed(event);
        };
        let id = (concept, key.clone());
        if matches!(life, Life::Opens(_))
            && concept != Concept::Message
            && self.ended.has(concept, event)
            && self.renamed.len() < MAX_OPEN
            && !self.renamed.contains_key(&id)
        {
            self.repairs += 1;
            self.renames += 1;
            self.renamed.insert(id.clone(), self.ended.unused(concept, key, self.renames));
        }
        let ends = matches!(life, Life::Closes(_));
        let name = if ends { self.renamed.remove(&id) } else { self.renamed.get(&id).cloned() };
        let Some(name) = name else { return Cow::Borrowed(event) };
        let mut event = event.clone();
        if let Some(key) = event.body.key_mut() {
            *key = name;
        }
        Cow::Owned(event)
    }

    fn open(&mut self, concept: Concept, event: &StreamEvent, say: Say<'_>) {
        if let Body::ToolInputAvailable(call) = &event.body {
            return self.tool_input(call, event, say);
        }
        if self.ended.has(concept, event) || self.open.holds(concept, event) || self.open.len() >= MAX_OPEN {
            self.repairs += 1;
            return;
        }
        self.begin_thing(event, say);
    }

    /// The whole input of a call, which pieces of it may have begun.
    fn tool_input(&mut self, call: &ToolInputAvailable, event: &StreamEvent, say: Say<'_>) {
        let is_open = self.open.holds(Concept::ToolCall, event);
        let is_told = self.calls.get(&call.tool_call_id).is_some_and(|call| call.has_input);
        if is_told || self.ended.has(Concept::ToolCall, event) || !is_open && self.open.len() >= MAX_OPEN {
            self.repairs += 1;
            return;
        }
        self.heal(Concept::ToolCall, event, say);
        self.begin_thing(event, say);
    }

    fn go_on(&mut self, concept: Concept, event: &StreamEvent, say: Say<'_>) {
        let call = event.body.key().filter(|_| concept == Concept::ToolCall).and_then(|id| self.calls.get(id));
        let is_whole = call.is_some_and(|call| call.has_input);
        if is_whole || self.ended.has(concept, event) || !self.make_sure(concept, event, say) {
            self.repairs += 1;
            return;
        }
        if self.pieces.takes(event) {
            self.said_text |= event.kind() == Kind::TextDelta;
            say(event);
        }
    }

    fn close(&mut self, concept: Concept, event: &StreamEvent, say: Say<'_>) {
        let is_open = match concept {
            _ if self.ended.has(concept, event) => false,
            Concept::Text | Concept::Reasoning | Concept::ToolCall => self.make_sure(concept, event, say),
            _ => self.open.holds(concept, event),
        };
        if !is_open {
            self.repairs += 1;
            return;
        }
        self.heal(concept, event, say);
        self.open.apply(event);
        self.ended.add(concept, event);
        if let (Concept::ToolCall, Some(id)) = (concept, event.body.key()) {
            self.calls.remove(id);
        }
        say(event);
    }

    /// Begins what was not begun; false where no more can be open.
    fn make_sure(&mut self, concept: Concept, event: &StreamEvent, say: Say<'_>) -> bool {
        let id = event.body.key().cloned().unwrap_or_default();
        let call = self.calls.get(&id).filter(|_| concept == Concept::ToolCall);
        let is_open = self.open.holds(concept, event);
        let start: Body = match (concept, event.kind()) {
            (Concept::Text, _) if !is_open => TextStart::new(id).into(),
            (Concept::Reasoning, _) if !is_open => ReasoningStart::new(id).into(),
            (Concept::ToolCall, Kind::ToolInputDelta) if !is_open => ToolInputStart::new(id, UNNAMED).into(),
            (Concept::ToolCall, kind) if kind != Kind::ToolInputDelta && !call.is_some_and(|call| call.has_input) => {
                let name = call.map_or_else(|| tool_name(&event.body), |call| call.tool_name.clone());
                ToolInputAvailable::new(id, name, Json::null()).into()
            }
            _ => return true,
        };
        self.repairs += 1;
        if !is_open && self.open.len() >= MAX_OPEN {
            return false;
        }
        let start = self.made_beside(event, start);
        self.heal(concept, &start, say);
        self.begin_thing(&start, say);
        self.pieces.begun_late(event);
        true
    }

    fn begin_thing(&mut self, event: &StreamEvent, say: Say<'_>) {
        self.open.apply(event);
        self.pieces.begin(event);
        match &event.body {
            Body::ToolInputStart(start) => self.note(&start.tool_call_id, &start.tool_name, false),
            Body::ToolInputAvailable(call) => self.note(&call.tool_call_id, &call.tool_name, true),
            _ => {}
        }
        say(event);
    }

    fn note(&mut self, id: &Text, tool_name: &Text, has_input: bool) {
        self.calls.insert(id.clone(), Call { tool_name: tool_name.clone(), has_input });
    }

    /// What of the whole was not said yet.
    fn heal(&mut self, concept: Concept, event: &StreamEvent, say: Say<'_>) {
        match self.pieces.end(event) {
            Ok(None) => {}
            Ok(Some(rest)) => {
                self.said_text |= concept == Concept::Text;
                say(&self.made_beside(event, rest));
            }
            Err(_) => self.repairs += 1,
        }
    }

    fn end(&mut self, event: &StreamEvent, say: Say<'_>) {
        let at = event.time.unwrap_or_else(Timestamp::now);
        for left in self.open.lost(at) {
            if let Life::Closes(concept) = left.kind().life()
                && concept != Concept::Execution
            {
                self.repairs += 1;
                self.close(concept, &left, say);
            }
        }
        self.say_result(event, say);
        self.phase = Phase::Over;
        say(event);
    }

    fn say_result(&mut self, event: &StreamEvent, say: Say<'_>) {
        let Body::ExecutionEnd(end) = &event.body else { return };
        let Some(result) = end.final_output.as_ref().filter(|text| !self.said_text && !text.is_empty()) else { return };
        let is_used = self.ended.ids.contains(&(Concept::Text, Text::from_static(RESULT)));
        let id = if is_used { self.ended.unused(Concept::Text, RESULT, 1) } else { Text::from_static(RESULT) };
        let bodies: [Body; 3] = [
            TextStart::new(id.clone()).into(),
            TextDelta::new(id.clone(), result.clone()).into(),
            TextEnd::new(id).into(),
        ];
        bodies.into_iter().for_each(|body| say(&self.made_beside(event, body)));
    }

    fn made(&self, body: impl Into<Body>, time: Option<Timestamp>) -> StreamEvent {
        let event = StreamEvent::new(body).of_execution(self.open.execution_id().clone());
        StreamEvent { time, ..event }
    }

    fn made_beside(&self, event: &StreamEvent, body: impl Into<Body>) -> StreamEvent {
        StreamEvent { step_id: event.step_id.clone(), ..self.made(body, event.time) }
    }
}

fn tool_name(body: &Body) -> Text {
    let name = match body {
        Body::ToolOutputAvailable(output) => &output.tool_name,
        Body::ToolOutputError(error) => &error.tool_name,
        _ => &None,
    };
    name.clone().unwrap_or_else(|| Text::from(UNNAMED))
}

/// Ids that were used and are not to be used again, the newest of them.
#[derive(Default)]
struct Ended {
    ids: HashSet<(Concept, Text)>,
    order: VecDeque<(Concept, Text)>,
}

impl Ended {
    fn has(&self, concept: Concept, event: &StreamEvent) -> bool {
        // What has no key of its own is named by its step, which may well do a thing twice.
        event.body.key().is_some_and(|key| self.ids.contains(&(concept, key.clone())))
    }

    /// This id with a number, from this one on, under which nothing was called.
    fn unused(&self, concept: Concept, id: &str, from: u64) -> Text {
        let mut names = (from..).map(|number| Text::from(format!("{id}~{number}")));
        names.find(|name| !self.ids.contains(&(concept, name.clone()))).unwrap_or_default()
    }

    fn add(&mut self, concept: Concept, event: &StreamEvent) {
        let Some(key) = event.body.key() else { return };
        let id = (concept, key.clone());
        if self.ids.insert(id.clone()) {
            self.order.push_back(id);
        }
        if self.order.len() > MAX_OPEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}
