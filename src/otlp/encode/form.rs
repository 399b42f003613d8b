//! What both forms can write: fields, and messages in messages. Fields come in the order of their numbers.

use super::fields::{Field, any_value, array_value, key_value};
use crate::otlp::sink::Value;

/// One of OTLP's two forms, written at the end of a text.
pub(crate) trait Form {
    /// What must be known of a message until it is closed.
    type Open;

    /// A field that has a value, whatever it is: fields of a `oneof` and `optional` ones are there even where they are
    /// zero or empty.
    fn present(&mut self, field: Field, value: Scalar<'_>);

    /// Several numbers in one field; left out where there are none.
    fn packed(&mut self, field: Field, values: Packed<'_>);

    /// A message in a field begins. `about_bytes` is how long it will be in protobuf, as far as is known: a wrong guess
    /// costs a move of its bytes, and nothing else.
    fn open(&mut self, field: Field, about_bytes: usize) -> Self::Open;

    /// A message begins that is wrapped into its list later.
    fn begin(&mut self, field: Field, about_bytes: usize) -> Self::Open;

    fn close(&mut self, open: Self::Open);

    /// A list that is told even where nothing follows: some readers of JSON want it.
    fn list(&mut self, field: Field);

    /// Everything that was written so far, and nothing open since.
    fn place(&self) -> usize;

    /// Takes back what was written after a place, in the message that was open there.
    fn back_to(&mut self, place: usize);

    /// A field that is left out where it has proto3's default value, as every encoder does.
    #[inline(always)]
    fn field(&mut self, field: Field, value: Scalar<'_>) {
        if !value.is_default() {
            self.present(field, value);
        }
    }

    /// `AnyValue`
    #[inline]
    fn value(&mut self, field: Field, value: Value<'_>) {
        let open = self.open(field, about_bytes(value));
        match value {
            Value::Text(text) => self.present(any_value::STRING, Scalar::Text(text)),
            Value::Bool(value) => self.present(any_value::BOOL, Scalar::Bool(value)),
            Value::Int(value) => self.present(any_value::INT, Scalar::Int(value)),
            Value::Double(value) => self.present(any_value::DOUBLE, Scalar::Double(value)),
            Value::Texts(texts) => {
                let array = self.open(any_value::ARRAY, about_bytes(value));
                self.list(array_value::VALUES);
                texts.iter().for_each(|text| self.value(array_value::VALUES, Value::Text(text)));
                self.close(array);
            }
        }
        self.close(open);
    }

    /// `KeyValue`
    fn attribute(&mut self, field: Field, key: &str, value: Value<'_>) {
        let open = self.open(field, key.len() + about_bytes(value) + 4);
        self.field(key_value::KEY, Scalar::Text(key));
        self.value(key_value::VALUE, value);
        self.close(open);
    }

    fn attributes(&mut self, field: Field, attributes: &[(&str, Value<'_>)]) {
        attributes.iter().for_each(|(key, value)| self.attribute(field, key, *value));
    }
}

/// What one field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar<'a> {
    Text(&'a str),
    /// An id: bytes in protobuf, "hex-encoded strings" in JSON.
    Id(&'a [u8]),
    Bool(bool),
    /// `int64`: "64-bit integer numbers are encoded as decimal strings" in JSON.
    Int(i64),
    /// `uint32` and enums: "Values of enum fields MUST be encoded as integer values" in JSON.
    Number(u32),
    Double(f64),
    Fixed32(u32),
    Fixed64(u64),
    SignedFixed64(i64),
}

/// What one field holds several of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Packed<'a> {
    Fixed64(&'a [u64]),
    Double(&'a [f64]),
}

impl Scalar<'_> {
    #[inline(always)]
    fn is_default(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Id(bytes) => bytes.is_empty(),
            Self::Bool(value) => !value,
            Self::Int(value) | Self::SignedFixed64(value) => *value == 0,
            Self::Number(value) | Self::Fixed32(value) => *value == 0,
            Self::Double(value) => value.to_bits() == 0,
            Self::Fixed64(value) => *value == 0,
        }
    }
}

/// Near enough to guess the bytes of its length by.
#[inline]
fn about_bytes(value: Value<'_>) -> usize {
    match value {
        Value::Text(text) => text.len() + 2,
        Value::Texts(texts) => texts.iter().map(|text| text.len() + 4).sum(),
        Value::Int(_) | Value::Double(_) | Value::Bool(_) => 9,
    }
}
