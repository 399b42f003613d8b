//! AG-UI 1.0: what `@ag-ui/client` reads. One run of ours is one run there.
//!
//! Its clients drop what they do not know with a warning, and give a run up over what is out of order; so what it has no
//! word for goes as `CUSTOM`. Ids of messages begin with the execution's, since those of a thread share one list.

mod usage;

use self::usage::Usage;
use super::{
    agents::{Agent, Agents},
    object::{ObjectFrame, write_said},
    translator::{Run, Voice},
};
use crate::{
    Json, StepId, StreamEvent, Text,
    event::{
        AgentEnd, Body, ExecutionEnd, ExecutionError, ExecutionStart, OperationProgress, Outcome, ReasoningTrace,
        ToolInputAvailable, ToolInputDelta,
    },
    json,
};
use std::collections::{HashMap, HashSet};

pub(super) struct AgUi {
    execution_id: Text,
    thread_id: Option<Text>,
    agents: Agents,
    /// The names under which open steps were told.
    steps: HashMap<Option<StepId>, String>,
    /// Open tool calls that were told, and whether any of their input was.
    calls: HashMap<Text, bool>,
    traces: u64,
    usage: Usage,
}

impl AgUi {
    pub(super) fn new(run: &Run) -> Self {
        Self {
            execution_id: Text::from(run.execution_id.to_string()),
            thread_id: run.session_id.clone(),
            agents: Agents::default(),
            steps: HashMap::new(),
            calls: HashMap::new(),
            traces: 0,
            usage: Usage::default(),
        }
    }
}

impl Voice for AgUi {
    fn say(&mut self, event: &StreamEvent, out: &mut String) {
        let ended = self.agents.note(event);
        self.usage.note(event);
        match &event.body {
            Body::Connected(_) | Body::Ping(_) => {}
            Body::ExecutionStart(start) => self.start(start, event, out),
            Body::ExecutionEnd(end) => self.end(end, event, out),
            Body::ExecutionCancelled(_) => self.finish("cancelled", None, event, out),
            Body::ExecutionFailed(failed) => self.fail(&failed.error.message, code(&failed.error), event, out),
            Body::ExecutionLost(lost) => self.fail(&lost.reason, "lost", event, out),
            Body::StepStart(start) => self.begin_step(&start.name, event, out),
            Body::StepEnd(_) | Body::StepFailed(_) => self.end_step(event, out),
            Body::AgentStart(_) => self.begin_agent(event, out),
            Body::AgentEnd(end) => self.end_agent(end, ended, event, out),
            Body::TextStart(start) => self.begin_text(&start.id, event, out),
            Body::TextDelta(piece) => {
                self.message("TEXT_MESSAGE_CONTENT", "text", &piece.id, event, out).field("delta", &piece.delta).end();
            }
            Body::TextEnd(end) => self.message("TEXT_MESSAGE_END", "text", &end.id, event, out).end(),
            Body::ReasoningStart(start) => self.begin_reasoning(&start.id, event, out),
            Body::ReasoningDelta(piece) => self.reasoning_piece(&piece.id, &piece.delta, event, out),
            Body::ReasoningEnd(end) => self.end_reasoning(&end.id, event, out),
            Body::ReasoningTrace(trace) => self.trace(trace, event, out),
            Body::ToolInputStart(start) => self.begin_call(&start.tool_call_id, &start.tool_name, event, out),
            Body::ToolInputDelta(piece) => self.input_piece(piece, event, out),
            Body::ToolInputAvailable(call) => self.input(call, event, out),
            Body::ToolOutputAvailable(output) => {
                self.result(&output.tool_call_id, &content(&output.output), event, out);
            }
            Body::ToolOutputError(error) => {
                // A result has no word for failure: what kind of one it was is said beside it.
                custom(event, out);
                self.result(&error.tool_call_id, &error.error, event, out);
            }
            Body::StateSnapshot(snapshot) => {
                begun("STATE_SNAPSHOT", event, out).field("snapshot", &snapshot.state).end()
            }
            Body::OperationProgress(progress) => self.activity(progress, event, out),
            _ => custom(event, out),
        }
    }
}

// -- the run and what is in it -----------------------------------------------------------------------------------------

impl AgUi {
    fn start(&mut self, start: &ExecutionStart, event: &StreamEvent, out: &mut String) {
        if self.thread_id.is_none() {
            self.thread_id.clone_from(&start.session_id);
        }
        self.of_run("RUN_STARTED", event, out).end();
    }

