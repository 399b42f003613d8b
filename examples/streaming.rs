//! A function that returns a stream: its span is open to the last item, and what the chunks say is told as they come.
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use spanwright::{
    Recorder, agent,
    event::Body,
    hub::{Filter, From, Received},
    llm,
};
use std::{thread::JoinHandle, time::Duration};

/// Stands for an HTTP call: chunks of OpenAI's Chat Completions. Those of Responses, Messages and Gemini are known as well.
#[llm]
fn complete(model: &str, prompt: &str) -> impl Stream<Item = Result<Value, std::io::Error>> + use<> {
    let delta = |text: &str| chunk(json!({"choices": [{"index": 0, "delta": {"content": text}}]}));
    let mut chunks: Vec<Value> = ["The sky ", "is blue ", "because of ", prompt, "."].map(delta).into();
    chunks.push(chunk(json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})));
    chunks.push(chunk(json!({"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 9}})));
    stream::iter(chunks).map(Ok)
}

fn chunk(mut chunk: Value) -> Value {
    (chunk["object"], chunk["model"]) = ("chat.completion.chunk".into(), "gpt-4o-2024-11-20".into());
    chunk
}

#[agent]
async fn sky() -> String {
    let mut answer = String::new();
    let mut chunks = complete("gpt-4o", "Rayleigh scattering");
    while let Some(Ok(chunk)) = chunks.next().await {
        answer += chunk["choices"][0]["delta"]["content"].as_str().unwrap_or_default();
    }
    answer
}

/// Who watches sees every piece as it comes.
fn watch(recorder: &Recorder) -> JoinHandle<Vec<String>> {
    let mut events = recorder.subscribe(Filter::everything(), From::Live);
    std::thread::spawn(move || {
        let mut pieces = Vec::new();
        while let Received::Event(event) = events.recv_timeout(Duration::from_secs(60)) {
            match event.body {
                Body::TextDelta(piece) => pieces.push(piece.delta.to_string()),
                Body::ExecutionEnd(_) => break,
                _ => {}
            }
        }
        pieces
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = spanwright::init()?;
    let watcher = watch(guard.recorder());
    println!("{}", sky().await);
    println!("{:?}", watcher.join().map_err(|_| "the watcher panicked")?);
    Ok(())
}
