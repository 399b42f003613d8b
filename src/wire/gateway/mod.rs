//! A gateway's messages: a run, with downloads and installations beside it.

mod message;

pub use message::{Download, Install, ServerMessage, SessionInfo, Streamed, TaskInfo, ToolCall};

use super::{
    frame,
    translator::{Run, Voice},
};
use crate::{
    ExecutionId, StreamEvent, Text,
    event::{Body, OperationProgress, ProgressStatus},
};
use std::collections::HashMap;

/// The number by which a gateway's clients know an execution: what a JavaScript number holds of its id.
pub fn session_number(id: &ExecutionId) -> u64 {
    // 2^53 - 1 is the greatest safe integer (ECMA-262, 21.1.2.6).
    (id.trace_id() as u64) & ((1 << 53) - 1)
}

/// Downloads and installations that are followed at once.
const MAX_WORKS: usize = 1_024;

pub(in crate::wire) struct Gateway {
    session: u64,
    agent: Text,
    /// Tool calls that have not answered.
    open_calls: usize,
    /// How much of each download or installation was told.
    works: HashMap<Text, u64>,
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

    fn end(&self, error: Option<(u16, &Text)>, out: &mut String) {
        if let Some((code, message)) = error {
            say(ServerMessage::Error { code, message: message.clone() }, out);
        }
        // Always the last: clients stop here and nowhere else.
        say(ServerMessage::Stream(Streamed::End { agent: self.agent.clone() }), out);
    }

    fn work(&mut self, told: &OperationProgress, out: &mut String) {
        let is_over = matches!(told.status, ProgressStatus::Completed | ProgressStatus::Failed);
        if self.works.len() >= MAX_WORKS && !self.works.contains_key(&told.operation_id) {
            return;
        }
        let is_new = !self.works.contains_key(&told.operation_id);
        let before = self.works.entry(told.operation_id.clone()).or_default();
        let more = told.done.saturating_sub(*before);
        *before = told.done.max(*before);
        match told.operation_type.as_str() {
            "download" => {
                downloads(told, is_new, more).into_iter().for_each(|one| say(ServerMessage::Download(one), out))
            }
            "install" => installs(told, is_new).into_iter().for_each(|one| say(ServerMessage::Hub(one), out)),
            _ => {}
        }
        if told.status == ProgressStatus::Failed {
            let message = told.message.clone().unwrap_or_else(|| told.operation_id.clone());
            say(ServerMessage::Error { code: 500, message }, out);
        }
        if is_over {
            self.works.remove(&told.operation_id);
        }
    }
}

impl Voice for Gateway {
    fn say(&mut self, event: &StreamEvent, out: &mut String) {
        match &event.body {
            Body::ExecutionStart(start) => {
                self.agent = start.name.clone().unwrap_or_default();
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
            Body::ExecutionEnd(_) => self.end(None, out),
            Body::ExecutionFailed(end) => self.end(Some((end.error.status(), &end.error.message)), out),
            // "Client Closed Request", as nginx and those who follow it number it.
            Body::ExecutionCancelled(end) => self.end(Some((499, &end.reason)), out),
            Body::ExecutionLost(end) => self.end(Some((500, &end.reason)), out),
            _ => {}
        }
    }
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
