//! Anthropic's Messages events.

use serde_json::Value;

use super::answer::{Answer, Usage};

#[derive(Debug, Default)]
pub(super) struct Anthropic {
    counts: Counts,
    stopped: bool,
}

/// The provider's own counts: its `input_tokens` are only those that no cache was asked for.
#[derive(Debug, Default)]
struct Counts {
    uncached: Option<u64>,
    cache_read: Option<u64>,
    cache_creation: Option<u64>,
}

impl Anthropic {
    pub(super) fn is(chunk: &Value) -> bool {
        let name = chunk["type"].as_str().unwrap_or_default();
        matches!(name, "message_start" | "message_delta" | "message_stop") || name.starts_with("content_block_")
    }

    /// Whether `message_stop` came.
    pub(super) fn is_complete(&self) -> bool {
        self.stopped
    }

    pub(super) fn read(&mut self, event: &Value, answer: &mut Answer<'_>) {
        match event["type"].as_str().unwrap_or_default() {
            "message_start" => self.start(&event["message"], answer),
            "content_block_start" => begin_block(event, answer),
            "content_block_delta" => read_delta(event, answer),
            "content_block_stop" => answer.text_ends(),
            "message_delta" => self.finish(event, answer),
            "message_stop" => self.stopped = true,
            // Pings, and kinds of a later version, which the protocol says to expect.
            _ => {}
        }
    }

    /// The output that a start counts is that of its first token: it is not told, for the stream may be cut after it.
    fn start(&mut self, message: &Value, answer: &mut Answer<'_>) {
        answer.id(&message["id"]);
        answer.model(&message["model"]);
        let usage = self.counts.add(&message["usage"]);
        answer.usage(Usage { output: None, reasoning: None, ..usage });
    }

    fn finish(&mut self, event: &Value, answer: &mut Answer<'_>) {
        if let Some(reason) = event["delta"]["stop_reason"].as_str() {
            answer.finish(0, reason);
        }
        answer.usage(self.counts.add(&event["usage"]));
    }
}

impl Counts {
    /// Takes in counts that replace the earlier ones, since they are cumulative.
    fn add(&mut self, usage: &Value) -> Usage {
        let latest = |name: &str, known: Option<u64>| usage[name].as_u64().or(known);
        self.uncached = latest("input_tokens", self.uncached);
        self.cache_read = latest("cache_read_input_tokens", self.cache_read);
        self.cache_creation = latest("cache_creation_input_tokens", self.cache_creation);
        let cached = self.cache_read.unwrap_or(0).saturating_add(self.cache_creation.unwrap_or(0));
        Usage {
            input: self.uncached.map(|uncached| uncached.saturating_add(cached)),
            output: usage["output_tokens"].as_u64(),
            cached: self.cache_read,
            cache_creation: self.cache_creation,
            reasoning: usage["output_tokens_details"]["thinking_tokens"].as_u64(),
        }
    }
}

/// Only calls that the program will run: `server_tool_use` and `mcp_tool_use` are run by the provider.
fn begin_block(event: &Value, answer: &mut Answer<'_>) {
    let block = &event["content_block"];
    match block["type"].as_str().unwrap_or_default() {
        "text" => answer.text(block["text"].as_str().unwrap_or_default()),
        "thinking" => answer.reasoning(block["thinking"].as_str().unwrap_or_default()),
        "tool_use" => {
            let tool = block["name"].as_str().unwrap_or_default();
            answer.call(place(event), block["id"].as_str(), tool, "");
        }
        _ => {}
    }
}

fn read_delta(event: &Value, answer: &mut Answer<'_>) {
    let delta = &event["delta"];
    let piece = |name: &str| delta[name].as_str().unwrap_or_default();
    match piece("type") {
        "text_delta" => answer.text(piece("text")),
        "thinking_delta" => answer.reasoning(piece("thinking")),
        "input_json_delta" => answer.call_input(place(event), piece("partial_json")),
        _ => {}
    }
}

fn place(event: &Value) -> u64 {
    event["index"].as_u64().unwrap_or(0)
}
