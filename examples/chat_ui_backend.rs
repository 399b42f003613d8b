//! What a `useChat` front end of the AI SDK posts to (`/api/chat`), and resumes from when its line was cut. It listens on
//! port 4400, or on the one that is named.

use axum::{Json, Router, extract, http::StatusCode, response::Response, routing};
use serde_json::Value;
use spanwright::{ExecutionId, llm, serve::Streams, span, tool, wire::Dialect};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

#[tool]
async fn search(query: &str) -> String {
    format!("a page about {query}")
}

/// Stands for a model that writes word by word.
#[llm]
async fn complete(model: &str, found: &str) {
    for word in ["There ", "is ", found, "."] {
        span::text_delta(word);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// The streams, and the newest run of each chat. A server for many forgets old ones, and asks who is there.
#[derive(Clone)]
struct Chats(Streams, Arc<Mutex<HashMap<String, ExecutionId>>>);

async fn ask(extract::State(Chats(streams, runs)): extract::State<Chats>, Json(asked): Json<Value>) -> Response {
    let (chat, parts) = (asked["id"].as_str().unwrap_or_default(), &asked["messages"].as_array());
    let last = parts.and_then(|all| all.last()?["parts"].as_array()).into_iter().flatten();
    let question: String = last.filter_map(|part| part["text"].as_str()).collect();
    let (id, run) = (ExecutionId::new(), span::agent("librarian"));
    run.execution(&id.to_string()).session(chat);
    runs.lock().expect("runs").insert(chat.to_owned(), id.clone());
    tokio::spawn(run.run(async move { complete("m-1", &search(&question).await).await }));
    streams.of_execution(id).dialect(Dialect::AiSdkUi).respond().await
}

/// The run that goes on, from its beginning, as `useChat` wants it; 204 where none does.
async fn resume(chats: extract::State<Chats>, chat: extract::Path<String>) -> Result<Response, StatusCode> {
    let id = chats.1.lock().expect("runs").get(&chat.0).cloned().ok_or(StatusCode::NO_CONTENT)?;
    Ok(chats.0.0.of_execution(id).dialect(Dialect::AiSdkUi).respond_if_running().await)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = spanwright::init()?;
    let chats = Chats(Streams::new(guard.recorder().clone()), Arc::default());
    let (asked, resumed) = (routing::post(ask), routing::get(resume));
    let app = Router::new().route("/api/chat", asked).route("/api/chat/{id}/stream", resumed).with_state(chats);
    let port = std::env::args().nth(1).unwrap_or("4400".to_owned()).parse()?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}/api/chat, until Ctrl-C", listener.local_addr()?);
    let stopped = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    Ok(axum::serve(listener, app).with_graceful_shutdown(stopped).await?)
}
