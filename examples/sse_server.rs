//! The record inside an axum server of your own: its routes, and a route that starts a run and answers with its stream.
//!
//! On a terminal it goes on serving: `curl -N 'http://127.0.0.1:4400/ask?question=why'`.

use axum::{
    Router,
    extract::{Query, State},
    response::Response,
    routing::get,
};
use spanwright::{ExecutionId, serve::Streams, span, tool};
use std::{
    collections::HashMap,
    io::{IsTerminal, Write},
    net::{SocketAddr, TcpStream},
};

#[tool]
async fn search(query: &str) -> String {
    format!("a page about {query}")
}

/// Starts a run, and answers with its events while it runs. A reader who loses the line asks
/// `/record/executions/{id}/stream` for the rest: the id stands in every event.
async fn ask(State(streams): State<Streams>, Query(asked): Query<HashMap<String, String>>) -> Response {
    let question = asked.get("question").cloned().unwrap_or_default();
    let (id, run) = (ExecutionId::new(), span::agent("librarian"));
    run.execution(&id.to_string());
    tokio::spawn(run.run(async move { search(&question).await }));
    streams.of_execution(id).respond().await
}

// What curl does.
fn get_text(addr: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut tcp = TcpStream::connect(addr)?;
    write!(tcp, "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n")?;
    std::io::read_to_string(tcp)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = spanwright::init()?;
    let streams = Streams::new(guard.recorder().clone());
    let app = Router::new().route("/ask", get(ask)).nest("/record", streams.router()).with_state(streams);
    let is_watched = std::io::stdout().is_terminal();
    let listener = tokio::net::TcpListener::bind(if is_watched { "127.0.0.1:4400" } else { "127.0.0.1:0" }).await?;
    let addr = listener.local_addr()?;
    let server = tokio::spawn(async { axum::serve(listener, app).await });

    for path in ["/ask?question=rust", "/record/health"] {
        let answer = tokio::task::spawn_blocking(move || get_text(addr, path)).await??;
        let is_shown = |line: &&str| line.starts_with("event: ") || line.starts_with('{');
        answer.lines().filter(is_shown).for_each(|line| println!("{line}"));
    }
    if is_watched {
        println!("serving on http://{addr}, until Ctrl-C");
        tokio::signal::ctrl_c().await?;
    }
    Ok(server.abort())
}
