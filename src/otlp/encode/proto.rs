//! Protobuf's wire format, canonical: fields in the order of their numbers, each length in as few bytes as it needs, no
//! default values. Byte for byte what prost writes of the same message.

use super::{
    fields::{Field, any_value, array_value, key_value},
    form::{Form, Packed, Scalar},
};
use crate::{Text, otlp::sink::Value};

pub(crate) struct Protobuf<'a> {
    out: &'a mut Vec<u8>,
}

/// A message whose length is not written yet.
pub(crate) struct Nested {
    /// Where its content begins.
    start: usize,
    /// Bytes before that, kept free for the length.
    width: usize,
}

/// Wire types.
const VARINT: u32 = 0;
const I64: u32 = 1;
pub(super) const LEN: u32 = 2;
const I32: u32 = 5;
/// Of a tag and a length of at most 28 bits.
const MAX_LENGTH_BYTES: usize = 5;

impl<'a> Protobuf<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    #[inline]
    fn tag(&mut self, field: Field, wire_type: u32) {
        varint(u64::from(field.number << 3 | wire_type), self.out);
    }

    /// Tag and length. Most of both are a byte long, and are then written as one piece.
    #[inline(always)]
    fn length(&mut self, field: Field, length: usize) {
        if field.number < 16 && length < 0x80 {
            self.out.extend_from_slice(&[short_tag(field), length as u8]);
        } else {
            self.tag(field, LEN);
            varint(length as u64, self.out);
        }
    }

    #[inline(always)]
    fn bytes(&mut self, field: Field, bytes: &[u8]) {
        self.length(field, bytes.len());
        self.out.extend_from_slice(bytes);
    }

    #[inline]
    fn fixed64(&mut self, field: Field, bytes: [u8; 8]) {
        self.tag(field, I64);
        self.out.extend_from_slice(&bytes);
    }

    /// `KeyValue`: what is in it has a known length, so nothing is filled in later.
    #[inline(never)]
    fn key_value(&mut self, field: Field, key: &str, value: Value<'_>) {
        let length = value_bytes(value);
        let of_key = if key.is_empty() { 0 } else { field_bytes(key.len()) };
        self.out.reserve(of_key + length + 4 * MAX_LENGTH_BYTES);
        self.length(field, of_key + field_bytes(length));
        self.field(key_value::KEY, Scalar::Text(key));
        self.length(key_value::VALUE, length);
        self.any_value(value);
    }

    /// The value of a `KeyValue` that is shorter than 128 bytes.
    #[inline(always)]
    fn short_value(&mut self, length: usize, value: Value<'_>) {
        let [tag, length] = [short_tag(key_value::VALUE), length as u8];
        match value {
            Value::Text(text) => {
                self.out.extend_from_slice(&[tag, length, short_tag(any_value::STRING), text.len() as u8]);
                self.out.extend_from_slice(text.as_bytes());
            }
            Value::Double(value) => {
                self.out.extend_from_slice(&[tag, length]);
                self.present(any_value::DOUBLE, Scalar::Double(value));
            }
            // Counts, mostly: two bytes of seven bits, or one.
            Value::Int(value @ 0..0x4000) => {
                self.out.extend_from_slice(&[tag, length, INT_TAG, value as u8 | if value < 0x80 { 0 } else { 0x80 }]);
                if value >= 0x80 {
                    self.out.push((value >> 7) as u8);
                }
            }
            value => {
                self.out.extend_from_slice(&[tag, length]);
                self.any_value(value);
            }
        }
    }

    fn any_value(&mut self, value: Value<'_>) {
        match value {
            Value::Text(text) => self.present(any_value::STRING, Scalar::Text(text)),
            Value::Bool(value) => self.present(any_value::BOOL, Scalar::Bool(value)),
            Value::Int(value) => self.present(any_value::INT, Scalar::Int(value)),
            Value::Double(value) => self.present(any_value::DOUBLE, Scalar::Double(value)),
            Value::Texts(texts) => {
                self.length(any_value::ARRAY, texts_bytes(texts));
                for text in texts {
                    self.length(array_value::VALUES, field_bytes(text.len()));
                    self.present(any_value::STRING, Scalar::Text(text));
                }
            }
        }
    }

    /// The content of a message moves, so that its length fits exactly before it.
    fn make_width(&mut self, nested: &Nested, width: usize, length: usize) {
        let end = nested.start + length;
        let start = nested.start - nested.width + width;
        if width > nested.width {
            self.out.resize(start + length, 0);
        }
        self.out.copy_within(nested.start..end, start);
        self.out.truncate(start + length);
    }
}

