//! The description of the API for machines (OpenAPI 3.1), written from the table of routes.

mod body;
mod responses;

use super::{
    App,
    failure::json as answer,
    routes::{Accepts, Answer, Method, Needs, Param, ROUTES, Route},
    schemas::Schemas,
};
use axum::{
    extract::{OriginalUri, State},
    response::Response,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// `GET /openapi.json`.
pub(super) async fn openapi(State(app): State<Arc<App>>, OriginalUri(uri): OriginalUri) -> Response {
    // A router of somebody else's may have it below a path of its own.
    let below = uri.path().strip_suffix("/openapi.json").unwrap_or_default();
    answer(&document(if below.is_empty() { "/" } else { below }, app.settings.access.is_some()))
}

/// `asks`: whether this server asks for tokens.
fn document(root: &str, asks: bool) -> Value {
    let mut schemas = Schemas::new();
    let paths = paths(asks, &mut schemas);
    let components = json!({
        "securitySchemes": schemes(),
        "responses": responses::shared(&mut schemas),
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
        "servers": [{ "url": root }],
        "paths": paths,
        "components": components,
    })
}

fn paths(asks: bool, schemas: &mut Schemas) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[method(route.method)] = operation(route, asks, schemas);
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

fn operation(route: &Route, asks: bool, schemas: &mut Schemas) -> Value {
    let in_query = route.query.iter().map(in_query);
    let parameters: Vec<Value> = in_path(route).chain(in_query).chain(body::headers(route.body)).collect();
    let mut operation = json!({
        "operationId": id(route),
        "summary": route.summary,
        "parameters": parameters,
        "responses": responses::of(route, schemas),
        "security": security(route, asks),
    });
    if let Some(body) = body::of(route.body, schemas) {
        operation["requestBody"] = body;
    }
    operation
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
            Self::Cursor => json!({ "type": "string", "pattern": "^[0-9a-f]{16}-[0-9]+(\\.[0-9]+)*$" }),
            Self::Text => json!({ "type": "string" }),
            Self::OneOf(words) => json!({ "type": "string", "enum": words }),
            Self::Limit(default, most) => {
                json!({ "type": "integer", "minimum": 1, "maximum": most, "default": default })
            }
        }
    }
}

/// A server that asks for no tokens, as on loopback by default, needs nothing; what is shown all the same is passed over.
fn security(route: &Route, asks: bool) -> Value {
    let (nothing, bearer, cookie) = (json!({}), json!({ "bearer": [] }), json!({ "cookie": [] }));
    let mut ways = match (route.needs, route.method, route.answer) {
        (Needs::Nothing, Method::Delete, _) => return json!([nothing, cookie]),
        (Needs::Nothing, ..) => return json!([nothing]),
        (.., Answer::Stream) => vec![bearer, cookie, json!({ "ticket": [] })],
        // A session does not make itself longer.
        (_, Method::Post, _) if route.path == "/session" => vec![bearer],
        _ => vec![bearer, cookie],
    };
    if !asks {
        ways.insert(0, nothing);
    }
    ways.into()
}

fn schemes() -> Value {
    json!({
        "bearer": { "type": "http", "scheme": "bearer" },
        "cookie": {
            "type": "apiKey", "in": "cookie", "name": "__Host-spanwright",
            "description": "Of POST /session; for a page of this server or of a listed origin. Asked by a name of the \
                            loopback the server calls it `spanwright`.",
        },
        "ticket": {
            "type": "apiKey", "in": "query", "name": "ticket",
            "description": "Of POST /tickets, good for one GET of a stream; for an EventSource, which can send no header.",
        },
    })
}
