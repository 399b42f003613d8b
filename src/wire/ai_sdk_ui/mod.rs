//! The AI SDK's UI message stream, v1: what `useChat` reads. One run is one message of the assistant.
//!
//! Its clients check every chunk against a schema and stop at the first one that does not fit; older ones allow no key
//! and no type that they do not know. So what is written here is what `ai` 5.0.100 accepts, word by word; later versions
//! accept it too. What it has no word for goes as a data part.

mod data;

use super::{
    agents::Agents,
    object::ObjectFrame,
    translator::{Run, Voice},
};
use crate::{
    Json, StepId, StreamEvent, Text,
    event::{
        Body, Citation, ExecutionEnd, ExecutionStart, LlmCallEnd, Outcome, ReasoningTrace, ToolFailure,
        ToolInputAvailable, ToolInputStart, ToolOutputError,
    },
    json::WriteJson,
};
use std::collections::HashSet;

pub(super) struct AiSdkUi {
    execution_id: Text,
    session_id: Option<Text>,
    agents: Agents,
    /// A step is open.
    in_step: bool,
    /// What is said next begins a step of its own.
    is_due: bool,
    /// Open texts and reasonings. Older clients forget them at the end of a step, and a piece after it is fatal.
    texts: usize,
    /// Tool calls whose input is being written.
    inputs: HashSet<Text>,
    traces: u64,
    finish_reason: Option<&'static str>,
}

/// The end of the stream: no JSON, and no other dialect has it.
const DONE: &str = "data: [DONE]\n\n";

impl AiSdkUi {
    pub(super) fn new(run: &Run) -> Self {
        Self {
            execution_id: Text::from(run.execution_id.to_string()),
            session_id: run.session_id.clone(),
            agents: Agents::default(),
            in_step: false,
            is_due: false,
            texts: 0,
            inputs: HashSet::new(),
            traces: 0,
            finish_reason: None,
        }
    }
}

impl Voice for AiSdkUi {
    fn say(&mut self, event: &StreamEvent, out: &mut String) {
        let step = event.step_id.as_ref();
        self.agents.note(event);
        match &event.body {
            Body::Connected(_) | Body::Ping(_) => {}
            Body::ExecutionStart(start) => self.start(start, out),
            Body::ExecutionEnd(end) => self.end(end, out),
            Body::ExecutionCancelled(_) => {
                data::part(event, out);
                self.abort(out);
            }
            Body::ExecutionFailed(failed) => {
                data::part(event, out);
                self.fail(&failed.error.message, out);
            }
            Body::ExecutionLost(lost) => self.fail(&lost.reason, out),
            Body::StartStep(_) => self.next_step(out),
            Body::FinishStep(_) => self.finish_step(out),
            Body::LlmCallStart(_) => {
                self.next_step(out);
                data::part(event, out);
            }
            Body::LlmCallEnd(end) => {
                self.note_finish_reason(end);
                data::part(event, out);
            }
            Body::TextStart(start) => self.begin_text("text-start", &start.id, step, out),
            Body::TextDelta(piece) => say_piece("text-delta", &piece.id, &piece.delta, out),
            Body::TextEnd(end) => self.end_text("text-end", &end.id, out),
            Body::ReasoningStart(start) => self.begin_text("reasoning-start", &start.id, step, out),
            Body::ReasoningDelta(piece) => say_piece("reasoning-delta", &piece.id, &piece.delta, out),
            Body::ReasoningEnd(end) => self.end_text("reasoning-end", &end.id, out),
            Body::ReasoningTrace(trace) => self.trace(trace, step, out),
            Body::ToolInputStart(start) => self.begin_input(start, out),
            Body::ToolInputDelta(piece) => ObjectFrame::new("tool-input-delta", out)
                .field("toolCallId", &piece.tool_call_id)
                .field("inputTextDelta", &piece.input_text_delta)
                .end(),
            Body::ToolInputAvailable(call) => self.input(call, step, out),
            Body::ToolOutputAvailable(output) => ObjectFrame::new("tool-output-available", out)
                .field("toolCallId", &output.tool_call_id)
                .written("output", |out| write_payload(&output.output, out))
                // Not needed by newer clients: 5.0 looks for the call by it.
                .field("dynamic", &true)
                .end(),
            Body::ToolOutputError(error) => tool_error(error, out),
            Body::Citation(citation) => {
                self.step(out);
                source(citation, out);
                data::part(event, out);
            }
            Body::ArtifactCreated(artifact) => {
                if let Some(url) = artifact.uri.as_ref().filter(|uri| is_of_the_web(uri)) {
                    self.step(out);
                    file(url, &artifact.artifact_type, out);
                }
                data::part(event, out);
            }
            _ => data::part(event, out),
        }
    }
}

