//! Whether it works, and what it did.

use super::{
    App,
    failure::{Failure, json},
};
use crate::{Cursor, Pending};
use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::json as value;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// How long an event may take from the gate to the hub and the log.
const LIMIT: Duration = Duration::from_secs(2);

/// `GET /health`: goes the way of an event, through the queue to the hub and into the log, and says how far it came.
pub(super) async fn health(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let deadline = Instant::now() + LIMIT;
    passes(app.recorder.settle(), deadline, "recorder").await?;
    let log = app.recorder.log().is_some();
    if log {
        passes(app.recorder.flush(), deadline, "log").await?;
    }
    Ok(json(&value!({"status": "ok", "recorder": "ok", "log": if log { "ok" } else { "none" }})))
}

async fn passes(asked: Pending<Cursor>, deadline: Instant, who: &str) -> Result<(), Failure> {
    let why = match timeout_at(deadline, asked).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) if error.is_closed() => format!("the {who} has shut down"),
        Ok(Err(_)) => format!("the {who} failed"),
        Err(_) => format!("the {who} did not answer within 2 s"),
    };
    Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, why))
}

/// `GET /stats`: the recorder's numbers, what the hub holds, and this server's own.
pub(super) async fn stats(State(app): State<Arc<App>>) -> Response {
    let (hub, held) = (app.recorder.hub(), app.recorder.hub().held());
    json(&value!({
        "recorder": app.recorder.stats(),
        "hub": {"events": held.events, "bytes": held.bytes, "newest": hub.newest()},
        "server": app.counters.to_json(),
    }))
}
