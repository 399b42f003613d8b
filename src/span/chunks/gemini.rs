//! Gemini's `generateContent` stream. It has no event that ends it, and says nothing of how complete it is.

use serde_json::Value;

use super::answer::{Answer, Usage};

pub(super) fn is(chunk: &Value) -> bool {
    chunk["candidates"].is_array() || chunk["usageMetadata"].is_object() || chunk["promptFeedback"].is_object()
}

pub(super) fn read(chunk: &Value, answer: &mut Answer<'_>) {
    answer.id(&chunk["responseId"]);
    answer.model(&chunk["modelVersion"]);
    // A prompt that was not let through has no candidate.
    if let Some(reason) = chunk["promptFeedback"]["blockReason"].as_str() {
        answer.finish(0, reason);
    }
    for candidate in chunk["candidates"].as_array().into_iter().flatten() {
        read_candidate(candidate, answer);
    }
    answer.usage(counted(&chunk["usageMetadata"]));
}

/// Text and calls of the first candidate only: pieces of several answers are no text.
fn read_candidate(candidate: &Value, answer: &mut Answer<'_>) {
    let index = candidate["index"].as_u64().unwrap_or(0);
    let parts = candidate["content"]["parts"].as_array().filter(|_| index == 0);
    for part in parts.into_iter().flatten() {
        read_part(part, answer);
    }
    if let Some(reason) = candidate["finishReason"].as_str() {
        answer.finish(index, reason);
    }
}

fn read_part(part: &Value, answer: &mut Answer<'_>) {
    let text = part["text"].as_str().unwrap_or_default();
    match part["thought"] == true {
        true => answer.reasoning(text),
        false => answer.text(text),
    }
    let call = &part["functionCall"];
    if let Some(tool) = call["name"].as_str() {
        answer.whole_call(call["id"].as_str(), tool, &call["args"]);
    }
}

/// `promptTokenCount` includes what was cached but not what the provider's own tools put into the prompt, and
/// `candidatesTokenCount` leaves the thoughts out.
fn counted(usage: &Value) -> Usage {
    let count = |name: &str| usage[name].as_u64();
    let sum = |of: Option<u64>, and: Option<u64>| match (of, and) {
        (None, None) => None,
        (of, and) => Some(of.unwrap_or(0).saturating_add(and.unwrap_or(0))),
    };
    Usage {
        input: count("promptTokenCount").and_then(|prompt| sum(Some(prompt), count("toolUsePromptTokenCount"))),
        output: sum(count("candidatesTokenCount"), count("thoughtsTokenCount")),
        cached: count("cachedContentTokenCount"),
        cache_creation: None,
        reasoning: count("thoughtsTokenCount"),
    }
}
