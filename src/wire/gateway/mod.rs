//! A gateway's messages: a run, with downloads and installations beside it.

mod message;

pub use message::{Download, Install, ServerMessage, SessionInfo, Streamed, TaskInfo, ToolCall};

use super::{
    frame,
    translator::{Run, Voice},
};
use crate::{
    ExecutionId, StreamEvent, Text,
    event::{Body, OperationProgress, Outcome, ProgressStatus},
};
use std::collections::HashMap;

/// The number by which a gateway's clients know an execution: what a JavaScript number holds of its id.
pub fn session_number(id: &ExecutionId) -> u64 {
    // 2^53 - 1 is the greatest safe integer (ECMA-262, 21.1.2.6).
    (id.trace_id() as u64) & ((1 << 53) - 1)
}

/// The same of a session or a task, whose id may be any text. A run that belongs to a session has the session's number.
pub fn number_of(id: &str) -> u64 {
    id.parse().map_or(0, |id| session_number(&id))
}

/// "Client Closed Request", as nginx and those who follow it number it.
const CANCELLED: u16 = 499;
/// Downloads and installations that are followed at once.
const MAX_WORKS: usize = 1_024;

pub(in crate::wire) struct Gateway {
    session: u64,
    agent: Text,
    /// Tool calls that have not answered.
    open_calls: usize,
    /// How much of each was told; those of one id are a download and an installation.
    works: HashMap<(bool, Text), u64>,
}

impl Gateway {
    pub(in crate::wire) fn new(run: &Run) -> Self {
        let session = session_number(&run.execution_id);
        Self { session, agent: Text::default(), open_calls: 0, works: HashMap::new() }
    }

    fn answered(&mut self, call_id: &Text, output: Text, out: &mut String) {
        say(ServerMessage::Stream(Streamed::ToolResult { call_id: call_id.clone(), output }), out);
        self.open_calls = self.open_calls.saturating_sub(1);
        if self.open_calls == 0 {
            say(ServerMessage::Stream(Streamed::ToolsComplete), out);
        }
    }

    fn end(&self, error: Option<(u16, Text)>, out: &mut String) {
        if let Some((code, message)) = error {
            say(ServerMessage::Error { code, message }, out);
        }
        // Always the last: clients stop here and nowhere else.
        say(ServerMessage::Stream(Streamed::End { agent: self.agent.clone() }), out);
    }

    fn work(&mut self, told: &OperationProgress, out: &mut String) {
        let is_download = told.operation_type == "download";
        let id = (is_download, told.operation_id.clone());
        let is_new = !self.works.contains_key(&id);
        // Of other work nothing is said, not even that it failed: clients would take that for theirs.
        if !is_download && told.operation_type != "install" || is_new && self.works.len() >= MAX_WORKS {
            return;
        }
        let before = self.works.entry(id.clone()).or_default();
        let more = told.done.saturating_sub(*before);
        *before = told.done.max(*before);
        match is_download {
            true => downloads(told, is_new, more).into_iter().for_each(|one| say(ServerMessage::Download(one), out)),
            false => installs(told, is_new).into_iter().for_each(|one| say(ServerMessage::Hub(one), out)),
        }
        if told.status == ProgressStatus::Failed {
            let message = told.message.clone().unwrap_or_else(|| told.operation_id.clone());
            say(ServerMessage::Error { code: 500, message }, out);
        }
        if matches!(told.status, ProgressStatus::Completed | ProgressStatus::Failed) {
            self.works.remove(&id);
        }
    }
}

impl Voice for Gateway {
    fn say(&mut self, event: &StreamEvent, out: &mut String) {
        match &event.body {
            Body::ExecutionStart(start) => {
                self.agent = start.name.clone().unwrap_or_default();
                self.session = start.session_id.as_deref().map_or(self.session, number_of);
                let (agent, session) = (self.agent.clone(), self.session);
                say(ServerMessage::Stream(Streamed::Start { agent, session }), out);
            }
            Body::TextDelta(piece) => {
                say(ServerMessage::Stream(Streamed::Chunk { content: piece.delta.clone() }), out);
            }
            Body::ReasoningDelta(piece) => {
                say(ServerMessage::Stream(Streamed::Thinking { content: piece.delta.clone() }), out);
            }
            Body::ToolInputAvailable(call) => {
                self.open_calls += 1;
                let call =
                    ToolCall::new(call.tool_call_id.clone(), call.tool_name.clone(), Text::from(call.input.as_str()));
                say(ServerMessage::Stream(Streamed::ToolStart { calls: vec![call] }), out);
            }
            Body::ToolOutputAvailable(end) => self.answered(&end.tool_call_id, words(&end.output), out),
            Body::ToolOutputError(end) => self.answered(&end.tool_call_id, end.error.clone(), out),
            Body::OperationProgress(told) => self.work(told, out),
            Body::ExecutionEnd(end) => self.end(end.outcome.as_ref().and_then(not_well), out),
            Body::ExecutionFailed(end) => self.end(Some((end.error.status(), end.error.message.clone())), out),
            Body::ExecutionCancelled(end) => self.end(Some((CANCELLED, end.reason.clone())), out),
            Body::ExecutionLost(end) => self.end(Some((500, end.reason.clone())), out),
            _ => {}
        }
    }
}

/// The error of a run whose end says that it did not end well.
fn not_well(outcome: &Outcome) -> Option<(u16, Text)> {
    let code = match outcome {
        Outcome::Ok => return None,
        Outcome::Cancelled => CANCELLED,
        Outcome::TimedOut => 504,
        _ => 500,
    };
    Some((code, Text::from(format!("the run ended: {outcome}"))))
}

fn say(message: ServerMessage, out: &mut String) {
    frame::write(None, None, &message, out);
}

/// A text as it is, anything else as JSON.
fn words(output: &crate::Json) -> Text {
    match output.to_value() {
        serde_json::Value::String(text) => Text::from(text),
        _ => Text::from(output.as_str()),
    }
}

fn downloads(told: &OperationProgress, is_new: bool, more: u64) -> Vec<Download> {
    let (model, filename) = (told.operation_id.clone(), told.operation_id.clone());
    let mut said = Vec::new();
    if is_new {
        said.push(Download::Start { model: model.clone() });
        said.push(Download::FileStart {
            model: model.clone(),
            filename: filename.clone(),
            size: told.total.unwrap_or_default(),
        });
    }
    if more > 0 {
        said.push(Download::Progress { model: model.clone(), bytes: more });
    }
    if told.status == ProgressStatus::Completed {
        said.push(Download::FileEnd { model: model.clone(), filename });
        said.push(Download::End { model });
    }
    said
}

fn installs(told: &OperationProgress, is_new: bool) -> Vec<Install> {
    let package = told.operation_id.clone();
    let mut said = Vec::new();
    if is_new {
        said.push(Install::Start { package: package.clone() });
    }
    said.extend(told.message.clone().map(|message| Install::Step { message }));
    if told.status == ProgressStatus::Completed {
        said.push(Install::End { package });
    }
    said
}
