//! Model calls, the text they stream, and what they used.

use super::{preview, shown};
use crate::{
    StreamEvent, Text,
    event::{Body, LlmCallEnd, LlmCallStart, TokenUsage},
    view::{
        Change, Facts, Inert, NodeKind, RunTree, Status, Usage,
        totals::Sums,
        tree::{End, Key, NAME_CHARS},
    },
};
use std::time::Duration;

impl RunTree {
    pub(super) fn fold_model(&mut self, event: &StreamEvent) -> Option<Change> {
        match &event.body {
            Body::LlmCallStart(start) => {
                let at = self.model(event, true);
                Some(self.model_begins(at, event, start))
            }
            Body::LlmCallEnd(end) => {
                let at = self.model(event, false);
                self.name_model(at, end.model.as_ref());
                self.model_tells(at, end);
                Some(self.end(at, event.time, End::well(Some(end.duration_ms))))
            }
            Body::LlmCallFailed(end) => {
                let at = self.model(event, false);
                self.name_model(at, end.model.as_ref());
                let status = end.outcome.as_ref().map_or(Status::Error, Status::from);
                // A call that was refused used nothing; one that was cut off did.
                if status != Status::Error && self.nodes[at].facts.usage.input.is_none() {
                    self.spend(at, Usage { is_unknown: true, ..Usage::default() });
                }
                Some(self.end(at, event.time, End { status, duration_ms: end.duration_ms, error: Some(&end.error) }))
            }
            Body::TokenUsage(usage) => Some(self.used(event, usage)),
            Body::ContextSnapshot(snapshot) => {
                self.totals.context_pct = Some(snapshot.utilization_pct).filter(|part| part.is_finite());
                Some(Change::Updated)
            }
            _ => None,
        }
    }

    /// The node of a model call: that of its own step, or, where it was sent from another span, the last one there.
    fn model(&mut self, event: &StreamEvent, opens: bool) -> usize {
        let step = event.step_id.as_ref();
        let by_step = self.find_step(step);
        if let Some(at) = by_step.filter(|at| self.nodes[*at].kind == NodeKind::Llm) {
            return at;
        }
        let inner = Key::Model(event.step_id.clone());
        if let Some(at) = self.find(&inner).filter(|_| !opens) {
            return at;
        }
        if step.is_some() && by_step.is_none() {
            return self.grow(NodeKind::Llm, "", step, None);
        }
        let at = self.grow(NodeKind::Llm, "", None, step);
        self.keys.insert(inner, at);
        at
    }

    fn model_begins(&mut self, at: usize, event: &StreamEvent, start: &LlmCallStart) -> Change {
        if self.nodes[at].name.is_empty() || self.nodes[at].status.is_running() {
            self.name_model(at, Some(start.model.as_ref().unwrap_or(&start.callable_name)));
        }
        let node = &mut self.nodes[at];
        if node.parent_step_id.is_none() {
            node.parent_step_id.clone_from(&start.parent_step_id);
        }
        node.facts.attempt = start.attempt.filter(|attempt| *attempt > 1);
        if let Some(input) = &start.input {
            node.facts.preview = preview(input);
        }
        // The step of a model call may have begun before the call itself.
        let known = node.started.is_some();
        node.started = node.started.or(event.time);
        if node.status.is_running() && !known { Change::Started(at) } else { Change::Updated }
    }

    /// The model that answered is what people ask for; the one asked for stands until then.
    fn name_model(&mut self, at: usize, model: Option<&Text>) {
        if let Some(model) = model.filter(|model| !model.is_empty()) {
            self.nodes[at].name = Inert::new(model, NAME_CHARS);
        }
    }

