//! Errors that come in mid-stream, in the forms of all providers.

use serde_json::Value;

use crate::span::Failure;

/// What went wrong, if the chunk says so: Chat Completions, Messages and Gemini send `error` as an object, Responses
/// sends it as the event itself or inside the response that failed.
pub(super) fn of(chunk: &Value) -> Option<Failure> {
    let error = error(chunk)?;
    let message = error["message"].as_str().unwrap_or("the provider gave no reason");
    let class = ["type", "status", "code"].iter().find_map(|key| word(&error[key]));
    Some(Failure::new(class.unwrap_or_else(|| "_OTHER".to_owned()), message))
}

fn error(chunk: &Value) -> Option<&Value> {
    if chunk["type"] == "response.failed" {
        return Some(&chunk["response"]["error"]);
    }
    let inside = if chunk["error"].is_object() { &chunk["error"] } else { chunk };
    // Without a message it may be anything: an item of the user's own has the word too.
    let is_one = inside["message"].is_string() && (chunk["error"].is_object() || chunk["type"] == "error");
    is_one.then_some(inside)
}

/// A class of error, by name or by number. `error` is the name of the event and says nothing.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() && text != "error" => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
