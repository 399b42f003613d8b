//! Reading fields: what a call site declares is looked up once, then a value's place tells what it means.

use super::{
    classify,
    contract::{Slot, Slots},
    fields::{Fields, Value},
    rules::{self, Contract, Known, OURS},
};
use crate::Text;
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

/// What a call site means: each of its fields, by its index, and the span as a whole. None for a call site that says
/// nothing to us.
pub(super) struct Shape {
    slots: Box<[Option<(Slot, u8)>]>,
    declared: Slots,
    pub(super) known: Known,
    /// Whether its spans can turn out to be agent spans: others are not looked at.
    pub(super) can_tell: bool,
    /// The crate that it stands in, and what is known of that.
    pub(super) emitter: &'static str,
    pub(super) is_silent_on_failure: bool,
    pub(super) withholds_content: bool,
}

type Shapes = HashMap<(Identifier, u32), Option<Rc<Shape>>, BuildHasherDefault<AddressHasher>>;

thread_local! {
    /// Call sites live as long as the program, and a thread meets few: no lock is shared for them.
    static SHAPES: RefCell<Shapes> = RefCell::default();
}

/// Call sites are told apart by their addresses: one multiplication spreads them well enough.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_usize(usize::from(*byte)));
    }

    /// The contract's number.
    fn write_u32(&mut self, number: u32) {
        self.0 ^= u64::from(number);
    }

    fn write_usize(&mut self, address: usize) {
        self.0 = (self.0 ^ address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Shape {
    /// The shape of a call site by the tables alone; none where nothing of it concerns us.
    pub(super) fn of(metadata: &'static Metadata<'static>) -> Option<Rc<Self>> {
        Self::under(&Contract::STANDARD, metadata)
    }

    /// The shape of a call site; none where nothing of it concerns us.
    pub(super) fn under(contract: &Contract, metadata: &'static Metadata<'static>) -> Option<Rc<Self>> {
        let remembered = SHAPES.try_with(|shapes| {
            let key = (metadata.callsite(), contract.id);
            shapes.borrow_mut().entry(key).or_insert_with(|| Self::read(contract, metadata)).clone()
        });
        // A thread that is being torn down remembers nothing any more, and may still log: from a destructor, where a
        // panic would end the process.
        remembered.unwrap_or_else(|_| Self::read(contract, metadata))
    }

    fn read(contract: &Contract, metadata: &'static Metadata<'static>) -> Option<Rc<Self>> {
        let emitter = rules::emitter(metadata.target());
        let slot = |field: &str| match metadata.is_span() {
            // Our own spans have better names than a title.
            true => contract.slot(field).filter(|(slot, _)| !(emitter == OURS && *slot == Slot::OtelName)),
            false => contract.slot_of_event(metadata, field),
        };
        let slots: Box<[_]> = metadata.fields().iter().map(|field| slot(field.name())).collect();
        let declared = slots.iter().flatten().fold(Slots::default(), |all, (slot, _)| all.with(*slot));
        let known = if metadata.is_span() { contract.known(metadata) } else { Known::Nothing };
        let concerns = known != Known::Nothing || declared != Slots::default();
        concerns.then(|| {
            Rc::new(Self {
                can_tell: classify::can_tell(known, metadata, slots.iter().flatten().copied()),
                slots,
                declared,
                known,
                emitter,
                is_silent_on_failure: rules::is_silent_on_failure(metadata.target()),
                withholds_content: rules::withholds_content(metadata.target()),
            })
        })
    }

    /// Whether the call site has a field for this.
    pub(super) fn declares(&self, slot: Slot) -> bool {
        self.declared.has(slot)
    }

    fn slot(&self, field: &Field) -> Option<(Slot, u8)> {
        self.slots.get(field.index()).copied().flatten()
    }
}

/// Puts the values of a span into its fields, by what their places mean.
pub(super) struct Visitor<'a> {
    pub(super) shape: &'a Shape,
    pub(super) fields: &'a mut Fields,
}

impl Visitor<'_> {
    fn record(&mut self, field: &Field, value: impl FnOnce() -> Value) {
        if let Some((slot, rank)) = self.shape.slot(field) {
            self.fields.set(slot, rank, value());
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
