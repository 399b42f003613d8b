//! What one call used: each token once, in whole counts whose parts fit into them.

use crate::event::{Embedding, LlmCallEnd, TokenUsage};

/// Tokens of a call, as the conventions count: cached and written ones are part of the input, reasoning ones of the
/// output, audio of either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Usage {
    pub(super) input: u64,
    pub(super) cached: u64,
    pub(super) written: u64,
    pub(super) written_1h: u64,
    pub(super) audio_input: u64,
    pub(super) output: u64,
    pub(super) reasoning: u64,
    pub(super) audio_output: u64,
}

impl Usage {
    /// Both sides together.
    pub(super) const fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// With counts that fit together. Parts that are larger than their whole were counted beside it, as Anthropic's API
    /// counts cached tokens and Gemini's reasoning: then the whole is the sum. That is seen only where it shows: a small
    /// part beside a large whole looks like a part of it. Audio is counted beside nothing by anyone; it is cut.
    pub(super) fn repaired(mut self) -> Self {
        self.written = self.written.max(self.written_1h);
        let from_cache = self.cached.saturating_add(self.written);
        if from_cache > self.input {
            self.input = self.input.saturating_add(from_cache);
        }
        if self.reasoning > self.output {
            self.output = self.output.saturating_add(self.reasoning);
        }
        self.audio_input = self.audio_input.min(self.input);
        self.audio_output = self.audio_output.min(self.output);
        self
    }
}

impl From<&TokenUsage> for Usage {
    fn from(event: &TokenUsage) -> Self {
        Self {
            input: event.prompt_tokens,
            cached: event.cached_tokens.unwrap_or(0),
            written: event.cache_creation_tokens.unwrap_or(0),
            written_1h: event.cache_creation_1h_tokens.unwrap_or(0),
            audio_input: event.audio_input_tokens.unwrap_or(0),
            output: event.completion_tokens,
            reasoning: event.reasoning_tokens.unwrap_or(0),
            audio_output: event.audio_output_tokens.unwrap_or(0),
        }
        .repaired()
    }
}

/// What a call's end says; none where it says nothing, or nothing but zeros: no call uses nothing.
pub(super) fn of_end(end: &LlmCallEnd) -> Option<Usage> {
    let usage = Usage {
        input: end.prompt_tokens.unwrap_or(0),
        cached: end.cached_tokens.unwrap_or(0),
        written: end.cache_creation_tokens.unwrap_or(0),
        output: end.completion_tokens.unwrap_or(0),
        reasoning: end.reasoning_tokens.unwrap_or(0),
        ..Usage::default()
    };
    Some(usage.repaired()).filter(|usage| usage.total() > 0)
}

/// What an embedding says; none as for a call's end.
pub(super) fn of_embedding(embedding: &Embedding) -> Option<Usage> {
    let input = embedding.prompt_tokens.filter(|tokens| *tokens > 0)?;
    Some(Usage { input, ..Usage::default() })
}

/// Writes the counts back as they fit together. True where that changed them.
pub(super) fn set_right(event: &mut TokenUsage) -> bool {
    let usage = Usage::from(&*event);
    let right = |part: &mut Option<u64>, count: u64| {
        let wrong = part.is_some_and(|said| said != count) || (part.is_none() && count > 0);
        if wrong {
            *part = Some(count);
        }
        wrong
    };
    let wholes = (event.prompt_tokens, event.completion_tokens) != (usage.input, usage.output);
    let parts = [
        right(&mut event.cache_creation_tokens, usage.written),
        right(&mut event.audio_input_tokens, usage.audio_input),
        right(&mut event.audio_output_tokens, usage.audio_output),
    ];
    (event.prompt_tokens, event.completion_tokens) = (usage.input, usage.output);
    event.total_tokens = event.total_tokens.max(usage.total());
    wholes || parts.contains(&true)
}
