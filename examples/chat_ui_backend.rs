//! What a `useChat` front end of the AI SDK posts to, and comes back to when its line was cut.
//!
//! Its `DefaultChatTransport` posts to `/api/chat` and, with `resume: true`, asks `/api/chat/{id}/stream` first. On a
//! terminal this goes on serving, on port 4400.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use spanwright::{ExecutionId, serve::Streams, span, tool, wire::Dialect};
use std::{collections::HashMap, io::IsTerminal, sync::Arc, sync::Mutex};

/// The streams, and the newest run of each chat. (A server of many users forgets old ones.)
#[derive(Clone)]
struct Chats(Streams, Arc<Mutex<HashMap<String, ExecutionId>>>);

#[tool]
async fn search(query: &str) -> String {
    format!("a page about {query}")
}

async fn ask(State(Chats(streams, runs)): State<Chats>, Json(asked): Json<Value>) -> Response {
    let chat = asked["id"].as_str().unwrap_or_default().to_owned();
    let parts = asked["messages"].as_array().and_then(|all| all.last()?["parts"].as_array().cloned());
    let question: String = parts.unwrap_or_default().iter().filter_map(|part| part["text"].as_str()).collect();
    let (id, run) = (ExecutionId::new(), span::agent("librarian"));
    run.execution(&id.to_string()).session(&chat);
    runs.lock().expect("runs").insert(chat, id.clone());
    tokio::spawn(run.run(async move { format!("There is {}.", search(&question).await) }));
    streams.of_execution(id).dialect(Dialect::AiSdkUi).respond().await
}

/// 204 where nothing runs; else the run from its beginning, as the client expects it.
async fn resume(State(Chats(streams, runs)): State<Chats>, Path(chat): Path<String>) -> Response {
    let run = runs.lock().expect("runs").get(&chat).cloned();
    let Some(id) = run else { return StatusCode::NO_CONTENT.into_response() };
    streams.of_execution(id).dialect(Dialect::AiSdkUi).respond_if_running().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = spanwright::init()?;
    let chats = Chats(Streams::new(guard.recorder().clone()), Arc::default());
    let app = Router::new().route("/api/chat", post(ask)).route("/api/chat/{id}/stream", get(resume)).with_state(chats);
    let is_watched = std::io::stdout().is_terminal();
    let listener = tokio::net::TcpListener::bind(if is_watched { "127.0.0.1:4400" } else { "127.0.0.1:0" }).await?;
    let url = format!("http://{}/api/chat", listener.local_addr()?);
    let server = tokio::spawn(async { axum::serve(listener, app).await });
    let asked = json!({"id": "c1", "messages": [{"role": "user", "parts": [{"type": "text", "text": "the sky"}]}]});
    let answer = post_json(&url, &asked).await?;
    println!("{answer}");
    if is_watched {
        server.await??
    }
    Ok(())
}
