//! rig's stream items: those of a completion (`Item<StreamEvent>`), and those of an agent's run around them
//! (`MultiTurnStreamItem`). rig tells a broken stream itself, by an `Err`.

use serde_json::Value;

use super::answer::{Answer, Usage};

/// A run of an agent calls its model several times; what a model call used is told when it is over.
#[derive(Debug, Default)]
pub(super) struct Rig {
    used: Usage,
}

impl Rig {
    pub(super) fn is(chunk: &Value) -> bool {
        let item = matches!(chunk["item"].as_str(), Some("event" | "unknown")) && !chunk["value"].is_null();
        let known = ["streamAssistantItem", "completionCall", "modelTurnRetried", "finalResponse"];
        item || chunk["type"].as_str().is_some_and(|name| known.contains(&name))
    }

    pub(super) fn read(&mut self, item: &Value, answer: &mut Answer<'_>) {
        match item["type"].as_str() {
            Some("completionCall") => self.call_is_over(item, answer),
            Some("finalResponse") => answer.usage(counted(&item["usage"])),
            _ if item["item"] == "event" => read_event(&item["value"], answer),
            _ => {}
        }
    }

    fn call_is_over(&mut self, call: &Value, answer: &mut Answer<'_>) {
        answer.id(&call["response_id"]);
        let reason = &call["finish_reason"];
        if let Some(reason) = reason.as_str().or_else(|| reason["other"].as_str()) {
            answer.finish(call["call_index"].as_u64().unwrap_or(0), reason);
        }
        self.used = sum(self.used, counted(&call["usage"]));
        answer.usage(self.used);
    }
}

fn read_event(event: &Value, answer: &mut Answer<'_>) {
    let piece = event["text"].as_str().unwrap_or_default();
    match event["event"].as_str() {
        Some("text") => answer.text(piece),
        Some("reasoning") => answer.reasoning(piece),
        Some("end") => end(&event["content"], answer),
        _ => {}
    }
}

/// A call's id stands only at its end, so its input is told there, as a whole.
fn end(content: &Value, answer: &mut Answer<'_>) {
    if content["type"] != "toolcall" {
        return answer.text_ends();
    }
    let (id, function) = (&content["id"], &content["function"]);
    let id = id["provider"].as_str().or_else(|| id["local"].as_str());
    answer.whole_call(id, function["name"].as_str().unwrap_or_default(), &function["arguments"]);
}

fn counted(usage: &Value) -> Usage {
    let count = |name: &str| usage[name].as_u64();
    Usage {
        input: count("input_tokens"),
        output: count("output_tokens"),
        cached: count("cached_input_tokens"),
        cache_creation: count("cache_creation_input_tokens"),
        reasoning: count("reasoning_tokens"),
    }
}

fn sum(one: Usage, other: Usage) -> Usage {
    let add = |one: Option<u64>, other: Option<u64>| match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    };
    Usage {
        input: add(one.input, other.input),
        output: add(one.output, other.output),
        cached: add(one.cached, other.cached),
        cache_creation: add(one.cache_creation, other.cache_creation),
        reasoning: add(one.reasoning, other.reasoning),
    }
}
