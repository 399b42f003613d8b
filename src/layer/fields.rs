//! Reading fields: what a call site declares is looked up once, then a value's place tells what it means.

use super::contract::Slot;
use crate::{Json, Text};
use std::{
    cell::RefCell,
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hasher},
    rc::Rc,
};
use tracing::{
    Metadata,
    callsite::Identifier,
    field::{Field, Visit},
};

/// What the fields of a call site mean, by their index. None for a call site that says nothing to us.
pub(super) struct Shape(Box<[Option<Slot>]>);

type Shapes = HashMap<Identifier, Option<Rc<Shape>>, BuildHasherDefault<AddressHasher>>;

thread_local! {
    /// Call sites live as long as the program, and a thread meets few: no lock is shared for them.
    static SHAPES: RefCell<Shapes> = RefCell::default();
    /// What closed spans held their fields in: the next ones need no memory of their own.
    static SPARE: RefCell<Vec<Vec<(Slot, Value)>>> = const { RefCell::new(Vec::new()) };
}

/// How many are spared.
const MAX_SPARE: usize = 64;

/// Call sites are told apart by their addresses: one multiplication spreads them well enough.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_usize(usize::from(*byte)));
    }

    fn write_usize(&mut self, address: usize) {
        self.0 = (self.0 ^ address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Shape {
    /// The shape of a call site; none where nothing of it concerns us.
    pub(super) fn of(metadata: &'static Metadata<'static>) -> Option<Rc<Self>> {
        SHAPES
            .with_borrow_mut(|shapes| shapes.entry(metadata.callsite()).or_insert_with(|| Self::read(metadata)).clone())
    }

    fn read(metadata: &Metadata<'_>) -> Option<Rc<Self>> {
        let slots: Box<[_]> = metadata.fields().iter().map(|field| Slot::of(field.name())).collect();
        slots.iter().any(Option::is_some).then(|| Rc::new(Self(slots)))
    }

    /// Whether the call site has a field for this.
    pub(super) fn declares(&self, slot: Slot) -> bool {
        self.0.contains(&Some(slot))
    }

    fn slot(&self, field: &Field) -> Option<Slot> {
        self.0.get(field.index()).copied().flatten()
    }
}

/// A value of a field, as it came.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(Text),
    Unsigned(u64),
    Float(f64),
    Bool(bool),
}

/// The values of a span's fields. The last word on a field counts: rig records usage twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<(Slot, Value)>);

impl Fields {
    /// Reads the values, calling the user's own `Debug` where a field has one: nothing may be locked here.
    pub(super) fn visit(shape: &Shape, record: impl FnOnce(&mut dyn Visit)) -> Self {
        let spare = SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten();
        let mut visitor = Visitor { shape, fields: Self(spare.unwrap_or_else(|| Vec::with_capacity(8))) };
        record(&mut visitor);
        visitor.fields
    }

    /// Gives back what they are held in.
    fn spare(&mut self) {
        let mut held = std::mem::take(&mut self.0);
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
        self.0.is_empty()
    }

    pub(super) fn merge(&mut self, mut newer: Self) {
        for (slot, value) in newer.0.drain(..) {
            self.set(slot, value);
        }
    }

    fn set(&mut self, slot: Slot, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == slot) {
            Some((_, old)) => *old = value,
            None => self.0.push((slot, value)),
        }
    }

    fn get(&self, slot: Slot) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == slot).map(|(_, value)| value)
    }

    /// A copy with nothing but these.
    pub(super) fn only(&self, slots: &[Slot]) -> Self {
        Self(self.0.iter().filter(|(slot, _)| slots.contains(slot)).cloned().collect())
    }

    pub(super) fn has(&self, slot: Slot) -> bool {
        self.get(slot).is_some()
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

struct Visitor<'a> {
    shape: &'a Shape,
    fields: Fields,
}

impl Visitor<'_> {
    fn record(&mut self, field: &Field, value: impl FnOnce() -> Value) {
        if let Some(slot) = self.shape.slot(field) {
            self.fields.set(slot, value());
        }
    }
}

impl Visit for Visitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record(field, || Value::Text(value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record(field, || Value::Unsigned(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record(field, || u64::try_from(value).map_or(Value::Float(value as f64), Value::Unsigned));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.record(field, || Value::Unsigned(u64::try_from(value).unwrap_or(u64::MAX)));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.record(field, || u64::try_from(value).map_or(Value::Float(value as f64), Value::Unsigned));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.record(field, || Value::Float(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.record(field, || Value::Bool(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.record(field, || Value::Text(Text::from(format_args!("{value}"))));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record(field, || Value::Text(Text::from(format_args!("{value:?}"))));
    }
}
