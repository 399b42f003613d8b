//! Rates: what each sort of token costs, and what a call costs by them.

use super::{money::Money, usage::Usage};

/// Prices in picodollars a token, which is millionths of a dollar per million tokens. A sort without a price of its own
/// costs what the sort around it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rates {
    pub(super) input: Option<u64>,
    pub(super) cached: Option<u64>,
    pub(super) written: Option<u64>,
    pub(super) written_1h: Option<u64>,
    pub(super) audio_input: Option<u64>,
    pub(super) output: Option<u64>,
    pub(super) reasoning: Option<u64>,
    pub(super) audio_output: Option<u64>,
}

impl Rates {
    /// None where tokens of a sort were used that the list has no price for.
    pub(super) fn cost(&self, usage: &Usage) -> Option<Money> {
        let mut cost = Money::default();
        for (tokens, rate) in self.sorts(usage) {
            if tokens > 0 {
                cost += Money::of_tokens(tokens, rate?);
            }
        }
        Some(cost)
    }

    /// Every token once, each with its price. Of audio in the input it is not told how much came from a cache: the
    /// cached tokens are taken to be text, as far as there is any.
    fn sorts(&self, usage: &Usage) -> [(u64, Option<u64>); 8] {
        let fresh = usage.input.saturating_sub(usage.cached).saturating_sub(usage.written);
        let audio = usage.audio_input.min(fresh);
        let written_5m = usage.written.saturating_sub(usage.written_1h);
        let written = self.written.or(self.input);
        let speech = usage.audio_output.min(usage.output);
        let reasoning = usage.reasoning.min(usage.output - speech);
        [
            (fresh - audio, self.input),
            (audio, self.audio_input.or(self.input)),
            (usage.cached, self.cached.or(self.input)),
            (written_5m, written),
            (usage.written_1h, self.written_1h.or(written)),
            (usage.output - speech - reasoning, self.output),
            (reasoning, self.reasoning.or(self.output)),
            (speech, self.audio_output.or(self.output)),
        ]
    }

    /// These, and for what they do not name the others.
    pub(super) fn or(self, others: Self) -> Self {
        Self {
            input: self.input.or(others.input),
            cached: self.cached.or(others.cached),
            written: self.written.or(others.written),
            written_1h: self.written_1h.or(others.written_1h),
            audio_input: self.audio_input.or(others.audio_input),
            output: self.output.or(others.output),
            reasoning: self.reasoning.or(others.reasoning),
            audio_output: self.audio_output.or(others.audio_output),
        }
    }
}
