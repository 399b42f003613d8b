//! JSON as a structured `AnyValue`: log events have such values, where spans have JSON texts.

use super::{
    fields::{Field, any_value, array_value, key_value, key_value_list},
    form::{Form, Scalar},
};
use crate::otlp::sink::Value;
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// Deeper structures are given as JSON texts. A level is three messages in OTLP, and receivers take 100 messages in each
/// other at most (prost, Java's protobuf).
const MAX_DEPTH: usize = 24;
/// What is not known to be short gets room for two bytes of length.
const ABOUT_BYTES: usize = 200;

/// An attribute whose value is the structure that a JSON text says; the text itself where it is no JSON.
pub(crate) fn attribute(form: &mut impl Form, field: Field, key: &str, json: &str) {
    let open = form.open(field, key.len() + json.len());
    form.field(key_value::KEY, Scalar::Text(key));
    let place = form.place();
    if read(form, key_value::VALUE, json).is_err() {
        form.back_to(place);
        form.value(key_value::VALUE, Value::Text(json));
    }
    form.close(open);
}

fn read(form: &mut impl Form, field: Field, json: &str) -> Result<(), serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(json);
    Structure { form, field, depth: 0 }.deserialize(&mut reader)?;
    reader.end()
}

/// One JSON value on its way into a field, without a tree in between.
struct Structure<'a, F> {
    form: &'a mut F,
    field: Field,
    depth: usize,
}

impl<F: Form> Structure<'_, F> {
    fn inner(&mut self, field: Field) -> Structure<'_, F> {
        Structure { form: self.form, field, depth: self.depth + 1 }
    }

    fn say<E>(self, value: Value<'_>) -> Result<(), E> {
        self.form.value(self.field, value);
        Ok(())
    }

    /// What is in the deepest structure.
    fn leaf<E: Error>(self, raw: &RawValue) -> Result<(), E> {
        match raw.get().starts_with(['{', '[']) {
            true => self.say(Value::Text(raw.get())),
            false => read(self.form, self.field, raw.get()).map_err(E::custom),
        }
    }
}

impl<'de, F: Form> DeserializeSeed<'de> for Structure<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: Form> Visitor<'de> for Structure<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    /// An `AnyValue` that holds nothing.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        let open = self.form.open(self.field, 0);
        self.form.close(open);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.say(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.say(Value::Int(value))
    }

    /// Past the largest `int64` only a double is large enough.
    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.say(i64::try_from(value).map_or(Value::Double(value as f64), Value::Int))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.say(Value::Double(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.say(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let value = self.form.open(self.field, ABOUT_BYTES);
        let array = self.form.open(any_value::ARRAY, ABOUT_BYTES);
        self.form.list(array_value::VALUES);
        if self.depth == MAX_DEPTH {
            while let Some(raw) = list.next_element::<&RawValue>()? {
                self.inner(array_value::VALUES).leaf(raw)?;
            }
        } else {
            while list.next_element_seed(self.inner(array_value::VALUES))?.is_some() {}
        }
        self.form.close(array);
        self.form.close(value);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let value = self.form.open(self.field, ABOUT_BYTES);
        let list = self.form.open(any_value::KVLIST, ABOUT_BYTES);
        self.form.list(key_value_list::VALUES);
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key.is_empty() {
                // A default value, and so left out: receivers of JSON refuse an entry without a key.
                return Err(Error::custom("a key without a name"));
            }
            let entry = self.form.open(key_value_list::VALUES, ABOUT_BYTES);
            self.form.field(key_value::KEY, Scalar::Text(&key));
            match self.depth {
                MAX_DEPTH => self.inner(key_value::VALUE).leaf(map.next_value::<&RawValue>()?)?,
                _ => map.next_value_seed(self.inner(key_value::VALUE))?,
            }
            self.form.close(entry);
        }
        self.form.close(list);
        self.form.close(value);
        Ok(())
    }
}
