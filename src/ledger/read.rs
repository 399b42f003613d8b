//! A price list as JSON: strict, so that a misspelt price is an error and not an unknown one.

use super::{name, prices::Price, rates::Rates};
use crate::{Error, Text, Timestamp};
use serde::Deserialize;

/// Prices that share their source.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    source: Option<Text>,
    checked: Option<Text>,
    #[serde(default)]
    providers: Vec<Text>,
    models: Vec<Model>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    model: Text,
    since: Option<Text>,
    usd: Usd,
    #[serde(default)]
    above: Vec<Above>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Above {
    input_tokens: u64,
    usd: Usd,
}

/// USD per million tokens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Usd {
    input: Option<f64>,
    cached_input: Option<f64>,
    cache_write: Option<f64>,
    cache_write_1h: Option<f64>,
    audio_input: Option<f64>,
    output: Option<f64>,
    reasoning: Option<f64>,
    audio_output: Option<f64>,
}

/// Picodollars a token in a dollar per million tokens.
const PICOS: f64 = 1e6;
/// USD per million tokens: a hundred times what anything has ever cost.
const MAX_USD: f64 = 1e5;

pub(super) fn prices(text: &str) -> Result<Vec<Price>, Error> {
    let lists: Vec<List> =
        serde_json::from_str(text).map_err(|source| Error::config("not a price list").with_source(source))?;
    lists.iter().flat_map(|list| list.models.iter().map(move |model| price(list, model))).collect()
}

fn price(list: &List, model: &Model) -> Result<Price, Error> {
    let is_prefix = model.model.ends_with('*');
    let rates = rates(&model.usd, &model.model)?;
    let mut above = Vec::new();
    for step in &model.above {
        above.push((step.input_tokens, self::rates(&step.usd, &model.model)?.or(rates)));
    }
    above.sort_by_key(|(tokens, _)| std::cmp::Reverse(*tokens));
    let plain = name::plain(model.model.trim_end_matches('*'));
    if plain.is_empty() && !is_prefix {
        return Err(Error::config("a row of the price list has an empty model"));
    }
    Ok(Price {
        model: model.model.clone(),
        since: model.since.as_deref().map(day).transpose()?,
        source: list.source.clone(),
        checked: list.checked.clone(),
        providers: list.providers.iter().map(|provider| name::provider(provider)).collect(),
        plain,
        is_prefix,
        layer: 0,
        rates,
        above,
    })
}

fn day(text: &str) -> Result<Timestamp, Error> {
    format!("{text}T00:00:00Z").parse().map_err(|_| {
        Error::config(format!("a row of the price list holds since {text:?}: a day such as 2026-08-21 is accepted"))
    })
}

fn rates(usd: &Usd, model: &str) -> Result<Rates, Error> {
    let picos = |usd: Option<f64>| match usd {
        Some(usd) if !(0.0..=MAX_USD).contains(&usd) => {
            Err(Error::config(format!("the price of {model:?} is {usd}: 0 to {MAX_USD} USD per million tokens")))
        }
        usd => Ok(usd.map(|usd| (usd * PICOS).round() as u64)),
    };
    Ok(Rates {
        input: picos(usd.input)?,
        cached: picos(usd.cached_input)?,
        written: picos(usd.cache_write)?,
        written_1h: picos(usd.cache_write_1h)?,
        audio_input: picos(usd.audio_input)?,
        output: picos(usd.output)?,
        reasoning: picos(usd.reasoning)?,
        audio_output: picos(usd.audio_output)?,
    })
}
