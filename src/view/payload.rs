//! A payload in a few words.

use super::{Inert, tree::TEXT_CHARS};
use crate::Json;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Payloads longer than this are shown as they begin, without a look at their fields.
const READ_BYTES: usize = 16_384;

/// The fields of an object, in their order.
struct Fields(Vec<(String, Box<RawValue>)>);

/// The payload as it is shown: `"rayleigh"` for `{"query": "rayleigh"}`, `a: 1, b: 2` for an object of several fields,
/// anything else as it is. Fields that say nothing, such as arguments that could not be read, take no room.
pub(super) fn preview(json: &Json) -> Inert {
    let text = json.as_str();
    match text.len() <= READ_BYTES {
        _ if text == "null" => Inert::default(),
        true => Inert::new(&in_words(text), TEXT_CHARS),
        false => Inert::new(text, TEXT_CHARS),
    }
}

fn in_words(text: &str) -> String {
    let Ok(Fields(mut fields)) = serde_json::from_str(text) else { return value(text) };
    fields.retain(|(_, of)| of.get() != "null");
    match &fields[..] {
        // A tool with one argument is mostly called what that argument is: a query, a path, a command.
        [(_, only)] if only.get().starts_with('"') => value(only.get()),
        _ => fields.iter().map(|(name, of)| format!("{name}: {}", value(of.get()))).collect::<Vec<_>>().join(", "),
    }
}

/// A string without JSON's escapes, so that its line breaks are white space and its letters are letters.
fn value(text: &str) -> String {
    serde_json::from_str::<String>(text).map_or_else(|_| text.to_owned(), |string| format!("\"{string}\""))
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
