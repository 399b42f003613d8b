//! What requests are answered with: the success of each, and every other status that it may have.

use super::super::{
    failure::Refusal,
    ingest,
    routes::{Answer, Brought, Needs, Route},
    schemas::{Schemas, schema_of},
};
use crate::StreamEvent;
use serde_json::{Map, Value, json};

/// The responses of a route, by their statuses.
pub(super) fn of(route: &Route, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    let (status, response) = success(route.answer, schemas);
    responses.insert(status.to_string(), response);
    responses.extend(others(route).map(|(status, means)| (status.to_string(), other(route, status, means))));
    responses.into()
}

fn success(answer: Answer, schemas: &mut Schemas) -> (u16, Value) {
    let mut json_of = |means, schema: fn(&mut Schemas) -> Value| json!({ "description": means, "content": { "application/json": { "schema": schema(schemas) } } });
    match answer {
        Answer::Json(schema) => (200, json_of("As asked.", schema)),
        Answer::Asked(schema) => (202, json_of("It was told; its stream says what becomes of it.", schema)),
        Answer::Nothing => (204, json!({ "description": "Done." })),
        // What one event of the stream is, has no place of its own before OpenAPI 3.2 (`itemSchema`).
        Answer::Stream => (
            200,
            json!({
                "description": "Server-sent events; `data` of each is one event as JSON on one line.",
                "content": { "text/event-stream": {
                    "schema": { "type": "string" },
                    "x-item-schema": schemas.of::<StreamEvent>(),
                } },
            }),
        ),
    }
}

/// A response other than that of success. "description … overrides that of the referenced component" (OpenAPI 3.1.1,
/// 4.8.23).
fn other(route: &Route, status: u16, means: &str) -> Value {
    let is_of_door = status == 401 || status == 403;
    let shared = if matches!(route.body, Brought::Events) && !is_of_door { "Stopped" } else { "Error" };
    match status {
        ..400 => json!({ "description": means }),
        _ => json!({ "$ref": format!("#/components/responses/{shared}"), "description": means }),
    }
}

/// Statuses other than that of success, and what they mean. What guard and door say stands on every route; also where
/// nothing is needed no token is accepted in a URL.
fn others(route: &Route) -> impl Iterator<Item = (u16, &'static str)> {
    let is_of_door = |status| status == 400 || status == 403 || status == 401 && route.needs != Needs::Nothing;
    STATUSES.iter().filter(move |(status, _)| route.also.contains(status) || is_of_door(*status)).copied()
}

/// What a status means, whatever the route.
const STATUSES: &[(u16, &str)] = &[
    (204, "The execution has ended and there is nothing after your cursor: stay away."),
    (400, "Something is not of the form that is accepted."),
    (401, "A token is needed, or this one does not hold."),
    (403, "Another host or another origin asks, or the token does not allow it."),
    (404, "There is none of this id, or it is not yours to see."),
    (408, "The body did not come in time."),
    (409, "Not as things stand: the execution was cancelled, or runs in another process; or this key is under way."),
    (410, "It is gone: the cursor is not of this log, or the execution has ended."),
    (413, "More than a limit allows."),
    (415, "The body is of another type than those that are accepted."),
    (422, "Not all events were taken, or the key is of another body."),
    (500, "The log could not be read."),
    (501, "The recorder keeps no log, or the server asks for no tokens."),
    (503, "Not now: too much is under way, or the recorder did not answer in time or has shut down."),
];

/// Responses that several routes share.
pub(super) fn shared(schemas: &mut Schemas) -> Value {
    let (refusal, taken) = (schema_of::<Refusal>(schemas), schema_of::<ingest::Taken<'static>>(schemas));
    let of =
        |means, schema: Value| json!({ "description": means, "content": { "application/json": { "schema": schema } } });
    json!({
        "Error": of("What was wrong, and what is accepted.", refusal.clone()),
        "Stopped": of("What was wrong, and what was taken where anything was read.", json!({ "anyOf": [taken, refusal] })),
    })
}
