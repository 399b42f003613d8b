//! A chat turn: `stream_started ping* (delta | tool)* citations? (done | error)`.

use super::{
    frame,
    translator::{Run, Voice},
};
use crate::{
    ExecutionId, Json, StreamEvent, Text,
    event::{Body, Citation, ErrorCategory, ErrorCode, ExecutionEnd, ExecutionError, Outcome},
};
use serde::Serialize;
use std::collections::HashMap;

#[derive(Serialize)]
struct StreamStarted<'a> {
    request_id: &'a str,
    message_id: &'a str,
    is_new_turn: bool,
}

#[derive(Serialize)]
struct Delta<'a> {
    r#type: &'static str,
    content: &'a Text,
}

#[derive(Serialize)]
struct Tool<'a> {
    phase: &'static str,
    name: &'a str,
    details: Details<'a>,
}

#[derive(Serialize, Default)]
struct Details<'a> {
    call_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
}

#[derive(Serialize)]
struct Citations<'a> {
    items: &'a [Cited],
}

#[derive(Serialize)]
struct Cited {
    source: &'static str,
    title: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachment_id: Option<Text>,
    snippet: Text,
}

#[derive(Serialize, Clone, Copy, Default)]
struct Usage {
    input_tokens: u64,
    output_tokens: u64,
}

#[derive(Serialize)]
struct Done<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    effective_model: &'a str,
    selected_model: &'a str,
    quota_decision: &'static str,
}

#[derive(Serialize)]
struct Failed<'a> {
    code: &'a str,
    message: &'a str,
}

/// Sources that are told at most: they wait until the end.
const MAX_CITATIONS: usize = 1_000;
const PING: &str = "event: ping\ndata: {}\n\n";

pub(super) struct Chat {
    request_id: String,
    is_new_turn: bool,
    has_begun: bool,
    has_content: bool,
    /// Told at the end: no content may follow them.
    citations: Vec<Cited>,
    usage: Option<Usage>,
    selected_model: Text,
    effective_model: Text,
    /// Names of the calls that are open.
    tools: HashMap<Text, Text>,
}

impl Chat {
    pub(super) fn new(run: &Run) -> Self {
        Self {
            request_id: request_id(&run.execution_id),
            is_new_turn: !run.is_replay,
            has_begun: false,
            has_content: false,
            citations: Vec::new(),
            usage: None,
            selected_model: Text::default(),
            effective_model: Text::default(),
            tools: HashMap::new(),
        }
    }

    fn start(&mut self, out: &mut String) {
        self.has_begun = true;
        let id = &self.request_id;
        let started = StreamStarted { request_id: id, message_id: id, is_new_turn: self.is_new_turn };
        say("stream_started", &started, out);
    }

