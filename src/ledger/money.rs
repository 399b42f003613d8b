//! `Money`: whole picodollars, so that a sum of many small prices is the sum and does not drift.

use std::ops::{AddAssign, SubAssign};

/// An amount in 10⁻¹² USD: one token at a millionth of a dollar per million tokens. Holds 10²⁶ dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Money(u128);

const PICOS_PER_DOLLAR: f64 = 1e12;
/// More than anybody has: what is said to cost more is a mistake, and no sum should be lost to it.
const MAX_USD: f64 = 1e12;

impl Money {
    /// None for what is no amount: negative, infinite, not a number.
    pub(super) fn from_usd(usd: f64) -> Option<Self> {
        (0.0..=MAX_USD).contains(&usd).then(|| Self((usd * PICOS_PER_DOLLAR).round() as u128))
    }

    pub(super) fn usd(self) -> f64 {
        self.0 as f64 / PICOS_PER_DOLLAR
    }

    /// So many tokens, each at this price in picodollars.
    pub(super) fn of_tokens(tokens: u64, picos: u64) -> Self {
        Self(u128::from(tokens) * u128::from(picos))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_sub(other.0);
    }
}
