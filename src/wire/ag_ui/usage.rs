//! What a run used, by provider and model: the sum that its end tells.

use super::super::object::ObjectFrame;
use crate::{
    StreamEvent, Text,
    event::{Body, TokenUsage},
    json::WriteJson,
};

/// "Every count is either a total or a named part of one, so entries from different providers add up."
#[derive(Default)]
pub(super) struct Usage(Vec<Entry>);

#[derive(Default)]
struct Entry {
    provider: Option<Text>,
    model: Option<Text>,
    input: u64,
    output: u64,
    reasoning: Option<u64>,
    cached: Option<u64>,
    cache_write: Option<u64>,
}

/// Models that are told apart; further ones are not told.
const MAX_ENTRIES: usize = 64;
/// The greatest integer that a JSON reader in JavaScript keeps ("min(0).max(9007199254740991)").
const MAX_SAFE: u64 = (1 << 53) - 1;

impl Usage {
    /// Adds what a call used.
    pub(super) fn note(&mut self, event: &StreamEvent) {
        let Body::TokenUsage(usage) = &event.body else { return };
        if usage.aggregate == Some(true) {
            return;
        }
        let is_same = |entry: &Entry| entry.model == usage.model && entry.provider == usage.provider;
        if let Some(entry) = self.0.iter_mut().find(|entry| is_same(entry)) {
            entry.add(usage);
        } else if self.0.len() < MAX_ENTRIES {
            let (provider, model) = (usage.provider.clone(), usage.model.clone());
            let mut entry = Entry { provider, model, ..Entry::default() };
            entry.add(usage);
            self.0.push(entry);
        }
    }

    /// With the sums, where there are any.
    pub(super) fn write<'a>(&self, frame: ObjectFrame<'a>) -> ObjectFrame<'a> {
        match self.0.is_empty() {
            true => frame,
            false => frame.field("usage", &self.0),
        }
    }
}

impl Entry {
    fn add(&mut self, usage: &TokenUsage) {
        self.input = self.input.saturating_add(usage.prompt_tokens);
        self.output = self.output.saturating_add(usage.completion_tokens);
        for (sum, part) in [
            (&mut self.reasoning, usage.reasoning_tokens),
            (&mut self.cached, usage.cached_tokens),
            (&mut self.cache_write, usage.cache_creation_tokens),
        ] {
            if let Some(part) = part {
                *sum = Some(sum.unwrap_or_default().saturating_add(part));
            }
        }
    }
}

impl WriteJson for Entry {
    fn write_json(&self, out: &mut String) {
        out.push_str("{\"inputTokens\":");
        self.input.min(MAX_SAFE).write_json(out);
        for (name, count) in [
            (",\"outputTokens\":", Some(self.output)),
            (",\"totalTokens\":", Some(self.input.saturating_add(self.output))),
            (",\"reasoningTokens\":", self.reasoning),
            (",\"cachedInputTokens\":", self.cached),
            (",\"cacheWriteInputTokens\":", self.cache_write),
        ] {
            if let Some(count) = count {
                out.push_str(name);
                count.min(MAX_SAFE).write_json(out);
            }
        }
        for (name, text) in [(",\"provider\":", &self.provider), (",\"model\":", &self.model)] {
            if let Some(text) = text {
                out.push_str(name);
                text.write_json(out);
            }
        }
        out.push('}');
    }
}