impl Form for Protobuf<'_> {
    type Open = Nested;

    /// With what a field is known to hold, nothing is left of the choice.
    #[inline(always)]
    fn present(&mut self, field: Field, value: Scalar<'_>) {
        match value {
            Scalar::Text(text) => self.bytes(field, text.as_bytes()),
            Scalar::Id(bytes) => self.bytes(field, bytes),
            Scalar::Double(value) => self.fixed64(field, value.to_le_bytes()),
            Scalar::Fixed64(value) => self.fixed64(field, value.to_le_bytes()),
            Scalar::SignedFixed64(value) => self.fixed64(field, value.to_le_bytes()),
            Scalar::Fixed32(value) => {
                self.tag(field, I32);
                self.out.extend_from_slice(&value.to_le_bytes());
            }
            Scalar::Bool(value) => {
                self.tag(field, VARINT);
                self.out.push(u8::from(value));
            }
            Scalar::Number(value) => {
                self.tag(field, VARINT);
                varint(u64::from(value), self.out);
            }
            Scalar::Int(value) => {
                self.tag(field, VARINT);
                varint(value.cast_unsigned(), self.out);
            }
        }
    }

    fn packed(&mut self, field: Field, values: Packed<'_>) {
        let count = match values {
            Packed::Fixed64(values) => values.len(),
            Packed::Double(values) => values.len(),
        };
        if count == 0 {
            return;
        }
        self.length(field, 8 * count);
        match values {
            Packed::Fixed64(values) => self.out.extend(values.iter().flat_map(|value| value.to_le_bytes())),
            Packed::Double(values) => self.out.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        }
    }

    #[inline]
    fn open(&mut self, field: Field, about_bytes: usize) -> Nested {
        self.tag(field, LEN);
        let width = varint_bytes(about_bytes as u64);
        (0..width).for_each(|_| self.out.push(0));
        Nested { start: self.out.len(), width }
    }

    fn begin(&mut self, field: Field, about_bytes: usize) -> Nested {
        self.open(field, about_bytes)
    }

    #[inline]
    fn close(&mut self, nested: Nested) {
        let length = self.out.len() - nested.start;
        if length < 0x80 && nested.width == 1 {
            self.out[nested.start - 1] = length as u8;
            return;
        }
        let width = varint_bytes(length as u64);
        if width != nested.width {
            self.make_width(&nested, width, length);
        }
        let first = nested.start - nested.width;
        put_varint(length as u64, &mut self.out[first..first + width]);
    }

    fn list(&mut self, _: Field) {}

    /// Most attributes are short, and their lengths are a byte each. Where it is known which key is written, as it mostly is,
    /// not much is left of this but to copy it.
    #[inline(always)]
    fn attribute(&mut self, field: Field, key: &str, value: Value<'_>) {
        let length = value_bytes(value);
        let entry = key.len() + length + 4;
        if key.is_empty() || field.number > 15 || length > 0x7f || entry > 0x7f {
            return self.key_value(field, key, value);
        }
        let key_tag = short_tag(key_value::KEY);
        self.out.extend_from_slice(&[short_tag(field), entry as u8, key_tag, key.len() as u8]);
        self.out.extend_from_slice(key.as_bytes());
        self.short_value(length, value);
    }

    fn place(&self) -> usize {
        self.out.len()
    }

    fn back_to(&mut self, place: usize) {
        self.out.truncate(place);
    }
}

const INT_TAG: u8 = (any_value::INT.number << 3 | VARINT) as u8;

/// Of a field whose number is below 16 and that has a length.
const fn short_tag(field: Field) -> u8 {
    (field.number << 3 | LEN) as u8
}

/// `AnyValue`, without its own tag and length.
#[inline]
fn value_bytes(value: Value<'_>) -> usize {
    match value {
        Value::Text(text) => field_bytes(text.len()),
        Value::Bool(_) => 2,
        Value::Int(value) => 1 + varint_bytes(value.cast_unsigned()),
        Value::Double(_) => 9,
        Value::Texts(texts) => field_bytes(texts_bytes(texts)),
    }
}

fn texts_bytes(texts: &[Text]) -> usize {
    texts.iter().map(|text| field_bytes(field_bytes(text.len()))).sum()
}

/// A field of so many bytes, with its tag (of a number below 16) and length.
#[inline]
pub(super) const fn field_bytes(bytes: usize) -> usize {
    1 + varint_bytes(bytes as u64) + bytes
}

/// Seven bits a byte, the lowest first; the high bit says that more follow.
#[inline]
pub(super) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_varint(mut value: u64, place: &mut [u8]) {
    let last = place.len() - 1;
    for byte in &mut place[..last] {
        *byte = value as u8 | 0x80;
        value >>= 7;
    }
    place[last] = value as u8;
}

#[inline]
pub(super) const fn varint_bytes(value: u64) -> usize {
    // Bits that are used, at least one, in groups of seven.
    ((63 - (value | 1).leading_zeros() as usize) / 7) + 1
}
