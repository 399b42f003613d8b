//! A run's events set right: what follows can rely on their order, whatever was lost, doubled or never said.

use super::pieces::Pieces;
use crate::{
    ExecutionId, StreamEvent, Text, Timestamp,
    event::{
        Body, Class, Concept, ExecutionLost, ExecutionStart, Kind, Life, OpenThings, ReasoningStart, TextDelta,
        TextEnd, TextStart, ToolInputAvailable, ToolInputStart,
    },
};
use std::collections::{HashSet, VecDeque};

/// Takes a run's events and hands on others, of which these things are true:
///
/// - the first is the run's start, the last its end; each comes once and nothing follows the end;
/// - what is continued or ended was begun before; what was begun is ended before the run's end, inner things first;
/// - an id of a text, a reasoning or a tool call is used once;
/// - the pieces of a text, put together, are its whole, as far as the record has it;
/// - a tool's output comes after its input;
/// - a run that says nothing but its result says it as a text.
///
/// Transport events pass.
pub(super) struct Orderly {
    open: OpenThings,
    pieces: Pieces,
    /// Open tool calls whose input was told.
    inputs: HashSet<Text>,
    ended: Ended,
    phase: Phase,
    said_text: bool,
    repairs: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Before,
    Running,
    Over,
}

/// Things that are open at once at most, and ids that are remembered after their end.
const MAX_OPEN: usize = 4_096;
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
            pieces: Pieces::default(),
            inputs: HashSet::new(),
            ended: Ended::default(),
            phase: Phase::Before,
            said_text: false,
            repairs: 0,
        }
    }

    pub(super) fn repairs(&self) -> u64 {
        self.repairs
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, event: &StreamEvent, say: Say<'_>) {
        match event.kind() {
            // Pieces are missing from here on: what is open is told at its end, from its whole.
            Kind::StreamLagged | Kind::StreamGap => self.pieces.hold(),
            _ => {}
        }
        match (event.kind().life(), self.phase) {
            _ if event.class() == Class::Transport => say(event),
            // Feedback and evaluations come when all is over: no fault, but there is nobody to tell.
            (Life::AtOnce, Phase::Over) => {}
            (_, Phase::Over) => self.repairs += 1,
            (Life::Opens(Concept::Execution), Phase::Running) => self.repairs += 1,
            (Life::Opens(Concept::Execution), Phase::Before) => self.begin(event, say),
            (life, Phase::Before) => {
                self.repairs += 1;
                self.begin(&self.made(ExecutionStart::new(), event.time), say);
                self.take_running(life, event, say);
            }
            (life, Phase::Running) => self.take_running(life, event, say),
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
    }

    fn take_running(&mut self, life: Life, event: &StreamEvent, say: Say<'_>) {
        match life {
            Life::Opens(concept) => self.open(concept, event, say),
            Life::Continues(concept) => self.go_on(concept, event, say),
            Life::Closes(Concept::Execution) => self.end(event, say),
            Life::Closes(concept) => self.close(concept, event, say),
            _ => say(event),
        }
    }

    fn open(&mut self, concept: Concept, event: &StreamEvent, say: Say<'_>) {
        if self.ended.has(concept, event) || self.is_open_already(concept, event) || self.open.len() >= MAX_OPEN {
            self.repairs += 1;
            return;
        }
        self.open.apply(event);
        say(event);
    }

    /// A tool's input comes in two events, of which each opens it, and each comes once.
    fn is_open_already(&mut self, concept: Concept, event: &StreamEvent) -> bool {
        match &event.body {
            Body::ToolInputAvailable(call) => !self.inputs.insert(call.tool_call_id.clone()),
            _ => self.open.holds(concept, event),
        }
    }

    fn go_on(&mut self, concept: Concept, event: &StreamEvent, say: Say<'_>) {
        let is_whole = concept == Concept::ToolCall && event.body.key().is_some_and(|id| self.inputs.contains(id));
        if is_whole || self.ended.has(concept, event) {
            self.repairs += 1;
            return;
        }
        self.make_sure(concept, event, say);
        if self.pieces.takes(concept, event) {
            self.said_text |= event.kind() == Kind::TextDelta;
            say(event);
        }
    }

    fn close(&mut self, concept: Concept, event: &StreamEvent, say: Say<'_>) {
        if self.ended.has(concept, event) {
            self.repairs += 1;
            return;
        }
        if matches!(concept, Concept::Text | Concept::Reasoning | Concept::ToolCall) {
            self.make_sure(concept, event, say);
        } else if !self.open.holds(concept, event) {
            self.repairs += 1;
            return;
        }
        self.heal(concept, event, say);
        self.open.apply(event);
        self.ended.add(concept, event);
        if let (Concept::ToolCall, Some(id)) = (concept, event.body.key()) {
            self.inputs.remove(id);
        }
        say(event);
    }

    /// Begins what was not begun.
    fn make_sure(&mut self, concept: Concept, event: &StreamEvent, say: Say<'_>) {
        if self.open.holds(concept, event) {
            return;
        }
        self.repairs += 1;
        let id = event.body.key().cloned().unwrap_or_default();
        let start: Body = match (concept, event.kind()) {
            (Concept::Text, _) => TextStart::new(id).into(),
            (Concept::Reasoning, _) => ReasoningStart::new(id).into(),
            (_, Kind::ToolInputDelta) => ToolInputStart::new(id, UNNAMED).into(),
            _ => ToolInputAvailable::new(id, tool_name(&event.body), crate::Json::null()).into(),
        };
        let start = self.made_beside(event, start);
        self.open.apply(&start);
        say(&start);
    }

    /// What of the whole was not said yet.
    fn heal(&mut self, concept: Concept, event: &StreamEvent, say: Say<'_>) {
        match self.pieces.end(concept, event) {
            Ok(None) => {}
            Ok(Some(rest)) => {
                self.said_text |= concept == Concept::Text;
                say(&self.made_beside(event, rest));
            }
            Err(_) => self.repairs += 1,
        }
    }

    fn end(&mut self, event: &StreamEvent, say: Say<'_>) {
        self.say_result(event, say);
        let at = event.time.unwrap_or_else(Timestamp::now);
        for left in self.open.lost(at) {
            if left.kind().life() != Life::Closes(Concept::Execution) {
                self.repairs += 1;
                say(&left);
            }
        }
        self.phase = Phase::Over;
        say(event);
    }

    fn say_result(&mut self, event: &StreamEvent, say: Say<'_>) {
        let Body::ExecutionEnd(end) = &event.body else { return };
        let Some(result) = end.final_output.as_ref().filter(|text| !self.said_text && !text.is_empty()) else { return };
        for body in
            [TextStart::new(RESULT).into(), TextDelta::new(RESULT, result.clone()).into(), TextEnd::new(RESULT).into()]
        {
            let body: Body = body;
            say(&self.made_beside(event, body));
        }
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
