//! Whether it works, and what it did.

use super::{
    App,
    failure::{Failure, json},
};
use crate::{
    Cursor, Error, Stats,
    event::StreamMode,
    hub::{EventStream, Filter, From, HubStats},
};
use axum::{extract::State, http::StatusCode, response::Response};
use futures_core::Stream;
use serde::Serialize;
use serde_json::Value;
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// How long an event may take from the gate to a reader, and the log for an answer.
const LIMIT: Duration = Duration::from_secs(2);

/// How far an event came: `ok`, or `none` where the recorder has no such part. What fails is told with a 503.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Health {
    /// All of the following.
    status: &'static str,
    /// The gate took an event and numbered it.
    recorder: &'static str,
    /// A reader of the hub came past it.
    hub: &'static str,
    /// Everything before it is on disk.
    log: &'static str,
}

/// `GET /health`: sends an event through the gate, waits for it at a reader of the hub as every stream has one, and then
/// for the log. The event is shown to nobody and not kept; of it an offset stays, as of every piece.
pub(super) async fn health(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let deadline = Instant::now() + LIMIT;
    let reader = app.recorder.subscribe(Filter::everything().in_mode(StreamMode::Silent), From::Live);
    let live = app.recorder.probe();
    let numbered = passes(app.recorder.settle(), deadline, "recorder").await?;
    if live {
        passes(reaches(reader, numbered), deadline, "hub").await?;
    }
    let logged = app.recorder.log().is_some();
    if logged {
        passes(app.recorder.flush(), deadline, "log").await?;
    }
    let said = |there| if there { "ok" } else { "none" };
    Ok(json(&Health { status: "ok", recorder: "ok", hub: said(live), log: said(logged) }))
}

/// Done when the reader has come to this place. What it gives out on the way is not looked at.
async fn reaches(mut reader: EventStream, place: Cursor) -> Result<Cursor, Error> {
    poll_fn(|cx| {
        loop {
            match Pin::new(&mut reader).poll_next(cx) {
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) => return Poll::Ready(Err(Error::closed("the hub has ended"))),
                Poll::Pending if reader.cursor().offset < place.offset => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Ok(reader.cursor())),
            }
        }
    })
    .await
}

async fn passes(
    asked: impl Future<Output = Result<Cursor, Error>>,
    deadline: Instant,
    who: &str,
) -> Result<Cursor, Failure> {
    let why = match timeout_at(deadline, asked).await {
        Ok(Ok(cursor)) => return Ok(cursor),
        Ok(Err(error)) if error.is_closed() => format!("the {who} has shut down"),
        Ok(Err(_)) => format!("the {who} failed"),
        Err(_) => format!("the {who} did not answer within 2 s"),
    };
    Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, why))
}

/// Numbers since the start, of this process alone.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Numbers {
    /// What became of the events that were emitted.
    recorder: Stats,
    /// What readers can be given at once.
    hub: HubNumbers,
    /// Connections, streams, and what was refused.
    server: Value,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct HubNumbers {
    /// Events held.
    events: usize,
    /// Memory of these, in bytes.
    bytes: usize,
    /// Cursor of the newest event.
    newest: Cursor,
    /// Who reads, and what all of them got.
    #[serde(flatten)]
    readers: HubStats,
}

/// `GET /stats`: the recorder's numbers, what the hub holds, and this server's own.
pub(super) async fn stats(State(app): State<Arc<App>>) -> Response {
    let (hub, held) = (app.recorder.hub(), app.recorder.hub().held());
    let hub = HubNumbers { events: held.events, bytes: held.bytes, newest: hub.newest(), readers: hub.stats() };
    json(&Numbers { recorder: app.recorder.stats(), hub, server: app.counters.to_json() })
}
