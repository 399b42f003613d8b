//! `Spending`: sums over calls.

use super::{money::Money, usage::Usage};

/// What calls used and cost, summed up. Where something is not known of a call, that is counted, and the sums are
/// lower bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Spending {
    /// Calls: of models, and of models that embed.
    pub calls: u64,
    /// Those whose usage nobody told: then every sum here is a lower bound.
    pub calls_without_usage: u64,
    /// Those whose usage is known, but not its price: then the sum of money is a lower bound.
    pub calls_without_price: u64,
    /// Input tokens, the cached and the written ones among them.
    pub input_tokens: u64,
    /// Input tokens read from a cache.
    pub cached_tokens: u64,
    /// Input tokens written to a cache.
    pub cache_creation_tokens: u64,
    /// Output tokens, the reasoning ones among them.
    pub output_tokens: u64,
    /// Output tokens spent on reasoning.
    pub reasoning_tokens: u64,
    /// Tokens that the provider's total has beyond both sides.
    other_tokens: u64,
    cost: Money,
}

/// One call, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Entry {
    pub(super) usage: Option<Usage>,
    /// What the provider calls the total, where that is more than both sides.
    pub(super) total: u64,
    pub(super) cost: Option<Money>,
}

impl Entry {
    fn other(&self) -> u64 {
        self.total.saturating_sub(self.usage.as_ref().map_or(0, Usage::total))
    }
}

impl Spending {
    /// All tokens.
    pub const fn total_tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens).saturating_add(self.other_tokens)
    }

    /// What they cost in USD; none where no call has a price. A lower bound where
    /// [`is_cost_a_lower_bound`](Spending::is_cost_a_lower_bound) says so.
    pub fn cost_usd(&self) -> Option<f64> {
        let priced = self.calls.saturating_sub(self.calls_without_usage).saturating_sub(self.calls_without_price);
        (priced > 0 || self.cost > Money::default()).then(|| self.cost.usd())
    }

    /// Whether there were more tokens than these.
    pub const fn are_tokens_a_lower_bound(&self) -> bool {
        self.calls_without_usage > 0
    }

    /// Whether it cost more than this.
    pub const fn is_cost_a_lower_bound(&self) -> bool {
        self.calls_without_usage > 0 || self.calls_without_price > 0
    }

    /// What an earlier process had counted.
    pub(super) fn continued(tokens: u64, cost_usd: Option<f64>, calls_without: (u64, u64)) -> Self {
        let cost = cost_usd.and_then(Money::from_usd).unwrap_or_default();
        let (calls_without_usage, calls_without_price) = calls_without;
        let calls = calls_without_usage.saturating_add(calls_without_price);
        let calls = calls.saturating_add(u64::from(cost_usd.is_some()));
        Self { calls, calls_without_usage, calls_without_price, other_tokens: tokens, cost, ..Self::default() }
    }

    pub(super) fn add(&mut self, entry: &Entry) {
        self.change(entry, u64::saturating_add);
        if let Some(cost) = entry.cost {
            self.cost += cost;
        }
    }

    pub(super) fn remove(&mut self, entry: &Entry) {
        self.change(entry, u64::saturating_sub);
        if let Some(cost) = entry.cost {
            self.cost -= cost;
        }
    }

    fn change(&mut self, entry: &Entry, by: fn(u64, u64) -> u64) {
        let usage = entry.usage.unwrap_or_default();
        let counts = [
            (&mut self.calls, 1),
            (&mut self.calls_without_usage, u64::from(entry.usage.is_none())),
            (&mut self.calls_without_price, u64::from(entry.usage.is_some() && entry.cost.is_none())),
            (&mut self.input_tokens, usage.input),
            (&mut self.cached_tokens, usage.cached),
            (&mut self.cache_creation_tokens, usage.written),
            (&mut self.output_tokens, usage.output),
            (&mut self.reasoning_tokens, usage.reasoning),
            (&mut self.other_tokens, entry.other()),
        ];
        for (sum, count) in counts {
            *sum = by(*sum, count);
        }
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        let counts = [
            (&mut self.calls, other.calls),
            (&mut self.calls_without_usage, other.calls_without_usage),
            (&mut self.calls_without_price, other.calls_without_price),
            (&mut self.input_tokens, other.input_tokens),
            (&mut self.cached_tokens, other.cached_tokens),
            (&mut self.cache_creation_tokens, other.cache_creation_tokens),
            (&mut self.output_tokens, other.output_tokens),
            (&mut self.reasoning_tokens, other.reasoning_tokens),
            (&mut self.other_tokens, other.other_tokens),
        ];
        for (sum, count) in counts {
            *sum = sum.saturating_add(count);
        }
        self.cost += other.cost;
    }
}
