//! JSON Schema of the stream's events, derived from the same declarations (feature `schema`).

use super::{ExecutionEvent, ExecutionEventType, Kind, StreamEvent, execution::Persisted};
use crate::{Cursor, EventId, ExecutionId, Json, StepId, Text, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;

macro_rules! schema_of {
    ($($name:ident: $json:tt;)+) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($json)
            }
        }
    )+};
}

schema_of! {
    Text: { "type": "string" };
    Json: true;
    ExecutionId: { "type": "string", "minLength": 1, "maxLength": 128 };
    StepId: { "type": "string", "minLength": 1, "maxLength": 128 };
    Cursor: { "type": "string", "pattern": "^[0-9a-f]{16}-[0-9]+$" };
    EventId: { "type": "string", "pattern": "^evt_[0-9a-f]{32}$" };
    Timestamp: { "type": "string", "format": "date-time" };
}

/// The schema of one event of the stream, by JSON Schema 2020-12: one alternative for each kind of this version.
pub fn stream_event_schema() -> Value {
    let mut generator = SchemaGenerator::default();
    let mut schema = StreamEvent::json_schema(&mut generator);
    let mut definitions = generator.take_definitions(true);
    definitions.sort_keys();
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".into(), "StreamEvent".into());
    schema.insert("$defs".into(), definitions.into());
    schema.into()
}

impl JsonSchema for StreamEvent {
    fn schema_name() -> Cow<'static, str> {
        "StreamEvent".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kinds = Kind::schemas(generator).into_iter();
        let one_of: Vec<Value> = kinds.map(|(kind, schema)| whole(kind, schema)).collect();
        json_schema!({
            "description": "One event of a spanwright stream. Readers must accept a `type` that is not listed here.",
            "oneOf": one_of,
        })
    }
}

impl JsonSchema for ExecutionEvent {
    fn schema_name() -> Cow<'static, str> {
        "ExecutionEvent".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Persisted::json_schema(generator)
    }
}

impl JsonSchema for ExecutionEventType {
    fn schema_name() -> Cow<'static, str> {
        "ExecutionEventType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let types: Vec<_> = Self::ALL.iter().map(|one| one.as_snake()).collect();
        json_schema!({
            "type": "string",
            "anyOf": [{ "enum": types }, { "description": "a type of another version" }],
        })
    }
}

/// The kind's fields, its tag and the envelope in one flat object, as on the wire.
fn whole(kind: Kind, schema: Schema) -> Value {
    let mut schema = Value::from(schema);
    let object = schema.as_object_mut().map(std::mem::take).unwrap_or_default();
    let mut properties = object.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut required = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    required.insert(0, "type".into());
    properties.insert("type".into(), serde_json::json!({ "const": kind.tag() }));
    let id = serde_json::json!({ "type": "string", "minLength": 1, "maxLength": 128 });
    properties.insert("execution_id".into(), id.clone());
    properties.insert("step_id".into(), id);
    properties.insert("timestamp".into(), serde_json::json!({ "type": "integer", "description": "Unix time in ms." }));
    serde_json::json!({
        "title": kind.tag(),
        "description": object.get("description").cloned().unwrap_or_default(),
        "type": "object",
        "properties": properties,
        "required": required,
    })
}
