//! Protobuf's JSON form as OTLP bends it ("JSON Protobuf Encoding"): ids in hex, enums as numbers.

use super::{
    fields::Field,
    form::{Form, Packed, Scalar},
};
use crate::json::{WriteJson, write_str};

pub(crate) struct Json<'a> {
    out: &'a mut String,
    /// Number of the list that is open in the message that is being written.
    list: Option<u32>,
}

/// A message that is not closed yet.
pub(crate) struct Object {
    /// The list around it.
    list: Option<u32>,
}

impl<'a> Json<'a> {
    pub(crate) fn new(out: &'a mut String) -> Self {
        Self { out, list: None }
    }

    fn name(&mut self, field: Field) {
        self.end_list();
        self.comma();
        self.out.push('"');
        self.out.push_str(field.name);
        self.out.push_str("\":");
    }

    /// A quoted text never ends in a bracket, so the last byte says if something stands before.
    fn comma(&mut self) {
        if !matches!(self.out.as_bytes().last(), None | Some(b'{' | b'[')) {
            self.out.push(',');
        }
    }

    fn end_list(&mut self) {
        if self.list.take().is_some() {
            self.out.push(']');
        }
    }

    fn begin_object(&mut self) -> Object {
        self.out.push('{');
        Object { list: self.list.take() }
    }

    /// "64-bit integer numbers in JSON-encoded payloads are encoded as decimal strings".
    fn decimal(&mut self, value: impl WriteJson) {
        self.out.push('"');
        value.write_json(self.out);
        self.out.push('"');
    }

    fn double(&mut self, value: f64) {
        match value {
            value if value.is_nan() => self.out.push_str("\"NaN\""),
            f64::INFINITY => self.out.push_str("\"Infinity\""),
            f64::NEG_INFINITY => self.out.push_str("\"-Infinity\""),
            value => value.write_json(self.out),
        }
    }

    fn hex(&mut self, bytes: &[u8]) {
        const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
        self.out.push('"');
        for byte in bytes {
            self.out.push(DIGITS[usize::from(byte >> 4)]);
            self.out.push(DIGITS[usize::from(byte & 15)]);
        }
        self.out.push('"');
    }

    fn numbers<T: Copy>(&mut self, values: &[T], mut one: impl FnMut(&mut Self, T)) {
        self.out.push('[');
        for value in values {
            self.comma();
            one(self, *value);
        }
        self.out.push(']');
    }
}

impl Form for Json<'_> {
    type Open = Object;

    fn present(&mut self, field: Field, value: Scalar<'_>) {
        self.name(field);
        match value {
            Scalar::Text(text) => write_str(text, self.out),
            Scalar::Id(bytes) => self.hex(bytes),
            Scalar::Bool(value) => value.write_json(self.out),
            Scalar::Int(value) | Scalar::SignedFixed64(value) => self.decimal(value),
            Scalar::Fixed64(value) => self.decimal(value),
            Scalar::Number(value) | Scalar::Fixed32(value) => u64::from(value).write_json(self.out),
            Scalar::Double(value) => self.double(value),
        }
    }

    fn packed(&mut self, field: Field, values: Packed<'_>) {
        match values {
            Packed::Fixed64([]) | Packed::Double([]) => {}
            Packed::Fixed64(values) => {
                self.name(field);
                self.numbers(values, |json, value| json.decimal(value));
            }
            Packed::Double(values) => {
                self.name(field);
                self.numbers(values, |json, value| json.double(value));
            }
        }
    }

    fn open(&mut self, field: Field, _: usize) -> Object {
        match field.repeated {
            true if self.list == Some(field.number) => self.comma(),
            true => self.list(field),
            false => self.name(field),
        }
        self.begin_object()
    }

    fn list(&mut self, field: Field) {
        self.name(field);
        self.out.push('[');
        self.list = Some(field.number);
    }

    fn begin(&mut self, _: Field, _: usize) -> Object {
        self.begin_object()
    }

    fn close(&mut self, open: Object) {
        self.end_list();
        self.out.push('}');
        self.list = open.list;
    }

    fn place(&self) -> usize {
        self.out.len()
    }

    fn back_to(&mut self, place: usize) {
        self.out.truncate(place);
        self.list = None;
    }
}
