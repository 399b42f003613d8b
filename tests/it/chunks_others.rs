//! What the chunks of Anthropic and Gemini and the items of rig tell: whole answers, as they come over the wire.

use crate::chunks::{check, check_reading, tape};
use expect_test::expect;
use rig::{agent::MultiTurnStreamItem, streaming::Item, streaming::StreamEvent as RigEvent};
use serde_json::{Value, json};

#[test]
fn a_message_tells_thinking_text_and_tools_and_counts_what_was_cached_as_input() {
    check(
        tape!("anthropic_tools"),
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 reasoning-start {}
            s2 reasoning-delta {"delta":"I need"}
            s2 reasoning-delta {"delta":" a search."}
            s2 reasoning-end {"final_text":"I need a search."}
            s2 text-start {}
            s2 text-delta {"delta":"Let me"}
            s2 text-delta {"delta":" look."}
            s2 text-end {"final_text":"Let me look."}
            s2 in s2 tool-input-start {"tool_call_id":"toolu_01T1x1","tool_name":"search"}
            s2 tool-input-delta {"input_text_delta":"{\"q\":","tool_call_id":"toolu_01T1x1"}
            s2 tool-input-delta {"input_text_delta":" \"sky\"}","tool_call_id":"toolu_01T1x1"}
            s2 llm-call-end {"cache_creation_tokens":100,"cached_tokens":2000,"completion_tokens":89,"finish_reasons":["tool_use"],"model":"claude-sonnet-4-5-20250929","prompt_tokens":2125,"response_id":"msg_01XFDUDYJgAACzvnptvVoYEL","total_tokens":2214,"usage":"reported"}
            s2 token-usage {"cache_creation_tokens":100,"cached_tokens":2000,"completion_tokens":89,"cost_source":"local","cost_usd":0.002385,"cumulative_cost_usd":0.002385,"cumulative_tokens":2214,"model":"claude-sonnet-4-5-20250929","prompt_tokens":2125,"total_tokens":2214}
            s2 tool-output-error {"error":"the model asked for it; no run of it was seen","outcome":"unanswered","tool_call_id":"toolu_01T1x1","tool_name":"search"}
        "#]],
    );
}

#[test]
fn each_text_block_of_a_message_is_a_text_of_its_own() {
    check(
        tape!("anthropic_text"),
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 text-start {}
            s2 text-delta {"delta":"Hello"}
            s2 text-delta {"delta":"!"}
            s2 text-end {"final_text":"Hello!"}
            s2 text-start {}
            s2 text-delta {"delta":"And bye."}
            s2 text-end {"final_text":"And bye."}
            s2 llm-call-end {"cache_creation_tokens":0,"cached_tokens":0,"completion_tokens":15,"finish_reasons":["end_turn"],"model":"claude-sonnet-4-5-20250929","prompt_tokens":25,"response_id":"msg_01XFDUDYJgAACzvnptvVoYEL","total_tokens":40,"usage":"reported"}
            s2 token-usage {"cache_creation_tokens":0,"cached_tokens":0,"completion_tokens":15,"cost_source":"local","cost_usd":0.0003,"cumulative_cost_usd":0.0003,"cumulative_tokens":40,"model":"claude-sonnet-4-5-20250929","prompt_tokens":25,"total_tokens":40}
        "#]],
    );
}

#[test]
fn an_overloaded_message_fails_and_its_output_stays_unknown() {
    check(
        tape!("anthropic_error"),
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 text-start {}
            s2 text-delta {"delta":"Hello"}
            s2 text-end {"final_text":"Hello"}
            s2 llm-call-failed {"error":"Overloaded","error_type":"overloaded_error","model":"m","outcome":"error"}
            s2 token-usage {"cache_creation_tokens":100,"cached_tokens":2000,"completion_tokens":0,"cost_source":"local","cost_usd":0.00105,"cumulative_cost_usd":0.00105,"cumulative_tokens":2125,"model":"claude-sonnet-4-5-20250929","prompt_tokens":2125,"total_tokens":2125}
        "#]],
    );
}

#[test]
fn a_message_that_refuses_says_so() {
    check(
        tape!("anthropic_refusal"),
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 text-start {}
            s2 text-delta {"delta":"I would"}
            s2 text-end {"final_text":"I would"}
            s2 llm-call-end {"cache_creation_tokens":100,"cached_tokens":2000,"completion_tokens":4,"finish_reasons":["refusal"],"model":"claude-sonnet-4-5-20250929","prompt_tokens":2125,"response_id":"msg_01XFDUDYJgAACzvnptvVoYEL","total_tokens":2129,"usage":"reported"}
            s2 token-usage {"cache_creation_tokens":100,"cached_tokens":2000,"completion_tokens":4,"cost_source":"local","cost_usd":0.00111,"cumulative_cost_usd":0.00111,"cumulative_tokens":2129,"model":"claude-sonnet-4-5-20250929","prompt_tokens":2125,"total_tokens":2129}
        "#]],
    );
}