impl AiSdkUi {
    fn start(&self, start: &ExecutionStart, out: &mut String) {
        ObjectFrame::new("start", out)
            .field("messageId", &self.execution_id)
            .written("messageMetadata", |out| {
                out.push_str("{\"executionId\":");
                self.execution_id.write_json(out);
                let session = self.session_id.as_ref().or(start.session_id.as_ref());
                for (name, value) in [(",\"sessionId\":", session), (",\"agent\":", start.name.as_ref())] {
                    if let Some(value) = value {
                        out.push_str(name);
                        value.write_json(out);
                    }
                }
                out.push('}');
            })
            .end();
    }

    fn end(&mut self, end: &ExecutionEnd, out: &mut String) {
        match &end.outcome {
            None | Some(Outcome::Ok) => self.finish(end.duration_ms, out),
            Some(Outcome::Cancelled) => self.abort(out),
            Some(other) => self.fail(&format!("the run ended: {other}"), out),
        }
    }

    fn finish(&mut self, duration_ms: u64, out: &mut String) {
        self.finish_step(out);
        ObjectFrame::new("finish", out)
            .optional("finishReason", self.finish_reason)
            .written("messageMetadata", |out| {
                out.push_str("{\"durationMs\":");
                duration_ms.write_json(out);
                out.push('}');
            })
            .end();
        out.push_str(DONE);
    }

    /// Without its reason, which older clients do not know: the data part before it has it.
    fn abort(&mut self, out: &mut String) {
        self.finish_step(out);
        ObjectFrame::new("abort", out).end();
        out.push_str(DONE);
    }

    /// The last thing that clients read: what `useChat` wraps stops at it.
    fn fail(&mut self, message: &str, out: &mut String) {
        self.finish_step(out);
        ObjectFrame::new("error", out).field("errorText", message).end();
        out.push_str(DONE);
    }

    /// A model call begins, or someone draws a line: what comes is of another step.
    fn next_step(&mut self, out: &mut String) {
        self.is_due = true;
        self.step(out);
    }

    /// Sees to it that what is said now is in a step, and in a new one where that is due and nothing is half said.
    fn step(&mut self, out: &mut String) {
        if self.in_step && !(self.is_due && self.texts == 0 && self.inputs.is_empty()) {
            return;
        }
        self.finish_step(out);
        ObjectFrame::new("start-step", out).end();
        (self.in_step, self.is_due) = (true, false);
    }

    fn finish_step(&mut self, out: &mut String) {
        if self.in_step && self.texts == 0 && self.inputs.is_empty() {
            self.in_step = false;
            ObjectFrame::new("finish-step", out).end();
        }
    }

    fn begin_text(&mut self, kind: &str, id: &Text, step: Option<&StepId>, out: &mut String) {
        self.step(out);
        self.texts += 1;
        self.attributed(ObjectFrame::new(kind, out).field("id", id), step).end();
    }

    fn end_text(&mut self, kind: &str, id: &Text, out: &mut String) {
        self.texts = self.texts.saturating_sub(1);
        ObjectFrame::new(kind, out).field("id", id).end();
    }

