//! `Prices`: the table of list prices, and how the price of a model is found in it.

use super::{money::Money, name, rates::Rates, read, usage::Usage};
use crate::{Error, Text, Timestamp, event::TokenUsage};
use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

/// List prices of models.
///
/// A model is found by the longest row that its name begins with, as long as only a date or a release follows: `gpt-4o`
/// prices `gpt-4o-2024-11-20` and never `gpt-4o-mini`. What stands before the name (`openai/`, `models/`,
/// `us.anthropic.`) is cut. A row holds for the providers of its list. What is not found has no price.
///
/// Cheap to clone. [`Default`] is the table that comes with the crate.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices(Arc<[Price]>);

/// The price of a model: one row of the table.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Price {
    /// The model's name, or what it begins with where a `*` ends it.
    pub model: Text,
    /// From when on the price holds; none for always.
    pub since: Option<Timestamp>,
    /// The page that the price was read from.
    pub source: Option<Text>,
    /// The day on which it was looked at last, as `2026-08-21`.
    pub checked: Option<Text>,
    /// Who sells at this price; empty for everyone.
    pub providers: Vec<Text>,
    pub(super) plain: String,
    pub(super) is_prefix: bool,
    /// How many tables it was laid over.
    pub(super) layer: usize,
    pub(super) rates: Rates,
    /// Rates of calls with more input than so many tokens, the most first.
    pub(super) above: Vec<(u64, Rates)>,
}

static BUILTIN: LazyLock<Prices> =
    LazyLock::new(|| Prices::from_json(include_str!("prices.json")).unwrap_or_else(|_| Prices::none()));

impl Default for Prices {
    fn default() -> Self {
        Self::builtin()
    }
}

impl Prices {
    /// The public list prices that come with this version; each row has its source and the day it was looked at.
    pub fn builtin() -> Self {
        BUILTIN.clone()
    }

    /// No prices: nothing costs anything that anyone knew.
    pub fn none() -> Self {
        Self(Arc::new([]))
    }

    /// Reads a table in the form that `docs/prices.md` describes, USD per million tokens.
    ///
    /// # Errors
    /// `is_config` when it does not have that form, or a price is negative or no number: the message says where.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        Ok(Self(read::prices(text)?.into()))
    }

    /// As [`from_json`](Prices::from_json), from a file.
    ///
    /// # Errors
    /// `is_io` when it cannot be read; else as there.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::io(format!("price list {}", path.display())).with_source(source))?;
        Self::from_json(&text)
            .map_err(|source| Error::config(format!("price list {}", path.display())).with_source(source))
    }

    /// These prices, and over them the others: where both have a row for a call, theirs stands.
    pub fn with(self, over: &Self) -> Self {
        let layer = self.0.iter().map(|row| row.layer + 1).max().unwrap_or(0);
        let over = over.0.iter().cloned().map(|row| Price { layer: row.layer + layer, ..row });
        Self(self.0.iter().cloned().chain(over).collect())
    }

    /// The price of a model that this provider serves, at this time; without a time, the latest.
    pub fn find(&self, model: &str, provider: Option<&str>, time: Option<Timestamp>) -> Option<&Price> {
        let model = name::plain(model);
        let provider = provider.map(name::provider);
        let provider = provider.as_deref().filter(|provider| !provider.is_empty());
        name::candidates(&model).find_map(|(cut, model)| {
            let rows = self.0.iter().filter(|row| row.is_of(model) && row.is_sold_by(provider, cut));
            let rows = rows.filter(|row| time.is_none_or(|time| row.since.is_none_or(|since| since <= time)));
            rows.max_by_key(|row| (row.plain.len(), !row.is_prefix, row.layer, row.since))
        })
    }

    /// What a call cost at this time, in USD; none where its model has no price.
    pub fn cost_usd(&self, usage: &TokenUsage, time: Option<Timestamp>) -> Option<f64> {
        self.cost(&Usage::from(usage), usage.model.as_deref(), usage.provider.as_deref(), time).map(Money::usd)
    }

    pub(super) fn cost(
        &self,
        usage: &Usage,
        model: Option<&str>,
        provider: Option<&str>,
        time: Option<Timestamp>,
    ) -> Option<Money> {
        self.find(model?, provider, time)?.cost(usage)
    }

    /// The rows.
    pub fn iter(&self) -> impl Iterator<Item = &Price> {
        self.0.iter()
    }
}

/// The provider that clients for other people's servers with OpenAI's interface name as well.
const ANYBODYS: &str = "openai";

impl Price {
    /// What a call of this model costs, in USD; none where the list has no price for what it used.
    pub fn cost_usd(&self, usage: &TokenUsage) -> Option<f64> {
        self.cost(&Usage::from(usage)).map(Money::usd)
    }

    /// The whole call is at the rates that its input leads to: so do Anthropic, Google and OpenAI.
    fn cost(&self, usage: &Usage) -> Option<Money> {
        let above = self.above.iter().find(|(tokens, _)| usage.input > *tokens);
        above.map_or(&self.rates, |(_, rates)| rates).cost(usage)
    }

    fn is_of(&self, model: &str) -> bool {
        model.strip_prefix(self.plain.as_str()).is_some_and(|rest| self.is_prefix || name::is_release(rest))
    }

    /// Whoever is named as the call's provider says it. Without one, and for clients of anybody's servers, what stands
    /// before the name says it; nothing there may as well be the maker.
    fn is_sold_by(&self, provider: Option<&str>, cut: &str) -> bool {
        let sells = |name: &str| self.providers.iter().any(|seller| seller.as_str() == name);
        let heads = || name::heads(cut).map(name::provider);
        match provider {
            _ if self.providers.is_empty() => true,
            Some(provider) if sells(provider) => true,
            Some(ANYBODYS) => heads().any(|head| sells(&head)),
            Some(_) => false,
            None => heads().next().is_none() || heads().any(|head| sells(&head)),
        }
    }
}