    fn end(&self, end: &ExecutionEnd, event: &StreamEvent, out: &mut String) {
        match &end.outcome {
            None | Some(Outcome::Ok) => self.finish("success", end.final_output.as_ref(), event, out),
            Some(Outcome::Cancelled) => self.finish("cancelled", None, event, out),
            Some(other) => self.fail(&format!("the run ended: {other}"), other.as_str(), event, out),
        }
    }

    fn finish(&self, outcome: &str, result: Option<&Text>, event: &StreamEvent, out: &mut String) {
        let frame = self.of_run("RUN_FINISHED", event, out).optional("result", result).written("outcome", |out| {
            out.push_str("{\"type\":");
            json::write_str(outcome, out);
            out.push('}');
        });
        self.usage.write(frame).end();
    }

    fn fail(&self, message: &str, code: &str, event: &StreamEvent, out: &mut String) {
        let frame = raw("RUN_ERROR", event, out).field("message", message).field("code", code);
        self.usage.write(frame).end();
    }

    fn of_run<'a>(&self, kind: &str, event: &StreamEvent, out: &'a mut String) -> ObjectFrame<'a> {
        let thread = self.thread_id.as_deref().unwrap_or(&self.execution_id);
        raw(kind, event, out).field("threadId", thread).field("runId", &self.execution_id)
    }

    /// "step names unique per owner while open": all are the run's here, and a name that is open gets a number.
    fn begin_step(&mut self, name: &str, event: &StreamEvent, out: &mut String) {
        let open: HashSet<&str> = self.steps.values().map(String::as_str).collect();
        let mut unique = name.to_owned();
        for number in 2..=self.steps.len() + 1 {
            if !open.contains(unique.as_str()) {
                break;
            }
            unique = format!("{name} ({number})");
        }
        raw("STEP_STARTED", event, out).field("stepName", unique.as_str()).end();
        self.steps.insert(event.step_id.clone(), unique);
    }

    fn end_step(&mut self, event: &StreamEvent, out: &mut String) {
        if let Some(name) = self.steps.remove(&event.step_id) {
            raw("STEP_FINISHED", event, out).field("stepName", name.as_str()).end();
        }
    }

    fn begin_agent(&self, event: &StreamEvent, out: &mut String) {
        let Some(agent) = self.agents.here(event) else { return };
        let frame = raw("SUBAGENT_STARTED", event, out).field("subagentRunId", &self.agent_id(agent));
        let around = self.agents.around(event).map(|agent| self.agent_id(agent));
        frame.field("name", &agent.name).optional("parentSubagentRunId", around.as_ref()).end();
    }

    fn end_agent(&self, end: &AgentEnd, agent: Option<Agent>, event: &StreamEvent, out: &mut String) {
        let Some(id) = agent.map(|agent| self.agent_id(&agent)) else { return };
        match (&end.outcome, &end.error) {
            (None | Some(Outcome::Ok), None) => {
                raw("SUBAGENT_FINISHED", event, out).field("subagentRunId", &id).optional("result", end.output.as_ref())
            }
            (outcome, error) => {
                let code = outcome.as_ref().map_or("error", Outcome::as_str);
                let message = error.as_deref().unwrap_or(code);
                raw("SUBAGENT_ERROR", event, out)
                    .field("subagentRunId", &id)
                    .field("message", message)
                    .field("code", code)
            }
        }
        .end();
    }

    /// "ids are one-shot within a run": a step that is an agent twice is two of them.
    fn agent_id(&self, agent: &Agent) -> Text {
        Text::from(format!("{}/agent/{}", self.execution_id, agent.number))
    }

    fn activity(&self, progress: &OperationProgress, event: &StreamEvent, out: &mut String) {
        self.message("ACTIVITY_SNAPSHOT", "activity", &progress.operation_id, event, out)
            .field("activityType", &progress.operation_type)
            .written("content", |out| write_said(event, out))
            .field("replace", &true)
            .end();
    }
}

// -- what is said ------------------------------------------------------------------------------------------------------

impl AgUi {
    fn begin_text(&self, id: &Text, event: &StreamEvent, out: &mut String) {
        let frame = self.message("TEXT_MESSAGE_START", "text", id, event, out).field("role", "assistant");
        self.attributed(frame, event).end();
    }

    /// A span of reasoning with one message in it; they may share an id, since the ids of each kind are their own.
    fn begin_reasoning(&self, id: &Text, event: &StreamEvent, out: &mut String) {
        self.attributed(self.message("REASONING_START", "reasoning", id, event, out), event).end();
        let frame = self.message("REASONING_MESSAGE_START", "reasoning", id, event, out).field("role", "reasoning");
        self.attributed(frame, event).end();
    }

