//! OpenAI's Responses events.

use serde_json::Value;

use super::answer::{Answer, Usage};

#[derive(Debug, Default)]
pub(super) struct Responses {
    refused: bool,
    ended: bool,
}

impl Responses {
    pub(super) fn is(chunk: &Value) -> bool {
        chunk["type"].as_str().is_some_and(|name| name.starts_with("response."))
    }

    /// Whether one of the events came with which a response always ends.
    pub(super) fn is_complete(&self) -> bool {
        self.ended
    }

    pub(super) fn read(&mut self, event: &Value, answer: &mut Answer<'_>) {
        let piece = event["delta"].as_str().unwrap_or_default();
        match event["type"].as_str().unwrap_or_default() {
            "response.output_text.delta" => answer.text(piece),
            "response.refusal.delta" => {
                self.refused = true;
                answer.text(piece);
            }
            "response.reasoning_text.delta" | "response.reasoning_summary_text.delta" => answer.reasoning(piece),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                answer.call_input(place(event), piece);
            }
            "response.output_item.added" => begin_call(event, answer),
            "response.output_item.done" => {
                answer.text_ends();
                // Where no pieces came, the call is told as a whole.
                begin_call(event, answer);
            }
            "response.content_part.done" | "response.reasoning_summary_part.done" => answer.text_ends(),
            "response.created" | "response.in_progress" | "response.queued" => identity(&event["response"], answer),
            "response.completed" | "response.incomplete" | "response.failed" => self.end(&event["response"], answer),
            _ => {}
        }
    }

    fn end(&mut self, response: &Value, answer: &mut Answer<'_>) {
        self.ended = true;
        identity(response, answer);
        answer.usage(counted(&response["usage"]));
        let cut = response["incomplete_details"]["reason"].as_str();
        match cut.or_else(|| response["status"].as_str()) {
            Some("failed") | None => {}
            Some("completed") if self.refused => answer.finish(0, "refusal"),
            Some(reason) => answer.finish(0, reason),
        }
    }
}

fn identity(response: &Value, answer: &mut Answer<'_>) {
    answer.id(&response["id"]);
    answer.model(&response["model"]);
}

/// Only calls that the program will run: those of the provider's own tools have no tool of ours to meet.
fn begin_call(event: &Value, answer: &mut Answer<'_>) {
    let (item, place) = (&event["item"], place(event));
    let input = match item["type"].as_str() {
        Some("function_call") => &item["arguments"],
        Some("custom_tool_call") => &item["input"],
        _ => return,
    };
    if !answer.has_call(place) {
        let tool = item["name"].as_str().unwrap_or_default();
        answer.call(place, item["call_id"].as_str(), tool, input.as_str().unwrap_or_default());
    }
}

fn place(event: &Value) -> u64 {
    event["output_index"].as_u64().unwrap_or(0)
}

/// `input_tokens` includes what was cached, `output_tokens` what was reasoned.
fn counted(usage: &Value) -> Usage {
    Usage {
        input: usage["input_tokens"].as_u64(),
        output: usage["output_tokens"].as_u64(),
        cached: usage["input_tokens_details"]["cached_tokens"].as_u64(),
        cache_creation: usage["input_tokens_details"]["cache_write_tokens"].as_u64(),
        reasoning: usage["output_tokens_details"]["reasoning_tokens"].as_u64(),
    }
}
