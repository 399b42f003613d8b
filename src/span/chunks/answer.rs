//! What the chunks of one answer say, on its way to the span: facts once and when they change, pieces as they come.

use std::collections::BTreeMap;

use serde_json::Value;
use tracing::Span;

use crate::span::{AgentSpan, counts::Count, delta};

/// What has been told so far of an answer. No text of it: only ids, names and counts.
#[derive(Debug, Default)]
pub(super) struct Known {
    model: String,
    id: String,
    /// Why each choice stopped.
    reasons: BTreeMap<u64, String>,
    /// The id of each tool call, by its place in the answer.
    calls: BTreeMap<u64, String>,
    /// Whether text or reasoning is being written.
    writing: bool,
}

/// Tokens as the conventions count them: cached and cache-written ones are part of the input, reasoning of the output.
/// What is none is not known.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Usage {
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
    pub(super) cached: Option<u64>,
    pub(super) cache_creation: Option<u64>,
    pub(super) reasoning: Option<u64>,
}

impl Usage {
    fn counts(self) -> [(Count, Option<u64>); 5] {
        [
            (Count::Input, self.input),
            (Count::Output, self.output),
            (Count::CacheRead, self.cached),
            (Count::CacheCreation, self.cache_creation),
            (Count::Reasoning, self.reasoning),
        ]
    }
}

/// Choices whose reasons are kept, and tool calls that are told, of one answer.
pub(super) const MAX_PARTS: usize = 128;

/// An answer that is being read, and the span that it is told to.
pub(super) struct Answer<'a> {
    span: &'a AgentSpan,
    events: &'a Span,
    known: &'a mut Known,
}

impl<'a> Answer<'a> {
    pub(super) const fn new(span: &'a AgentSpan, events: &'a Span, known: &'a mut Known) -> Self {
        Self { span, events, known }
    }

    pub(super) fn text(&mut self, piece: &str) {
        if !piece.is_empty() {
            self.known.writing = true;
            delta::text_in(self.events, piece);
        }
    }

    pub(super) fn reasoning(&mut self, piece: &str) {
        if !piece.is_empty() {
            self.known.writing = true;
            delta::reasoning_in(self.events, piece);
        }
    }

    /// The text, or the reasoning, that was being written is whole.
    pub(super) fn text_ends(&mut self) {
        if std::mem::take(&mut self.known.writing) {
            delta::text_ends_in(self.events);
        }
    }

    pub(super) fn model(&mut self, name: &Value) {
        if let Some(name) = news(&mut self.known.model, name) {
            self.span.response_model(name);
        }
    }

    pub(super) fn id(&mut self, id: &Value) {
        if let Some(id) = news(&mut self.known.id, id) {
            self.span.response_id(id);
        }
    }

    pub(super) fn usage(&mut self, usage: Usage) {
        for (count, tokens) in usage.counts() {
            if let Some(tokens) = tokens {
                self.span.count(count, tokens);
            }
        }
    }

    /// Why a choice stopped, in the provider's word.
    pub(super) fn finish(&mut self, choice: u64, reason: &str) {
        let reasons = &mut self.known.reasons;
        let known = reasons.get(&choice).map(String::as_str);
        if known != Some(reason) && (known.is_some() || reasons.len() < MAX_PARTS) {
            reasons.insert(choice, reason.to_owned());
            self.span.finish_reasons(reasons.values().map(String::as_str));
        }
    }

    /// A piece of the call at this place of the answer. The first one begins it, and so does one with another id; but
    /// not one without a name, for some servers make up an id for each piece.
    pub(super) fn call(&mut self, place: u64, id: Option<&str>, tool: &str, input: &str) {
        let id = id.filter(|id| !id.is_empty());
        match self.known.calls.get(&place) {
            Some(known) if tool.is_empty() || id.is_none_or(|id| id == known) => self.call_input(place, input),
            known if known.is_some() || self.known.calls.len() < MAX_PARTS => {
                // Not every provider gives its calls ids, and two calls without one must not be taken for the same.
                let id = id.map_or_else(|| format!("call_{:016x}", fastrand::u64(..)), str::to_owned);
                delta::tool_input_in(self.events, &id, Some(tool), input);
                self.known.calls.insert(place, id);
                self.known.writing = false;
            }
            _ => {}
        }
    }

    /// A call that came as a whole.
    pub(super) fn whole_call(&mut self, id: Option<&str>, tool: &str, input: &Value) {
        let place = self.known.calls.last_key_value().map_or(0, |(last, _)| last.saturating_add(1));
        self.call(place, id, tool, &as_text(input));
    }

    pub(super) fn call_input(&mut self, place: u64, input: &str) {
        if let Some(id) = self.known.calls.get(&place).filter(|_| !input.is_empty()) {
            delta::tool_input_in(self.events, id, None, input);
        }
    }

    pub(super) fn has_call(&self, place: u64) -> bool {
        self.known.calls.contains_key(&place)
    }
}

/// A text as it is, anything else as JSON, nothing for `null`.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A text that is not what is known already; chunks repeat themselves.
fn news<'v>(known: &mut String, value: &'v Value) -> Option<&'v str> {
    let text = value.as_str().filter(|text| !text.is_empty() && text != known)?;
    text.clone_into(known);
    Some(text)
}
