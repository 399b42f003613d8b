//! The description of the API for machines (OpenAPI 3.1), written from the table of routes.

use super::{
    failure::{Refusal, json as answer},
    routes::{Accepts, Answer, Method, Needs, Param, ROUTES, Route},
    schemas::{Schemas, schema_of},
};
use crate::StreamEvent;
use axum::response::Response;
use serde_json::{Map, Value, json};

/// `GET /openapi.json`.
pub(super) async fn openapi() -> Response {
    answer(&document())
}

fn document() -> Value {
    let mut schemas = Schemas::new();
    let paths = paths(&mut schemas);
    let components = json!({
        "securitySchemes": schemes(),
        "responses": { "Error": error(&mut schemas) },
        "schemas": schemas.definitions(),
    });
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "spanwright",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": env!("CARGO_PKG_LICENSE") },
            "description": "What agents do, live and from the record. Where GET is, HEAD is too. Parameters, members, \
                            kinds of events and routes may be added: pass over what you do not know.",
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": components,
    })
}

fn paths(schemas: &mut Schemas) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[method(route.method)] = operation(route, schemas);
    }
    paths.into()
}

const fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Delete => "delete",
    }
}

fn operation(route: &Route, schemas: &mut Schemas) -> Value {
    let parameters: Vec<Value> = in_path(route).chain(route.query.iter().map(in_query)).collect();
    json!({
        "operationId": id(route),
        "summary": route.summary,
        "parameters": parameters,
        "responses": responses(route, schemas),
        "security": security(route),
    })
}

/// `get /executions/{id}/stream` is `get_executions_id_stream`.
fn id(route: &Route) -> String {
    let words = route.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(method(route.method)).chain(words).collect::<Vec<_>>().join("_")
}

fn in_path(route: &Route) -> impl Iterator<Item = Value> {
    let names = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": Accepts::Id.schema() }))
}

fn in_query(param: &Param) -> Value {
    json!({ "name": param.name, "in": "query", "description": param.what, "schema": param.accepts.schema() })
}

impl Accepts {
    fn schema(&self) -> Value {
        match self {
            Self::Id => json!({ "type": "string", "minLength": 1, "maxLength": 128 }),
            Self::Cursor => json!({ "type": "string", "pattern": "^[0-9a-f]{16}-[0-9]+$" }),
            Self::Text => json!({ "type": "string" }),
            Self::OneOf(words) => json!({ "type": "string", "enum": words }),
            Self::Limit(default, most) => {
                json!({ "type": "integer", "minimum": 1, "maximum": most, "default": default })
            }
        }
    }
}

fn responses(route: &Route, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    responses.insert("200".into(), success(route.answer, schemas));
    for (status, means) in statuses(route) {
        let refusal = json!({ "$ref": "#/components/responses/Error" });
        let without_body = json!({ "description": means });
        responses.insert(status.to_string(), if status < 400 { without_body } else { refusal });
    }
    responses.into()
}

fn success(answer: Answer, schemas: &mut Schemas) -> Value {
    match answer {
        Answer::Json(schema) => {
            json!({ "description": "As asked.", "content": { "application/json": { "schema": schema(schemas) } } })
        }
        // What one event of the stream is, has no place of its own before OpenAPI 3.2 (`itemSchema`).
        Answer::Stream => json!({
            "description": "Server-sent events; `data` of each is one event as JSON on one line.",
            "content": { "text/event-stream": {
                "schema": { "type": "string" },
                "x-item-schema": schemas.of::<StreamEvent>(),
            } },
        }),
    }
}

/// Statuses other than 200, and what they mean. What the guard says stands on every route.
fn statuses(route: &Route) -> impl Iterator<Item = (u16, &'static str)> {
    let guarded: &[u16] = if route.needs == Needs::Nothing { &[403] } else { &[400, 401, 403] };
    STATUSES.iter().filter(|(status, _)| route.also.contains(status) || guarded.contains(status)).copied()
}

/// What a status means, whatever the route.
const STATUSES: &[(u16, &str)] = &[
    (204, "The execution has ended and there is nothing after your cursor: stay away."),
    (400, "Something is not of the form that is accepted."),
    (401, "A token is needed, or this one does not hold."),
    (403, "Another host or another origin asks, or the token does not allow it."),
    (404, "There is none of this id, or it is not yours to see."),
    (410, "The cursor is not of this log."),
    (500, "The log could not be read."),
    (501, "The recorder keeps no log."),
    (503, "The recorder has shut down, or did not answer in time."),
];

fn error(schemas: &mut Schemas) -> Value {
    let content = json!({ "application/json": { "schema": schema_of::<Refusal>(schemas) } });
    json!({ "description": "What was wrong, and what is accepted.", "content": content })
}

/// Without access control, as on loopback by default, nothing is needed.
fn security(route: &Route) -> Value {
    let mut ways = vec![json!({})];
    if route.needs != Needs::Nothing {
        ways.extend([json!({ "bearer": [] }), json!({ "cookie": [] })]);
        ways.extend(matches!(route.answer, Answer::Stream).then(|| json!({ "ticket": [] })));
    }
    ways.into()
}

fn schemes() -> Value {
    json!({
        "bearer": { "type": "http", "scheme": "bearer" },
        "cookie": { "type": "apiKey", "in": "cookie", "name": "__Host-spanwright" },
        "ticket": {
            "type": "apiKey", "in": "query", "name": "ticket",
            "description": "Good for one request; for an EventSource, which can send no header.",
        },
    })
}
