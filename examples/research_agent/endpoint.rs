//! A local HTTP endpoint that speaks OpenAI's chat-completions protocol, streamed and whole, with scripted answers.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::script::{self, Reply};

const CHUNK: usize = 20;

/// Serves on a free port of the loopback address until the program ends; returns the base URL.
pub(crate) async fn start() -> std::io::Result<String> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let app = axum::Router::new().route("/v1/chat/completions", post(complete));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(format!("http://{address}/v1"))
}

async fn complete(Json(request): Json<Value>) -> Response {
    // Lets a person see what a failing provider looks like: OPENAI_MODEL=scripted-error.
    if request["model"] == "scripted-error" {
        let error = json!({"error": {"message": "the script was asked to fail", "type": "server_error"}});
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(error)).into_response();
    }
    static SERVED: AtomicU64 = AtomicU64::new(1);
    let number = SERVED.fetch_add(1, Ordering::Relaxed);
    let head = Head { id: format!("chatcmpl-scripted-{number}"), model: request["model"].clone() };
    let reply = script::reply_to(&request);
    let answer = if request["stream"] == true {
        streamed(head.chunks(&request, &reply))
    } else {
        Json(head.whole(&request, &reply)).into_response()
    };
    ([("x-request-id", format!("req_scripted_{number}"))], answer).into_response()
}

/// One chunk at a time with a pause before each, as from a model that thinks while it writes.
fn streamed(chunks: Vec<Value>) -> Response {
    let data = chunks.into_iter().map(|chunk| chunk.to_string()).chain(["[DONE]".to_owned()]);
    let events = futures_util::stream::iter(data.enumerate()).then(|(index, data)| async move {
        tokio::time::sleep(Duration::from_millis(10 + index as u64 % 3 * 10)).await;
        Ok::<_, Infallible>(Event::default().data(data))
    });
    Sse::new(events).into_response()
}

struct Head {
    id: String,
    model: Value,
}

impl Head {
    fn whole(&self, request: &Value, reply: &Reply) -> Value {
        let calls: Vec<Value> = (0..reply.calls.len()).map(|index| self.call(reply, index)).collect();
        let mut message = json!({ "role": "assistant", "content": reply.text });
        if !calls.is_empty() {
            message["tool_calls"] = Value::Array(calls);
        }
        if !reply.reasoning.is_empty() {
            message["reasoning_content"] = json!(reply.reasoning);
        }
        json!({
            "id": self.id, "object": "chat.completion", "created": created(), "model": self.model,
            "choices": [{ "index": 0, "message": message, "finish_reason": finish_reason(reply) }],
            "usage": usage(request, reply),
        })
    }

    fn chunks(&self, request: &Value, reply: &Reply) -> Vec<Value> {
        let mut deltas = vec![json!({ "role": "assistant", "content": "" })];
        deltas.extend(pieces(&reply.reasoning).map(|piece| json!({ "reasoning_content": piece })));
        deltas.extend(pieces(&reply.text).map(|piece| json!({ "content": piece })));
        for index in 0..reply.calls.len() {
            deltas.extend(self.call_deltas(reply, index));
        }
        let mut chunks: Vec<Value> = deltas.into_iter().map(|delta| self.chunk(delta, Value::Null)).collect();
        chunks.push(self.chunk(json!({}), json!(finish_reason(reply))));
        if request["stream_options"]["include_usage"] == true {
            chunks.push(self.usage_chunk(request, reply));
        }
        chunks
    }

    fn chunk(&self, delta: Value, finish_reason: Value) -> Value {
        json!({
            "id": self.id, "object": "chat.completion.chunk", "created": created(), "model": self.model,
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish_reason }],
        })
    }

    /// The last chunk has no choice at all, only the bill.
    fn usage_chunk(&self, request: &Value, reply: &Reply) -> Value {
        json!({
            "id": self.id, "object": "chat.completion.chunk", "created": created(), "model": self.model,
            "choices": [], "usage": usage(request, reply),
        })
    }

    /// Id and name come first with empty arguments, then the arguments in pieces that are no JSON on their own.
    fn call_deltas(&self, reply: &Reply, index: usize) -> Vec<Value> {
        let mut opening = self.call(reply, index);
        let arguments = opening["function"]["arguments"].take();
        opening["function"]["arguments"] = json!("");
        opening["index"] = json!(index);
        let mut deltas = vec![json!({ "tool_calls": [opening] })];
        deltas.extend(
            pieces(arguments.as_str().unwrap_or_default())
                .map(|piece| json!({ "tool_calls": [{ "index": index, "function": { "arguments": piece } }] })),
        );
        deltas
    }

    fn call(&self, reply: &Reply, index: usize) -> Value {
        let call = &reply.calls[index];
        json!({
            "id": format!("call_{}_{index}", self.id.trim_start_matches("chatcmpl-")), "type": "function",
            "function": { "name": call.name, "arguments": call.arguments.to_string() },
        })
    }
}

fn finish_reason(reply: &Reply) -> &'static str {
    if reply.calls.is_empty() { "stop" } else { "tool_calls" }
}

/// Four characters count as one token; what an earlier turn sent already counts as cached.
fn usage(request: &Value, reply: &Reply) -> Value {
    let sizes: Vec<usize> = script::messages(request).iter().map(|m| m.to_string().len() / 4).collect();
    let asked = script::messages(request).iter().rposition(|m| m["role"] == "assistant").unwrap_or(0);
    let calls: usize = reply.calls.iter().map(|call| call.arguments.to_string().len() / 4 + 8).sum();
    let reasoning = reply.reasoning.len() / 4;
    let (prompt, output) = (sizes.iter().sum::<usize>(), reply.text.len() / 4 + calls + reasoning);
    json!({
        "prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output,
        "prompt_tokens_details": { "cached_tokens": sizes[..asked].iter().sum::<usize>() },
        "completion_tokens_details": { "reasoning_tokens": reasoning },
    })
}

fn pieces(text: &str) -> impl Iterator<Item = String> {
    let letters: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = letters.chunks(CHUNK).map(|piece| piece.iter().collect()).collect();
    pieces.into_iter()
}

fn created() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}
