//! Streams as answers of handlers of one's own.

use super::{emit_numbers, settle};
use crate::http::{Reply, get_with};
use axum::{
    Router,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
    routing,
};
use spanwright::{ExecutionId, Recorder, event::ExecutionEnd, log::MemoryLog, serve::Streams, wire::Dialect};
use std::net::SocketAddr;

async fn answer(State(streams): State<Streams>, path: Path<(String, String)>, headers: HeaderMap) -> Response {
    let Path((dialect, id)) = path;
    let id: ExecutionId = id.parse().expect("id");
    let dialect: Dialect = dialect.parse().expect("dialect");
    streams.of_execution(id).dialect(dialect).last_event_id(&headers).respond().await
}

/// What an `EventSource` that lost the line sends to the address that it was given.
async fn ask(addr: SocketAddr, path: String, last: Option<String>) -> Reply {
    let asked = move || match &last {
        Some(last) => get_with(addr, &path, &[("Last-Event-ID", last)]),
        None => get_with(addr, &path, &[]),
    };
    tokio::task::spawn_blocking(asked).await.expect("client")
}

async fn frames_of(addr: SocketAddr, path: &str, last: Option<&str>) -> (u16, Vec<(String, String)>) {
    let reply = ask(addr, path.to_owned(), last.map(str::to_owned)).await;
    let status = reply.status;
    let frames = tokio::task::spawn_blocking(move || match status {
        200 => reply.events().iter().map(|frame| (frame.field("data"), frame.field("id"))).map(owned).collect(),
        _ => Vec::new(),
    });
    (status, frames.await.expect("frames"))
}

fn owned((data, id): (Option<&str>, Option<&str>)) -> (String, String) {
    (data.unwrap_or_default().to_owned(), id.unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_handler_of_ones_own_goes_on_where_its_client_was() {
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
    let emitter = recorder.emitter();
    emit_numbers(&emitter, 0..5);
    emitter.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    let app = Router::new().route("/watch/{dialect}/{id}", routing::get(answer)).with_state(Streams::new(recorder));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let addr = listener.local_addr().expect("addr");
    tokio::spawn(async move { axum::serve(listener, app).await });
    for dialect in ["native", "hub", "chat"] {
        let path = format!("/watch/{dialect}/{}", emitter.execution_id());
        let (_, whole) = frames_of(addr, &path, None).await;
        for (seen, (_, cursor)) in whole.iter().enumerate().filter(|(_, (_, cursor))| !cursor.is_empty()) {
            let (status, rest) = frames_of(addr, &path, Some(cursor)).await;
            let is_told = |(data, _): &&(String, String)| !data.contains("connected") && !data.is_empty();
            let missing: Vec<_> = whole[seen + 1..].iter().filter(is_told).collect();
            assert_eq!(rest.iter().filter(is_told).collect::<Vec<_>>(), missing, "{dialect} after {cursor}");
            assert_eq!(status, if missing.is_empty() { 204 } else { 200 }, "{dialect} after {cursor}");
        }
        for none in ["", "not a cursor"] {
            assert_eq!(frames_of(addr, &path, Some(none)).await.1.len(), whole.len(), "{dialect}: {none:?}");
        }
    }
}
