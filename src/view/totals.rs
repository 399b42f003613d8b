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
    /// The call is over, and nobody told what it used.
    pub is_unknown: bool,
    /// It sums up calls that are counted by themselves, and is no part of the totals.
    pub is_aggregate: bool,
}

/// Sums over an execution: as the gate counted them, or what was seen of them, whichever is more. So they hold for who
/// joined late as well as for events that passed no gate.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Totals {
    /// Tokens of all model calls.
    pub tokens: u64,
    /// Input tokens read from a cache, as far as seen.
    pub cached_tokens: u64,
    /// Price in USD; none as long as no price is known.
    pub cost_usd: Option<f64>,
    /// Calls whose usage nobody told: then both sums are lower bounds.
    pub calls_without_usage: u64,
    /// Calls whose usage is known, and not their price: then that of money is a lower bound.
    pub calls_without_price: u64,
    /// Part of the context window in use, in percent.
    pub context_pct: Option<f64>,
    /// The most that the gate has said: events may come in any order.
    told: Sums,
    seen: Sums,
}

/// Sums from one point of view.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Sums {
    pub(super) tokens: u64,
    pub(super) cost_usd: Option<f64>,
    pub(super) without_usage: u64,
    pub(super) without_price: u64,
}

impl Usage {
    fn tokens(&self) -> u64 {
        self.input.unwrap_or(0).saturating_add(self.output.unwrap_or(0))
    }

    /// With what is known now, and what was known before where that says nothing.
    pub(super) fn or(self, before: Self) -> Self {
        let (input, output) = (self.input.or(before.input), self.output.or(before.output));
        Self {
            input,
            output,
            cached: self.cached.or(before.cached),
            cost_usd: self.cost_usd.or(before.cost_usd),
            is_unknown: (self.is_unknown || before.is_unknown) && input.is_none() && output.is_none(),
            is_aggregate: self.is_aggregate || before.is_aggregate,
        }
    }

    fn is_without_price(&self) -> bool {
        self.tokens() > 0 && self.cost_usd.is_none()
    }
}

impl Totals {
    /// Takes what was known of a call out of the sums, and puts in what is known now.
    pub(super) fn exchange(&mut self, old: Usage, new: Usage) {
        let counted = |usage: Usage| if usage.is_aggregate { Usage::default() } else { usage };
        let (old, new) = (counted(old), counted(new));
        let exchange = |sum: &mut u64, old: u64, new: u64| *sum = sum.saturating_sub(old).saturating_add(new);
        exchange(&mut self.cached_tokens, old.cached.unwrap_or(0), new.cached.unwrap_or(0));
        exchange(&mut self.seen.tokens, old.tokens(), new.tokens());
        exchange(&mut self.seen.without_usage, old.is_unknown.into(), new.is_unknown.into());
        exchange(&mut self.seen.without_price, old.is_without_price().into(), new.is_without_price().into());
        if old.cost_usd.or(new.cost_usd).is_some() {
            let rest = self.seen.cost_usd.unwrap_or(0.0) - old.cost_usd.unwrap_or(0.0);
            self.seen.cost_usd = Some(rest + new.cost_usd.unwrap_or(0.0));
        }
        self.settle();
    }

    /// Takes in what the gate says of the whole execution.
    pub(super) fn told(&mut self, sums: Sums) {
        self.told = self.told.or_more(sums);
        self.settle();
    }

    fn settle(&mut self) {
        let Sums { tokens, cost_usd, without_usage, without_price } = self.told.or_more(self.seen);
        (self.tokens, self.cost_usd) = (tokens, cost_usd);
        (self.calls_without_usage, self.calls_without_price) = (without_usage, without_price);
    }

    /// Whether there were more tokens than these.
    pub const fn are_tokens_a_lower_bound(&self) -> bool {
        self.calls_without_usage > 0
    }

    /// Whether it cost more than this.
    pub const fn is_cost_a_lower_bound(&self) -> bool {
        self.calls_without_usage > 0 || self.calls_without_price > 0
    }
}

impl Sums {
    fn or_more(self, other: Self) -> Self {
        let cost_usd = match (self.cost_usd, other.cost_usd) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        Self {
            tokens: self.tokens.max(other.tokens),
            cost_usd,
            without_usage: self.without_usage.max(other.without_usage),
            without_price: self.without_price.max(other.without_price),
        }
    }
}