#[test]
fn gemini_tells_thoughts_and_text_and_counts_the_thoughts_as_output() {
    check(
        tape!("gemini_text"),
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 reasoning-start {}
            s2 reasoning-delta {"delta":"**Light**\n"}
            s2 reasoning-end {"final_text":"**Light**\n"}
            s2 text-start {}
            s2 text-delta {"delta":"Blue"}
            s2 text-delta {"delta":" light scatters."}
            s2 text-end {"final_text":"Blue light scatters."}
            s2 llm-call-end {"cached_tokens":512,"completion_tokens":49,"finish_reasons":["STOP"],"model":"gemini-2.5-flash","prompt_tokens":600,"reasoning_tokens":40,"response_id":"mAitaLmkHPPlz7IPvtfUqQ4","total_tokens":649,"usage":"reported"}
            s2 token-usage {"cached_tokens":512,"completion_tokens":49,"cost_source":"local","cost_usd":0.00016426,"cumulative_cost_usd":0.00016426,"cumulative_tokens":649,"model":"gemini-2.5-flash","prompt_tokens":600,"reasoning_tokens":40,"total_tokens":649}
        "#]],
    );
}

#[test]
fn calls_that_gemini_gives_no_id_get_one() {
    check(
        tape!("gemini_tools"),
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 in s2 tool-input-start {"tool_name":"search"}
            s2 tool-input-delta {"input_text_delta":"{\"q\":\"sky\"}"}
            s2 in s2 tool-input-start {"tool_call_id":"fc_7","tool_name":"search"}
            s2 tool-input-delta {"input_text_delta":"{\"q\":\"blue\"}","tool_call_id":"fc_7"}
            s2 llm-call-end {"cached_tokens":512,"completion_tokens":30,"finish_reasons":["STOP"],"model":"gemini-2.5-flash","prompt_tokens":609,"response_id":"mAitaLmkHPPlz7IPvtfUqQ4","total_tokens":639,"usage":"reported"}
            s2 token-usage {"cached_tokens":512,"completion_tokens":30,"cost_source":"local","cost_usd":0.00011946,"cumulative_cost_usd":0.00011946,"cumulative_tokens":639,"model":"gemini-2.5-flash","prompt_tokens":609,"total_tokens":639}
            s2 tool-output-error {"error":"the model asked for it; no run of it was seen","outcome":"unanswered","tool_name":"search"}
            s2 tool-output-error {"error":"the model asked for it; no run of it was seen","outcome":"unanswered","tool_call_id":"fc_7","tool_name":"search"}
        "#]],
    );
}

#[test]
fn a_prompt_that_gemini_does_not_let_through_says_why() {
    check(
        tape!("gemini_blocked"),
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 llm-call-end {"finish_reasons":["PROHIBITED_CONTENT"],"model":"gemini-2.5-flash","prompt_tokens":8,"response_id":"mAitaLmkHPPlz7IPvtfUqQ4","usage":"reported"}
            s2 token-usage {"completion_tokens":0,"cost_source":"local","cost_usd":2.4e-6,"cumulative_cost_usd":2.4e-6,"cumulative_tokens":8,"model":"gemini-2.5-flash","prompt_tokens":8,"total_tokens":8}
        "#]],
    );
}

#[test]
fn an_error_in_the_midst_of_a_gemini_answer_fails_the_call() {
    check(
        tape!("gemini_error"),
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 text-start {}
            s2 text-delta {"delta":"Blue"}
            s2 text-end {"final_text":"Blue"}
            s2 llm-call-failed {"error":"The model is overloaded. Please try again later.","error_type":"UNAVAILABLE","model":"m","outcome":"error"}
            s2 token-usage {"cached_tokens":512,"completion_tokens":2,"cost_source":"local","cost_usd":0.00004676,"cumulative_cost_usd":0.00004676,"cumulative_tokens":602,"model":"gemini-2.5-flash","prompt_tokens":600,"total_tokens":602}
        "#]],
    );
}

/// The items of one model call, as rig serializes them.
fn rig_events() -> Vec<Value> {
    vec![
        json!({"item": "event", "value": {"event": "start", "part": 0, "kind": "reasoning"}}),
        json!({"item": "event", "value": {"event": "reasoning", "part": 0, "text": "hm"}}),
        json!({"item": "event", "value": {"event": "end", "part": 0, "content": {"type": "reasoning", "text": "hm"}}}),
        json!({"item": "event", "value": {"event": "start", "part": 1, "kind": "text"}}),
        json!({"item": "event", "value": {"event": "text", "part": 1, "text": "Let me"}}),
        json!({"item": "unknown", "value": {"type": "web_search_call"}}),
        json!({"item": "event", "value": {"event": "text", "part": 1, "text": " look."}}),
        json!({"item": "event", "value": {"event": "end", "part": 1, "content": {"type": "text", "text": "Let me look."}}}),
        json!({"item": "event", "value": {"event": "start", "part": 2, "kind": "tool_call", "name": "search"}}),
        json!({"item": "event", "value": {"event": "arguments", "part": 2, "json": "{\"q\":\"sky\"}"}}),
        json!({"item": "event", "value": {"event": "end", "part": 2, "content": {
            "type": "toolcall", "id": {"provider": "call_1"}, "function": {"name": "search", "arguments": {"q": "sky"}}}}}),
    ]
}

