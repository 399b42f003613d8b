//! OpenAI's Chat Completions chunks, as its many imitators send them too.

use std::collections::BTreeMap;

use serde_json::Value;

use super::answer::{Answer, MAX_PARTS, Usage, as_text};

/// An answer of one or more choices. Text and tool calls are told of the first choice only: pieces of several answers
/// are no text.
#[derive(Debug, Default)]
pub(super) struct Chat {
    choices: BTreeMap<u64, Choice>,
    /// Whether `[DONE]` came, or a choice said why it stopped.
    ended: bool,
}

#[derive(Debug, Default)]
struct Choice {
    refused: bool,
    finished: bool,
}

impl Chat {
    pub(super) fn is(chunk: &Value) -> bool {
        chunk["choices"].is_array()
    }

    pub(super) fn done(&mut self) {
        self.choices.values_mut().for_each(|choice| choice.finished = true);
        self.ended = true;
    }

    pub(super) fn read(&mut self, chunk: &Value, answer: &mut Answer<'_>) {
        answer.id(&chunk["id"]);
        answer.model(&chunk["model"]);
        for choice in chunk["choices"].as_array().into_iter().flatten() {
            self.read_choice(choice, answer);
        }
        for usage in [&chunk["usage"], &chunk["x_groq"]["usage"]] {
            answer.usage(counted(usage));
        }
    }

    /// Whether each choice has said why it stopped.
    pub(super) fn is_complete(&self) -> bool {
        self.ended && self.choices.values().all(|choice| choice.finished)
    }

    fn read_choice(&mut self, choice: &Value, answer: &mut Answer<'_>) {
        let index = choice["index"].as_u64().unwrap_or(0);
        if self.choices.len() >= MAX_PARTS && !self.choices.contains_key(&index) {
            return;
        }
        let known = self.choices.entry(index).or_default();
        let delta = if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] };
        known.refused |= delta["refusal"].as_str().is_some_and(|text| !text.is_empty());
        if index == 0 {
            read_delta(delta, answer);
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            known.finished = true;
            self.ended = true;
            answer.finish(index, if known.refused { "refusal" } else { reason });
        }
    }
}

fn read_delta(delta: &Value, answer: &mut Answer<'_>) {
    // DeepSeek and xAI say `reasoning_content`, OpenRouter and Groq `reasoning`; some say the same under both names.
    let reasoning = delta["reasoning_content"].as_str().or_else(|| delta["reasoning"].as_str());
    answer.reasoning(reasoning.unwrap_or_default());
    answer.text(delta["content"].as_str().unwrap_or_default());
    answer.text(delta["refusal"].as_str().unwrap_or_default());
    for (at, call) in delta["tool_calls"].as_array().into_iter().flatten().enumerate() {
        read_call(at as u64, call, answer);
    }
    let call = &delta["function_call"];
    if call.is_object() {
        answer.call(0, None, call["name"].as_str().unwrap_or_default(), &as_text(&call["arguments"]));
    }
}

fn read_call(at: u64, call: &Value, answer: &mut Answer<'_>) {
    let (tool, input) = match call["custom"].is_object() {
        true => (&call["custom"]["name"], &call["custom"]["input"]),
        false => (&call["function"]["name"], &call["function"]["arguments"]),
    };
    let place = call["index"].as_u64().unwrap_or(at);
    answer.call(place, call["id"].as_str(), tool.as_str().unwrap_or_default(), &as_text(input));
}

/// `prompt_tokens` includes what was cached, `completion_tokens` what was reasoned.
fn counted(usage: &Value) -> Usage {
    let (prompt, completion) = (&usage["prompt_tokens_details"], &usage["completion_tokens_details"]);
    Usage {
        input: usage["prompt_tokens"].as_u64(),
        output: usage["completion_tokens"].as_u64(),
        cached: prompt["cached_tokens"].as_u64().or_else(|| usage["prompt_cache_hit_tokens"].as_u64()),
        cache_creation: prompt["cache_write_tokens"].as_u64(),
        reasoning: completion["reasoning_tokens"].as_u64(),
    }
}
