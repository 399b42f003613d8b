//! What requests bring: bodies, and the headers that speak of them.

use super::super::{
    ingest::{IDEMPOTENCY_KEY, KEY_BYTES},
    routes::Brought,
    schemas::Schemas,
};
use crate::StreamEvent;
use serde_json::{Value, json};

/// The body of a request; none where it has none.
pub(super) fn of(body: Brought, schemas: &mut Schemas) -> Option<Value> {
    let (schema, is_needed) = match body {
        Brought::Nothing => return None,
        Brought::Events => return Some(events(schemas)),
        Brought::Json(schema) => (schema, true),
        Brought::MaybeJson(schema) => (schema, false),
    };
    Some(json!({ "required": is_needed, "content": { "application/json": { "schema": schema(schemas) } } }))
}

fn events(schemas: &mut Schemas) -> Value {
    let event = schemas.of::<StreamEvent>();
    // What one line is, has no place of its own before OpenAPI 3.2 (`itemSchema`).
    let lines = json!({ "schema": { "type": "string" }, "x-item-schema": event });
    json!({
        "required": true,
        "description": "Events: one on each line, or as JSON one or an array of them. A `timestamp` may be left out, and \
                        the `execution_id` where the path names it; a `type` that is not known is kept.",
        "content": {
            "application/x-ndjson": lines,
            "application/jsonl": lines,
            "application/json": { "schema": { "anyOf": [event, { "type": "array", "items": event }] } },
        },
    })
}

/// Headers that say something of the body.
pub(super) fn headers(body: Brought) -> Vec<Value> {
    if !matches!(body, Brought::Events) {
        return Vec::new();
    }
    let header = |name: &str, what: &str, schema: Value| json!({ "name": name, "in": "header", "description": what, "schema": schema });
    vec![
        header(
            "Content-Encoding",
            "how the body is packed",
            json!({ "type": "string", "enum": ["gzip", "identity"], "default": "identity" }),
        ),
        header(
            IDEMPOTENCY_KEY.as_str(),
            "the same body may be sent again under it, and nothing of it is taken twice",
            json!({ "type": "string", "minLength": 1, "maxLength": KEY_BYTES, "pattern": "^[ -~]+$" }),
        ),
    ]
}
