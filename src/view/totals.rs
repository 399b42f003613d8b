//! Tokens and money, of a call and of a whole execution.

/// Tokens and money. What is not known is none, never 0.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct Usage {
    /// Input tokens, the cached ones among them.
    pub input: Option<u64>,
    /// Output tokens, the reasoning ones among them.
    pub output: Option<u64>,
    /// Input tokens read from a cache.
    pub cached: Option<u64>,
    /// Price in USD.
    pub cost_usd: Option<f64>,
}

/// Sums over an execution.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Totals {
    /// Tokens of all model calls: as the gate counted them, or the sum of what was seen, whichever is more.
    pub tokens: u64,
    /// Input tokens read from a cache, as far as seen.
    pub cached_tokens: u64,
    /// Price in USD; none as long as no price is known.
    pub cost_usd: Option<f64>,
    /// Part of the context window in use, in percent.
    pub context_pct: Option<f64>,
    pub(super) seen_tokens: u64,
    pub(super) seen_cost: f64,
}

impl Usage {
    fn tokens(&self) -> u64 {
        self.input.unwrap_or(0).saturating_add(self.output.unwrap_or(0))
    }
}

impl Totals {
    /// Takes what was known of a call out of the sums, and puts in what is known now.
    pub(super) fn exchange(&mut self, old: Usage, new: Usage) {
        self.seen_tokens = self.seen_tokens.saturating_sub(old.tokens()).saturating_add(new.tokens());
        self.tokens = self.tokens.max(self.seen_tokens);
        let cached = self.cached_tokens.saturating_sub(old.cached.unwrap_or(0));
        self.cached_tokens = cached.saturating_add(new.cached.unwrap_or(0));
        if let Some(cost) = new.cost_usd {
            self.seen_cost += cost - old.cost_usd.unwrap_or(0.0);
            self.count_cost(self.seen_cost);
        }
    }

    /// A sum never shrinks: events may come in any order.
    pub(super) fn count_cost(&mut self, cost: f64) {
        self.cost_usd = Some(self.cost_usd.map_or(cost, |before| before.max(cost)));
    }
}
