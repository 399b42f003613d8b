//! The values of a span's fields, as the layer holds them.

use super::{
    contract::{Slot, Slots},
    shape::{Shape, Visitor},
};
use crate::{Json, Text};
use std::cell::RefCell;
use tracing::field::Visit;

thread_local! {
    /// What closed spans held their fields in: the next ones need no memory of their own.
    static SPARE: RefCell<Vec<Vec<Held>>> = const { RefCell::new(Vec::new()) };
}

/// How many are spared.
const MAX_SPARE: usize = 64;

/// A value of a field, as it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(Text),
    Unsigned(u64),
    Float(f64),
    Bool(bool),
}

/// A value, and the rank of the name under which it came.
type Held = (Slot, u8, Value);

/// Added to the ranks of values that came from another span: the span's own count before them, whenever they come.
const FROM_ELSEWHERE: u8 = 128;

/// The values of a span's fields. The last word of the best name counts: rig records usage twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    held: Vec<Held>,
    /// Of which slots there are values: most questions are for those of which there is none.
    present: Slots,
}

impl Fields {
    /// Reads the values, calling the user's own `Debug` where a field has one: nothing may be locked here.
    pub(super) fn visit(shape: &Shape, record: impl FnOnce(&mut dyn Visit)) -> Self {
        let spare = SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten();
        let held = spare.unwrap_or_else(|| Vec::with_capacity(8));
        let mut fields = Self { held, present: Slots::default() };
        record(&mut Visitor { shape, fields: &mut fields });
        fields.unpack_usage();
        fields
    }

