//! A model behind OpenAI's chat-completions protocol, streamed and whole: it asks for the tool that it is offered, once,
//! and then answers. The model `failing` has none.

use axum::{
    Json, Router,
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
    routing::post,
};
use serde_json::{Value, json};
use std::{convert::Infallible, sync::OnceLock};

/// The base URL. One server for all tests, on a thread of its own until they are over.
pub(super) fn url() -> String {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(start).clone()
}

fn start() -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.set_nonblocking(true).expect("non-blocking");
    let url = format!("http://{}/v1", listener.local_addr().expect("address"));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("listener");
            let app = Router::new().route("/v1/chat/completions", post(answer)).route("/v1/embeddings", post(embed));
            axum::serve(listener, app).await
        })
    });
    url
}

async fn embed() -> Json<Value> {
    let data = json!([{ "object": "embedding", "index": 0, "embedding": [0.5, 0.25] }]);
    Json(json!({ "object": "list", "model": "em-1", "data": data, "usage": { "prompt_tokens": 6, "total_tokens": 6 } }))
}

async fn answer(Json(request): Json<Value>) -> Response {
    if request["model"] == "failing" {
        let error = json!({ "error": { "message": "no model", "type": "server_error" } });
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(error)).into_response();
    }
    match request["stream"] == true {
        true => streamed(&request).into_response(),
        false => Json(whole(&request)).into_response(),
    }
}

fn usage() -> Value {
    json!({
        "prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14,
        "prompt_tokens_details": { "cached_tokens": 4 }, "completion_tokens_details": { "reasoning_tokens": 1 },
    })
}

/// The call of the first tool that is offered, until its result is there.
fn tool_call(request: &Value) -> Option<Value> {
    let tool = request["tools"].get(0)?["function"]["name"].as_str()?;
    let answered = request["messages"].as_array()?.iter().any(|message| message["role"] == "tool");
    let call = json!({ "index": 0, "id": "call_1", "type": "function", "function": { "name": tool, "arguments": "{\"q\":\"sky\"}" } });
    (!answered).then_some(call)
}

fn message(request: &Value) -> (Value, &'static str) {
    match tool_call(request) {
        Some(call) => (json!({ "role": "assistant", "content": null, "tool_calls": [call] }), "tool_calls"),
        None => (json!({ "role": "assistant", "content": "Because of air." }), "stop"),
    }
}

fn whole(request: &Value) -> Value {
    let (message, reason) = message(request);
    json!({
        "id": "resp_1", "object": "chat.completion", "created": 1, "model": "answering-1",
        "choices": [{ "index": 0, "message": message, "finish_reason": reason }], "usage": usage(),
    })
}

fn streamed(request: &Value) -> Sse<impl futures_util::Stream<Item = Result<Event, Infallible>> + use<>> {
    let (message, reason) = message(request);
    let chunk = |delta: Value, reason: Value| {
        json!({
            "id": "resp_1", "object": "chat.completion.chunk", "created": 1, "model": "answering-1",
            "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }],
        })
    };
    let mut chunks = vec![chunk(message, Value::Null), chunk(json!({}), json!(reason))];
    chunks.push(json!({ "id": "resp_1", "object": "chat.completion.chunk", "created": 1, "model": "answering-1", "choices": [], "usage": usage() }));
    let data = chunks.into_iter().map(|chunk| chunk.to_string()).chain(["[DONE]".to_owned()]);
    let events: Vec<_> = data.map(|data| Ok(Event::default().data(data))).collect();
    Sse::new(futures_util::stream::iter(events))
}