    /// What an agent inside the run says has its name on it.
    fn attributed<'a>(&self, frame: ObjectFrame<'a>, step: Option<&StepId>) -> ObjectFrame<'a> {
        match self.agents.of(step) {
            Some(agent) => frame.written("providerMetadata", |out| {
                out.push_str("{\"spanwright\":{\"agent\":");
                agent.name.write_json(out);
                out.push_str("}}");
            }),
            None => frame,
        }
    }

    fn trace(&mut self, trace: &ReasoningTrace, step: Option<&StepId>, out: &mut String) {
        self.traces += 1;
        let id = Text::from(format!("reasoning-trace-{}", self.traces));
        self.begin_text("reasoning-start", &id, step, out);
        say_piece("reasoning-delta", &id, &trace.content, out);
        self.end_text("reasoning-end", &id, out);
    }

    fn begin_input(&mut self, start: &ToolInputStart, out: &mut String) {
        self.step(out);
        self.inputs.insert(start.tool_call_id.clone());
        tool_frame("tool-input-start", &start.tool_call_id, &start.tool_name, out).end();
    }

    fn input(&mut self, call: &ToolInputAvailable, step: Option<&StepId>, out: &mut String) {
        self.step(out);
        self.inputs.remove(&call.tool_call_id);
        let frame = tool_frame("tool-input-available", &call.tool_call_id, &call.tool_name, out)
            .written("input", |out| write_payload(&call.input, out));
        self.attributed(frame, step).end();
    }

    fn note_finish_reason(&mut self, end: &LlmCallEnd) {
        let Some(reason) = end.finish_reasons.as_ref().and_then(|reasons| reasons.last()) else { return };
        self.finish_reason = Some(match reason.as_str() {
            "stop" | "end_turn" | "stop_sequence" | "STOP" => "stop",
            "length" | "max_tokens" | "MAX_TOKENS" => "length",
            "content_filter" | "content-filter" | "refusal" | "SAFETY" => "content-filter",
            "tool_calls" | "tool-calls" | "tool_use" | "tool_call" => "tool-calls",
            "error" => "error",
            _ => "other",
        });
    }
}

fn say_piece(kind: &str, id: &Text, delta: &Text, out: &mut String) {
    ObjectFrame::new(kind, out).field("id", id).field("delta", delta).end();
}

/// `dynamic`: the client need not know the tool beforehand. `providerExecuted`: it is run here, not by the client.
fn tool_frame<'a>(kind: &str, id: &Text, name: &Text, out: &'a mut String) -> ObjectFrame<'a> {
    let frame = ObjectFrame::new(kind, out).field("toolCallId", id).field("toolName", name);
    frame.field("providerExecuted", &true).field("dynamic", &true)
}

/// Also where it was denied: `tool-output-denied` is newer than what all clients know.
fn tool_error(error: &ToolOutputError, out: &mut String) {
    let said = match &error.outcome {
        ToolFailure::Error => error.error.clone(),
        other => Text::from(format!("{other}: {}", error.error)),
    };
    ObjectFrame::new("tool-output-error", out)
        .field("toolCallId", &error.tool_call_id)
        .field("errorText", &said)
        .field("dynamic", &true)
        .end();
}

fn source(citation: &Citation, out: &mut String) {
    match &citation.url {
        Some(url) => ObjectFrame::new("source-url", out)
            .field("sourceId", &citation.source_id)
            .field("url", url)
            .optional("title", citation.title.as_ref())
            .end(),
        None => ObjectFrame::new("source-document", out)
            .field("sourceId", &citation.source_id)
            .field("mediaType", "text/plain")
            .field("title", citation.title.as_ref().unwrap_or(&citation.source_id))
            .end(),
    }
}

/// What a page can load: a path of this machine is no business of a browser's.
fn is_of_the_web(uri: &str) -> bool {
    ["https://", "http://", "data:"].iter().any(|scheme| uri.starts_with(scheme))
}

fn file(url: &Text, artifact_type: &Text, out: &mut String) {
    let media_type = if artifact_type.contains('/') { artifact_type.as_str() } else { "application/octet-stream" };
    ObjectFrame::new("file", out).field("url", url).field("mediaType", media_type).end();
}

fn write_payload(payload: &Json, out: &mut String) {
    let start = out.len();
    payload.write_json(out);
    data::make_harmless(start, out);
}