    fn model_tells(&mut self, at: usize, end: &LlmCallEnd) {
        let (input, output) = (end.prompt_tokens, end.completion_tokens);
        let is_known = input.unwrap_or(0) > 0 || output.unwrap_or(0) > 0;
        let usage = match is_known {
            true => Usage { input, output, cached: end.cached_tokens, ..Usage::default() },
            false => Usage { is_unknown: true, ..Usage::default() },
        };
        self.spend(at, usage);
        let facts = &mut self.nodes[at].facts;
        facts.first_chunk = end.time_to_first_chunk_ms.map(Duration::from_millis).or(facts.first_chunk);
        if let Some(reason) = end.finish_reasons.iter().flatten().find(|reason| cut_short(reason)) {
            facts.remark = shown(&format!("stopped: {reason}"));
        }
    }

    fn used(&mut self, event: &StreamEvent, used: &TokenUsage) -> Change {
        self.totals.told(Sums {
            tokens: used.cumulative_tokens,
            cost_usd: price(used.cumulative_cost_usd),
            without_usage: used.calls_without_usage.unwrap_or(0),
            without_price: used.calls_without_price.unwrap_or(0),
        });
        let inner = Key::Model(event.step_id.clone());
        if let Some(at) = self.find(&inner).or_else(|| self.find_step(event.step_id.as_ref())) {
            let (input, output) = (Some(used.prompt_tokens), Some(used.completion_tokens));
            let (cached, cost_usd) = (used.cached_tokens, price(used.cost_usd));
            let is_aggregate = used.aggregate == Some(true);
            self.spend(at, Usage { input, output, cached, cost_usd, is_aggregate, is_unknown: false });
        }
        Change::Updated
    }

    pub(super) fn fold_text(&mut self, event: &StreamEvent) -> Option<Change> {
        match &event.body {
            Body::TextDelta(piece) => self.streamed(event, &piece.delta, false),
            Body::ReasoningDelta(piece) => self.streamed(event, &piece.delta, true),
            Body::TextEnd(end) => self.segment_ends(event, end.final_text.as_ref(), false),
            Body::ReasoningEnd(end) => self.segment_ends(event, end.final_text.as_ref(), true),
            _ => return None,
        }
        Some(Change::Updated)
    }

    /// The node that streams: what the step id says, the root for text without one.
    fn speaker(&self, event: &StreamEvent) -> usize {
        let inner = self.find(&Key::Model(event.step_id.clone()));
        inner.or_else(|| self.find_step(event.step_id.as_ref())).unwrap_or(0)
    }

    fn streamed(&mut self, event: &StreamEvent, piece: &str, reasoning: bool) {
        let at = self.speaker(event);
        let node = &mut self.nodes[at];
        node.facts.pieces_seen = true;
        *chars_of(&mut node.facts, reasoning) += piece.chars().count() as u64;
        if node.facts.first_chunk.is_none() && node.status.is_running() {
            node.facts.first_chunk = event.time.zip(node.started).map(|(time, started)| time.since(started));
        }
    }

    /// Who is not shown the pieces still learns how long the text was.
    fn segment_ends(&mut self, event: &StreamEvent, whole: Option<&Text>, reasoning: bool) {
        let at = self.speaker(event);
        let facts = &mut self.nodes[at].facts;
        if let (Some(whole), false) = (whole, facts.pieces_seen) {
            *chars_of(facts, reasoning) += whole.chars().count() as u64;
        }
    }
}

fn chars_of(facts: &mut Facts, reasoning: bool) -> &mut u64 {
    if reasoning { &mut facts.reasoning_chars } else { &mut facts.text_chars }
}

/// A model that stops because it must, not because it is done: the words of OpenAI, Anthropic and Gemini.
fn cut_short(reason: &str) -> bool {
    let out_of_room = ["length", "max_tokens", "max_output_tokens", "MAX_TOKENS", "model_context_window_exceeded"];
    let filtered = ["content_filter", "refusal", "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"];
    out_of_room.contains(&reason) || filtered.contains(&reason) || matches!(reason, "error" | "MALFORMED_FUNCTION_CALL")
}

fn price(cost: Option<f64>) -> Option<f64> {
    cost.filter(|cost| cost.is_finite() && *cost >= 0.0)
}
