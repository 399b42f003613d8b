//! Every route against every way to ask: the rows come from the router's own table, so that a route without one fails.

mod ends;
mod origins;
mod routes;
mod tenants;

use super::{
    super::{App, Settings, routes::router},
    Access, JwtKey,
};
use crate::{Recorder, Timestamp, log::MemoryLog};
use axum::{
    Router,
    body::Body,
    http::{Method, Request},
    response::Response,
};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::sync::Arc;
use tower_service::Service;

const HOST: &str = "127.0.0.1:4400";
const ORIGIN: &str = "http://127.0.0.1:4400";
const KEY: &[u8] = b"a secret of thirty-two bytes or more";

/// A server without a socket.
struct Served {
    recorder: Recorder,
    access: Access,
    app: Arc<App>,
    router: Router,
}

fn served(settings: Settings) -> Served {
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
    let key = JwtKey::secret(KEY, "spanwright").expect("key");
    let access = Access::builder().jwt(key).build().expect("access");
    let app = App::new(recorder.clone(), settings.access(access.clone()));
    Served { recorder, access, router: router(app.clone()), app }
}

/// A request; a `Host` among the headers takes the place of the right one.
async fn ask(router: &Router, method: &str, uri: &str, headers: &[(&str, &str)]) -> Response {
    ask_with(router, method, uri, headers, Body::empty()).await
}

async fn ask_with(router: &Router, method: &str, uri: &str, headers: &[(&str, &str)], body: Body) -> Response {
    let mut request = Request::builder().method(method).uri(uri);
    if !headers.iter().any(|(name, _)| *name == "Host") {
        request = request.header("Host", HOST);
    }
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    router.clone().call(request.body(body).expect("request")).await.expect("never fails")
}

fn signed(claims: &Value) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(KEY)).expect("token")
}

/// Claims of a token that holds for an hour.
fn claims(scope: &str, tenant: Option<&str>) -> Value {
    let mut claims = json!({"exp": unix_seconds() + 3_600, "aud": "spanwright", "scope": scope});
    if let Some(tenant) = tenant {
        claims["tenant"] = tenant.into();
    }
    claims
}

fn unix_seconds() -> i64 {
    Timestamp::now().unix_millis() / 1_000
}

fn is_safe(method: &str) -> bool {
    Method::from_bytes(method.as_bytes()).expect("method").is_safe()
}