    fn reasoning_piece(&self, id: &Text, delta: &Text, event: &StreamEvent, out: &mut String) {
        self.message("REASONING_MESSAGE_CONTENT", "reasoning", id, event, out).field("delta", delta).end();
    }

    fn end_reasoning(&self, id: &Text, event: &StreamEvent, out: &mut String) {
        self.message("REASONING_MESSAGE_END", "reasoning", id, event, out).end();
        self.message("REASONING_END", "reasoning", id, event, out).end();
    }

    fn trace(&mut self, trace: &ReasoningTrace, event: &StreamEvent, out: &mut String) {
        self.traces += 1;
        let id = Text::from(format!("trace/{}", self.traces));
        self.begin_reasoning(&id, event, out);
        self.reasoning_piece(&id, &trace.content, event, out);
        self.end_reasoning(&id, event, out);
    }

    fn begin_call(&mut self, id: &Text, name: &Text, event: &StreamEvent, out: &mut String) {
        self.calls.insert(id.clone(), false);
        let frame = begun("TOOL_CALL_START", event, out).field("toolCallId", id).field("toolCallName", name);
        self.attributed(frame, event).end();
    }

    fn input_piece(&mut self, piece: &ToolInputDelta, event: &StreamEvent, out: &mut String) {
        self.calls.insert(piece.tool_call_id.clone(), true);
        input_piece(&piece.tool_call_id, &piece.input_text_delta, event, out);
    }

    /// The whole input: said where no piece of it was. No input is none of any argument.
    fn input(&mut self, call: &ToolInputAvailable, event: &StreamEvent, out: &mut String) {
        let id = &call.tool_call_id;
        if !self.calls.contains_key(id) {
            self.begin_call(id, &call.tool_name, event, out);
        }
        if self.calls.remove(id) != Some(true) {
            let input = if call.input == Json::null() { "{}" } else { call.input.as_str() };
            input_piece(id, input, event, out);
        }
        begun("TOOL_CALL_END", event, out).field("toolCallId", id).end();
    }

    fn result(&self, id: &Text, content: &str, event: &StreamEvent, out: &mut String) {
        self.message("TOOL_CALL_RESULT", "result", id, event, out)
            .field("toolCallId", id)
            .field("content", content)
            .field("role", "tool")
            .end();
    }

    fn message<'a>(
        &self,
        kind: &str,
        part: &str,
        id: &str,
        event: &StreamEvent,
        out: &'a mut String,
    ) -> ObjectFrame<'a> {
        begun(kind, event, out).field("messageId", format!("{}/{part}/{id}", self.execution_id).as_str())
    }

    /// What an agent inside the run begins to say is its own.
    fn attributed<'a>(&self, frame: ObjectFrame<'a>, event: &StreamEvent) -> ObjectFrame<'a> {
        let agent = self.agents.of(event.step_id.as_ref()).map(|agent| self.agent_id(agent));
        frame.optional("subagentRunId", agent.as_ref())
    }
}

/// With its time, in ms.
fn begun<'a>(kind: &str, event: &StreamEvent, out: &'a mut String) -> ObjectFrame<'a> {
    let time = event.time.map(crate::Timestamp::unix_millis);
    ObjectFrame::new(kind, out).optional("timestamp", time.as_ref())
}

/// With the event itself beside what the dialect says of it, which is less.
fn raw<'a>(kind: &str, event: &StreamEvent, out: &'a mut String) -> ObjectFrame<'a> {
    begun(kind, event, out).written("rawEvent", |out| event.write_json(out))
}

fn custom(event: &StreamEvent, out: &mut String) {
    let frame = begun("CUSTOM", event, out).field("name", event.body.tag());
    frame.written("value", |out| write_said(event, out)).end();
}

fn input_piece(id: &Text, delta: &str, event: &StreamEvent, out: &mut String) {
    begun("TOOL_CALL_ARGS", event, out).field("toolCallId", id).field("delta", delta).end();
}

/// A result is a text: the one inside where it is one, else the JSON.
fn content(output: &Json) -> String {
    serde_json::from_str::<String>(output.as_str()).unwrap_or_else(|_| output.as_str().to_owned())
}

fn code(error: &ExecutionError) -> &str {
    error.code.as_ref().map_or("failed", |code| code.as_str())
}