#[test]
fn the_items_of_a_rig_completion_tell_reasoning_text_and_calls() {
    let items: Vec<Item<RigEvent>> =
        rig_events().into_iter().map(|item| serde_json::from_value(item).expect("an item of rig's")).collect();
    check_reading(
        |reader, llm| {
            items.iter().for_each(|item| reader.item(llm, item));
            reader.end(llm);
        },
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 reasoning-start {}
            s2 reasoning-delta {"delta":"hm"}
            s2 reasoning-end {"final_text":"hm"}
            s2 text-start {}
            s2 text-delta {"delta":"Let me"}
            s2 text-delta {"delta":" look."}
            s2 text-end {"final_text":"Let me look."}
            s2 in s2 tool-input-start {"tool_call_id":"call_1","tool_name":"search"}
            s2 tool-input-delta {"input_text_delta":"{\"q\":\"sky\"}","tool_call_id":"call_1"}
            s2 llm-call-end {"model":"m","usage":"unknown"}
            s2 tool-output-error {"error":"the model asked for it; no run of it was seen","outcome":"unanswered","tool_call_id":"call_1","tool_name":"search"}
        "#]],
    );
}

#[test]
fn the_items_of_a_rig_run_tell_what_its_calls_used() {
    let mut items: Vec<Value> = rig_events();
    for item in &mut items {
        item["type"] = "streamAssistantItem".into();
    }
    let call = |index: u64, reason: Value| {
        json!({"type": "completionCall", "call_index": index, "response_id": format!("resp_{index}"), "finish_reason": reason, "raw": null,
            "usage": {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120, "cached_input_tokens": 64, "reasoning_tokens": 5}})
    };
    items.push(call(0, "tool_calls".into()));
    items.push(call(1, json!({"other": "paused"})));
    let items: Vec<MultiTurnStreamItem> =
        items.into_iter().map(|item| serde_json::from_value(item).expect("an item of rig's")).collect();
    check_reading(
        |reader, llm| {
            items.iter().for_each(|item| reader.item(llm, item));
            reader.end(llm);
        },
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 reasoning-start {}
            s2 reasoning-delta {"delta":"hm"}
            s2 reasoning-end {"final_text":"hm"}
            s2 text-start {}
            s2 text-delta {"delta":"Let me"}
            s2 text-delta {"delta":" look."}
            s2 text-end {"final_text":"Let me look."}
            s2 in s2 tool-input-start {"tool_call_id":"call_1","tool_name":"search"}
            s2 tool-input-delta {"input_text_delta":"{\"q\":\"sky\"}","tool_call_id":"call_1"}
            s2 llm-call-end {"cached_tokens":128,"completion_tokens":40,"finish_reasons":["tool_calls","paused"],"model":"m","prompt_tokens":200,"reasoning_tokens":10,"response_id":"resp_1","total_tokens":240,"usage":"reported"}
            s2 token-usage {"cached_tokens":128,"calls_without_price":1,"completion_tokens":40,"cumulative_tokens":240,"model":"m","prompt_tokens":200,"reasoning_tokens":10,"total_tokens":240}
            s2 tool-output-error {"error":"the model asked for it; no run of it was seen","outcome":"unanswered","tool_call_id":"call_1","tool_name":"search"}
        "#]],
    );
}

#[test]
fn a_list_of_chunks_is_read_as_its_chunks() {
    let lines = tape!("gemini_text").lines().filter_map(|line| line.strip_prefix("data: "));
    let list: Vec<Value> = lines.map(|line| serde_json::from_str(line).expect("JSON")).collect();
    check_reading(
        |reader, llm| reader.chunk(llm, &Value::Array(list)),
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 reasoning-start {}
            s2 reasoning-delta {"delta":"**Light**\n"}
            s2 reasoning-end {"final_text":"**Light**\n"}
            s2 text-start {}
            s2 text-delta {"delta":"Blue"}
            s2 text-delta {"delta":" light scatters."}
            s2 text-end {"final_text":"Blue light scatters."}
            s2 llm-call-end {"cached_tokens":512,"completion_tokens":49,"finish_reasons":["STOP"],"model":"gemini-2.5-flash","prompt_tokens":600,"reasoning_tokens":40,"response_id":"mAitaLmkHPPlz7IPvtfUqQ4","total_tokens":649,"usage":"reported"}
            s2 token-usage {"cached_tokens":512,"completion_tokens":49,"cost_source":"local","cost_usd":0.00016426,"cumulative_cost_usd":0.00016426,"cumulative_tokens":649,"model":"gemini-2.5-flash","prompt_tokens":600,"reasoning_tokens":40,"total_tokens":649}
        "#]],
    );
}
