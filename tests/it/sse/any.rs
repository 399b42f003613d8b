//! Any event at all: of every kind, with hostile texts in every field that holds one.

use proptest::prelude::*;
use serde_json::{Value, json};
use spanwright::{
    StreamEvent,
    event::{ErrorCategory, ExecutionError, stream_event_schema},
};
use std::sync::LazyLock;

static SCHEMA: LazyLock<Value> = LazyLock::new(stream_event_schema);

/// What means something in a stream of events, and what is easily taken for it.
pub(super) const SIGNS: &[&str] = &[
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\0",
    "data",
    "data:",
    "data: x",
    "event: e",
    "id:",
    "id: 7",
    "id: \0",
    "retry: 5",
    "retry: 9x",
    ":",
    ": comment",
    " ",
    "\t",
    "\u{feff}",
    "\u{2028}",
    "\u{85}",
    "\u{b}",
    "é",
    "豆",
    "🦀",
    "\\",
    "\"",
    "[DONE]",
];

pub(super) fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![4 => prop::sample::select(SIGNS).prop_map(str::to_owned), 1 => any::<String>()];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// What the fields of one event are made of.
#[derive(Debug, Clone)]
struct Stuff {
    texts: Vec<String>,
    number: u64,
    real: f64,
    payload: String,
}

fn stuff() -> impl Strategy<Value = Stuff> {
    let texts = prop::collection::vec(text(), 1..6);
    let payload = (text(), prop::sample::select(vec!["", "\n", "\r\n", " \r "])).prop_map(|(text, gap)| {
        let text = Value::String(text);
        format!("{{{gap}\"a\":{gap}[{text},{gap}null]{gap},{text}:{gap}1}}")
    });
    (texts, any::<u64>(), prop::num::f64::NORMAL, payload).prop_map(|(texts, number, real, payload)| Stuff {
        texts,
        number,
        real,
        payload,
    })
}

/// An event of any kind that this version knows, or of one that it does not, as JSON of somebody else's writing.
pub(super) fn json_event() -> impl Strategy<Value = String> {
    let kinds = SCHEMA["oneOf"].as_array().expect("kinds");
    prop_oneof![
        4 => ((0..kinds.len()), stuff()).prop_map(|(at, stuff)| stuff.of_kind(&kinds[at]["properties"])),
        1 => stuff().prop_map(|stuff| stuff.of_another_version()),
    ]
}

pub(super) fn event() -> impl Strategy<Value = StreamEvent> {
    json_event().prop_map(|json| StreamEvent::from_json(&json).unwrap_or_else(|error| panic!("{error}: {json}")))
}

impl Stuff {
    fn of_kind(&self, properties: &Value) -> String {
        let fields = properties.as_object().expect("properties").iter().enumerate();
        let fields = fields.map(|(at, (name, schema))| format!("{}:{}", json!(name), self.value(at, name, schema)));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    }

    fn of_another_version(&self) -> String {
        let fields = self.texts.iter().map(|name| format!("{}:{}", json!(format!("x{name}")), self.payload));
        let tag = format!("\"type\":{}", json!(self.texts[0]));
        format!("{{{}}}", [tag].into_iter().chain(fields).collect::<Vec<_>>().join(",\n"))
    }

    fn value(&self, at: usize, name: &str, schema: &Value) -> String {
        let text = &self.texts[at % self.texts.len()];
        let of = |word: &str| {
            schema["type"] == word || schema["type"].as_array().is_some_and(|list| list.contains(&word.into()))
        };
        let value = match name {
            "type" => schema["const"].clone(),
            "timestamp" => json!(self.number % 4_000_000_000_000),
            _ if schema["$ref"] == "#/$defs/ExecutionError" => {
                json!(ExecutionError::new(ErrorCategory::ToolError, text.as_str()))
            }
            // An id has bounds of its own.
            _ if schema.get("maxLength").is_some() => json!("step"),
            _ if of("integer") => json!(self.number),
            _ if of("number") => json!(self.real),
            _ if of("boolean") => json!(true),
            _ if of("array") => json!(self.texts),
            // Words of the vocabulary may be those of another version: any text.
            _ if of("string") || schema.get("$ref").is_some() || schema.get("anyOf").is_some() => json!(text),
            _ => return self.payload.clone(),
        };
        value.to_string()
    }
}