    fn delta(&mut self, r#type: &'static str, content: &Text, out: &mut String) {
        self.has_content = true;
        say("delta", &Delta { r#type, content }, out);
    }

    fn tool(&mut self, phase: &'static str, details: Details<'_>, out: &mut String) {
        self.has_content = true;
        let name = self.tools.get(&Text::from(details.call_id)).map_or("", Text::as_str);
        say("tool", &Tool { phase, name, details }, out);
    }

    fn cite(&mut self, citation: &Citation) {
        if self.citations.len() < MAX_CITATIONS {
            self.citations.push(cited(citation));
        }
    }

    fn models(&mut self, selected: Option<&Text>, effective: Option<&Text>) {
        if let Some(model) = selected.filter(|_| self.selected_model.is_empty()) {
            self.selected_model = model.clone();
        }
        if let Some(model) = effective {
            self.effective_model = model.clone();
        }
    }

    fn end(&mut self, end: &ExecutionEnd, out: &mut String) {
        match &end.outcome {
            None | Some(Outcome::Ok) => self.done(out),
            Some(other) => self.failed(other.as_str(), &format!("the run ended: {other}"), out),
        }
    }

    fn done(&mut self, out: &mut String) {
        self.cited(out);
        let effective = if self.effective_model.is_empty() { &self.selected_model } else { &self.effective_model };
        let selected = if self.selected_model.is_empty() { effective } else { &self.selected_model };
        // There is no quota here: nothing was ever downgraded.
        let done =
            Done { usage: self.usage, effective_model: effective, selected_model: selected, quota_decision: "allow" };
        say("done", &done, out);
    }

    fn failed(&mut self, code: &str, message: &str, out: &mut String) {
        self.cited(out);
        say("error", &Failed { code, message }, out);
    }

    fn cited(&mut self, out: &mut String) {
        if !self.citations.is_empty() {
            say("citations", &Citations { items: &self.citations }, out);
        }
    }
}

impl Voice for Chat {
    fn say(&mut self, event: &StreamEvent, out: &mut String) {
        match &event.body {
            Body::ExecutionStart(_) => self.start(out),
            Body::TextDelta(piece) => self.delta("text", &piece.delta, out),
            Body::ReasoningDelta(piece) => self.delta("reasoning", &piece.delta, out),
            Body::ToolInputAvailable(call) => {
                self.tools.insert(call.tool_call_id.clone(), call.tool_name.clone());
                self.tool("start", Details { call_id: &call.tool_call_id, ..Details::default() }, out);
            }
            Body::ToolOutputAvailable(end) => {
                let details = Details { call_id: &end.tool_call_id, output: Some(&end.output), ..Details::default() };
                self.tool("done", details, out);
                self.tools.remove(&end.tool_call_id);
            }
            Body::ToolOutputError(end) => {
                let (error, outcome) = (Some(&end.error), Some(end.outcome.as_str()));
                self.tool("done", Details { call_id: &end.tool_call_id, error, outcome, output: None }, out);
                self.tools.remove(&end.tool_call_id);
            }
            Body::Citation(citation) => self.cite(citation),
            Body::LlmCallStart(call) => self.models(call.model.as_ref(), None),
            Body::LlmCallEnd(call) => self.models(None, call.model.as_ref()),
            Body::TokenUsage(used) if used.aggregate != Some(true) => {
                let usage = self.usage.get_or_insert_default();
                usage.input_tokens = usage.input_tokens.saturating_add(used.prompt_tokens);
                usage.output_tokens = usage.output_tokens.saturating_add(used.completion_tokens);
            }
            Body::ExecutionEnd(end) => self.end(end, out),
            Body::ExecutionFailed(end) => self.failed(code(&end.error), &end.error.message, out),
            Body::ExecutionCancelled(end) => self.failed("cancelled", &end.reason, out),
            Body::ExecutionLost(end) => self.failed("stream_interrupted", &end.reason, out),
            _ => {}
        }
    }

    /// The grammar has a ping between the start and the first content only.
    fn ping(&self) -> &'static str {
        if self.has_begun && !self.has_content { PING } else { super::sse::KEEP_ALIVE }
    }
}

fn say(name: &str, data: &impl Serialize, out: &mut String) {
    frame::write(None, Some(name), data, out);
}

/// The execution's id is the request's: who sends the same request again is told the same turn.
fn request_id(id: &ExecutionId) -> String {
    id.to_string()
}

fn cited(citation: &Citation) -> Cited {
    let title = citation.title.clone().or_else(|| citation.url.clone());
    Cited {
        source: if citation.url.is_some() { "web" } else { "file" },
        title: title.unwrap_or_else(|| citation.source_id.clone()),
        attachment_id: citation.url.is_none().then(|| citation.source_id.clone()),
        url: citation.url.clone(),
        snippet: citation.snippet.clone().unwrap_or_default(),
    }
}

/// The grammar's codes; else the error's own, or its category's.
fn code(error: &ExecutionError) -> &str {
    match (&error.code, error.category) {
        (Some(ErrorCode::RateLimit), _) => "rate_limited",
        (Some(ErrorCode::Timeout), ErrorCategory::LlmError) | (None, ErrorCategory::Timeout) => "provider_timeout",
        (Some(ErrorCode::ProviderError | ErrorCode::ModelUnavailable), _) | (None, ErrorCategory::LlmError) => {
            "provider_error"
        }
        (Some(code), _) => code.as_str(),
        (None, ErrorCategory::ToolError) => "tool_error",
        (None, ErrorCategory::QuotaExceeded) => "quota_exceeded",
        (None, ErrorCategory::PolicyViolation) => "policy_violation",
        (None, _) => "internal_error",
    }
}