    /// Gives back what they are held in.
    fn spare(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        if held.capacity() == 0 {
            return;
        }
        held.clear();
        // A thread that is being torn down has no use for it any more.
        let _ = SPARE.try_with(|spare| match spare.borrow_mut() {
            mut spare if spare.len() < MAX_SPARE => spare.push(held),
            _ => {}
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(super) fn merge(&mut self, mut newer: Self) {
        for (slot, rank, value) in newer.held.drain(..) {
            self.set(slot, rank, value);
        }
    }

    /// Takes in values of another span where this one has none of its own, then or later.
    pub(super) fn take_in(&mut self, others: &Self) {
        for (slot, rank, value) in &others.held {
            self.set(*slot, *rank | FROM_ELSEWHERE, value.clone());
        }
    }

    /// Of several names for one thing the lower rank counts, and of one name the last value.
    pub(super) fn set(&mut self, slot: Slot, rank: u8, value: Value) {
        if !self.present.has(slot) {
            self.present = self.present.with(slot);
            return self.held.push((slot, rank, value));
        }
        let known = self.held.iter_mut().find(|(known, ..)| *known == slot);
        if let Some(held) = known.filter(|(_, old, _)| *old >= rank) {
            *held = (slot, rank, value);
        }
    }

    fn get(&self, slot: Slot) -> Option<&Value> {
        let held = self.present.has(slot).then(|| self.held.iter().find(|(known, ..)| *known == slot))?;
        held.map(|(.., value)| value)
    }

    /// Whether there is a value under the convention's own name.
    pub(super) fn has_by_its_name(&self, slot: Slot) -> bool {
        self.has(slot) && self.held.iter().any(|(known, rank, _)| *known == slot && *rank == 0)
    }

    /// A copy with nothing but these.
    pub(super) fn only(&self, slots: &[Slot]) -> Self {
        self.where_slot(|slot| slots.contains(&slot))
    }

    /// A copy with nothing but those of which this is true.
    pub(super) fn where_slot(&self, keep: impl Fn(Slot) -> bool) -> Self {
        let held: Vec<_> = self.held.iter().filter(|(slot, ..)| keep(*slot)).cloned().collect();
        let present = held.iter().fold(Slots::default(), |all, (slot, ..)| all.with(*slot));
        Self { held, present }
    }

    /// Forgets these.
    pub(super) fn forget(&mut self, slots: &[Slot]) {
        self.held.retain(|(slot, ..)| !slots.contains(slot));
        self.present = slots.iter().fold(self.present, |all, slot| all.without(*slot));
    }

    /// Usage and cost that came as one JSON object are what each of its members says, after every name of its own.
    pub(super) fn unpack_usage(&mut self) {
        const PACKED: u8 = FROM_ELSEWHERE - 1;
        let Some(usage) = self.str(Slot::UsageDetails).and_then(|text| serde_json::from_str(text).ok()) else { return };
        for (slot, value) in usage_members(&usage) {
            self.set(slot, PACKED, value);
        }
    }

    pub(super) fn has(&self, slot: Slot) -> bool {
        self.present.has(slot)
    }

    /// Why the span failed, if a field says so in words: not `false`, and not the `Debug` of nothing.
    pub(super) fn error_text(&self) -> Option<Text> {
        match self.get(Slot::ErrorText)? {
            Value::Text(text) if matches!(text.as_str(), "" | "false" | "None" | "null") => None,
            Value::Text(text) => Some(text.clone()),
            Value::Bool(true) => Some(Text::from_static("error")),
            _ => None,
        }
    }

    pub(super) fn text(&self, slot: Slot) -> Option<Text> {
        match self.get(slot)? {
            Value::Text(text) => Some(text.clone()),
            Value::Unsigned(number) => Some(Text::from(format_args!("{number}"))),
            Value::Float(number) => Some(Text::from(format_args!("{number}"))),
            Value::Bool(yes) => Some(Text::from(if *yes { "true" } else { "false" })),
        }
    }

    /// The text of a value that may be JSON: a JSON string without its quotes, nothing for `null`, else as it came.
    pub(super) fn plain(&self, slot: Slot) -> Option<Text> {
        let text = self.text(slot)?;
        if text == "null" {
            return None;
        }
        let unquoted = text.starts_with('"').then(|| serde_json::from_str::<Text>(&text).ok()).flatten();
        Some(unquoted.unwrap_or(text))
    }

    pub(super) fn str(&self, slot: Slot) -> Option<&str> {
        match self.get(slot)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A count: also one that came as a text or a float (tracing-opentelemetry's users record either).
    pub(super) fn unsigned(&self, slot: Slot) -> Option<u64> {
        match self.get(slot)? {
            Value::Unsigned(number) => Some(*number),
            Value::Float(number) if *number >= 0.0 => Some(*number as u64),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub(super) fn float(&self, slot: Slot) -> Option<f64> {
        match self.get(slot)? {
            Value::Unsigned(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            Value::Text(text) => text.parse().ok(),
            Value::Bool(_) => None,
        }
    }

    /// A payload: JSON where the text is JSON, else the text as a string. None for `null`, which says as much.
    pub(super) fn json(&self, slot: Slot) -> Option<Json> {
        match self.get(slot)? {
            Value::Text(text) if text == "null" => None,
            Value::Text(text) => Some(Json::parse_or_text(text)),
            Value::Unsigned(number) => Some(Json::of(number)),
            Value::Float(number) => Some(Json::of(number)),
            Value::Bool(yes) => Some(Json::of(yes)),
        }
    }

    /// How many values a JSON array has; 0 where there is none.
    pub(super) fn count(&self, slot: Slot) -> u64 {
        let values = self.str(slot).and_then(|text| serde_json::from_str::<Vec<serde::de::IgnoredAny>>(text).ok());
        values.map_or(0, |values| values.len() as u64)
    }

    /// Several words: a JSON array, a list with commas, or one bare word.
    pub(super) fn words(&self, slot: Slot) -> Option<Vec<Text>> {
        let text = self.str(slot)?;
        if let Ok(words) = serde_json::from_str::<Vec<Text>>(text) {
            return Some(words);
        }
        Some(text.split(',').map(|word| Text::from(word.trim())).filter(|word| !word.is_empty()).collect())
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        self.spare();
    }
}

/// What a usage object says, in the words of Langfuse and of OpenAI.
fn usage_members(usage: &serde_json::Value) -> impl Iterator<Item = (Slot, Value)> {
    const MEMBERS: &[(Slot, &[&str])] = &[
        (Slot::InputTokens, &["/input", "/prompt_tokens", "/input_tokens", "/promptTokens"]),
        (Slot::OutputTokens, &["/output", "/completion_tokens", "/output_tokens", "/completionTokens"]),
        (Slot::TotalTokens, &["/total", "/total_tokens", "/totalTokens"]),
        (Slot::CacheReadTokens, &["/input_cached_tokens", "/prompt_tokens_details/cached_tokens"]),
        (Slot::CacheCreationTokens, &["/input_cache_creation"]),
        (Slot::ReasoningTokens, &["/output_reasoning_tokens", "/completion_tokens_details/reasoning_tokens"]),
    ];
    MEMBERS.iter().filter_map(|(slot, members)| {
        let number = members.iter().find_map(|member| usage.pointer(member)?.as_u64())?;
        Some((*slot, Value::Unsigned(number)))
    })
}
