//! What the chunks of each provider tell: whole answers, as they come over the wire.

use crate::layer::{record, told};
use expect_test::{Expect, expect};
use rig::{agent::MultiTurnStreamItem, streaming::Item, streaming::StreamEvent as RigEvent};
use serde_json::{Value, json};
use spanwright::span::{self, AgentSpan, ChunkReader};

/// The answer as a model call of an agent, read line by line; what happened, without the agent around it.
#[track_caller]
fn check(tape: &str, expected: Expect) {
    check_reading(
        |reader, llm| {
            tape.lines().for_each(|line| reader.json(llm, line));
            reader.end(llm);
        },
        expected,
    );
}

#[track_caller]
fn check_reading(read: impl FnOnce(&mut ChunkReader, &AgentSpan), expected: Expect) {
    let events = record(|| {
        span::agent("a").in_scope(|| {
            let llm = span::llm("m");
            // Not inside the span: what a chunk tells must find its way there all the same.
            read(&mut ChunkReader::new(), &llm);
            llm.finish();
        });
    });
    let told = told(&events);
    let inner: String =
        told.lines().filter(|line| !line.contains("execution-")).map(|line| format!("{line}\n")).collect();
    expected.assert_eq(&inner);
}

macro_rules! tape {
    ($name:literal) => {
        include_str!(concat!("tapes/", $name, ".sse"))
    };
}

#[test]
fn a_chat_answer_tells_its_text_and_the_usage_of_its_choiceless_last_chunk() {
    check(
        tape!("chat_text"),
        expect![[r#"
        s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
        s2 text-start {}
        s2 text-delta {"delta":"The sky"}
        s2 text-delta {"delta":" is blue."}
        s2 text-end {"final_text":"The sky is blue."}
        s2 llm-call-end {"cached_tokens":1024,"completion_tokens":46,"finish_reasons":["stop"],"model":"gpt-4o-2024-08-06","prompt_tokens":1117,"reasoning_tokens":12,"response_id":"chatcmpl-B9Mxt5","total_tokens":1163}
        s2 token-usage {"completion_tokens":46,"cumulative_tokens":1163,"prompt_tokens":1117,"total_tokens":1163}
    "#]],
    );
}

#[test]
fn a_chat_answer_tells_the_input_of_each_tool_as_it_is_written() {
    check(
        tape!("chat_tools"),
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 in s2 tool-input-start {"tool_name":"search"}
            s2 tool-input-delta {"input_text_delta":"{\"q\":"}
            s2 tool-input-delta {"input_text_delta":"\"sky\"}"}
            s2 in s2 tool-input-start {"tool_name":"search"}
            s2 tool-input-delta {"input_text_delta":"{\"q\":\"blue\"}"}
            s2 llm-call-end {"cached_tokens":1024,"completion_tokens":46,"finish_reasons":["tool_calls"],"model":"gpt-4o-2024-08-06","prompt_tokens":1117,"reasoning_tokens":12,"response_id":"chatcmpl-B9Mxt5","total_tokens":1163}
            s2 token-usage {"completion_tokens":46,"cumulative_tokens":1163,"prompt_tokens":1117,"total_tokens":1163}
            s2 tool-output-error {"error":"the model asked for it; no run of it was seen","outcome":"unanswered","tool_name":"search"}
            s2 tool-output-error {"error":"the model asked for it; no run of it was seen","outcome":"unanswered","tool_name":"search"}
        "#]],
    );
}

#[test]
fn a_chat_answer_that_refuses_keeps_its_words_and_says_that_it_refused() {
    check(
        tape!("chat_refusal"),
        expect![[r#"
        s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
        s2 text-start {}
        s2 text-delta {"delta":"I'm sorry,"}
        s2 text-delta {"delta":" I can't help with that."}
        s2 text-end {"final_text":"I'm sorry, I can't help with that."}
        s2 llm-call-end {"finish_reasons":["refusal"],"model":"gpt-4o-2024-08-06","response_id":"chatcmpl-B9Mxt5"}
    "#]],
    );
}

#[test]
fn of_several_choices_the_first_ones_text_is_told_and_why_each_stopped() {
    check(
        tape!("chat_choices"),
        expect![[r#"
        s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
        s2 text-start {}
        s2 text-delta {"delta":"Heads"}
        s2 text-delta {"delta":"."}
        s2 text-end {"final_text":"Heads."}
        s2 llm-call-end {"finish_reasons":["stop","length"],"model":"gpt-4o-2024-08-06","response_id":"chatcmpl-B9Mxt5"}
    "#]],
    );
}

#[test]
fn an_error_in_the_midst_of_a_chat_answer_fails_the_call_with_the_providers_words() {
    check(
        tape!("chat_error"),
        expect![[r#"
        s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
        s2 text-start {}
        s2 text-delta {"delta":"The sky"}
        s2 text-end {"final_text":"The sky"}
        s2 llm-call-failed {"error":"The server had an error while processing your request. Sorry about that!","error_type":"server_error","model":"m","outcome":"error"}
    "#]],
    );
}

#[test]
fn reasoning_that_chat_servers_send_beside_the_content_is_reasoning() {
    check(
        tape!("chat_reasoning"),
        expect![[r#"
        s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
        s2 reasoning-start {}
        s2 reasoning-delta {"delta":"Rayleigh"}
        s2 reasoning-delta {"delta":" scattering."}
        s2 reasoning-end {"final_text":"Rayleigh scattering."}
        s2 text-start {}
        s2 text-delta {"delta":"Blue."}
        s2 text-end {"final_text":"Blue."}
        s2 llm-call-end {"cached_tokens":0,"completion_tokens":9,"finish_reasons":["stop"],"model":"deepseek-reasoner","prompt_tokens":20,"reasoning_tokens":5,"response_id":"f4b2a1d0","total_tokens":29}
        s2 token-usage {"completion_tokens":9,"cumulative_tokens":29,"prompt_tokens":20,"total_tokens":29}
    "#]],
    );
}

#[test]
fn a_response_tells_its_reasoning_its_text_and_its_usage() {
    check(
        tape!("responses_text"),
        expect![[r#"
        s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
        s2 reasoning-start {}
        s2 reasoning-delta {"delta":"**Thinking**"}
        s2 reasoning-delta {"delta":" of light"}
        s2 reasoning-end {"final_text":"**Thinking** of light"}
        s2 text-start {}
        s2 text-delta {"delta":"It is"}
        s2 text-delta {"delta":" blue."}
        s2 text-end {"final_text":"It is blue."}
        s2 llm-call-end {"cached_tokens":16,"completion_tokens":111,"finish_reasons":["completed"],"model":"gpt-5-2025-08-07","prompt_tokens":37,"reasoning_tokens":64,"response_id":"resp_68af4030592c81938ec0a5fbab4a3e9f","total_tokens":148}
        s2 token-usage {"completion_tokens":111,"cumulative_tokens":148,"prompt_tokens":37,"total_tokens":148}
    "#]],
    );
}

#[test]
fn a_response_tells_the_calls_that_the_program_runs_and_not_those_of_the_provider() {
    check(
        tape!("responses_tools"),
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 in s2 tool-input-start {"tool_call_id":"call_unLAR8M","tool_name":"search"}
            s2 tool-input-delta {"input_text_delta":"{\"q\"","tool_call_id":"call_unLAR8M"}
            s2 tool-input-delta {"input_text_delta":":\"sky\"}","tool_call_id":"call_unLAR8M"}
            s2 in s2 tool-input-start {"tool_call_id":"call_custom1","tool_name":"run_code"}
            s2 tool-input-delta {"input_text_delta":"print(","tool_call_id":"call_custom1"}
            s2 tool-input-delta {"input_text_delta":"1)","tool_call_id":"call_custom1"}
            s2 llm-call-end {"cached_tokens":16,"completion_tokens":111,"finish_reasons":["completed"],"model":"gpt-5-2025-08-07","prompt_tokens":37,"reasoning_tokens":64,"response_id":"resp_68af4030592c81938ec0a5fbab4a3e9f","total_tokens":148}
            s2 token-usage {"completion_tokens":111,"cumulative_tokens":148,"prompt_tokens":37,"total_tokens":148}
            s2 tool-output-error {"error":"the model asked for it; no run of it was seen","outcome":"unanswered","tool_call_id":"call_unLAR8M","tool_name":"search"}
            s2 tool-output-error {"error":"the model asked for it; no run of it was seen","outcome":"unanswered","tool_call_id":"call_custom1","tool_name":"run_code"}
        "#]],
    );
}

#[test]
fn a_response_that_refuses_keeps_its_words_and_says_that_it_refused() {
    check(
        tape!("responses_refusal"),
        expect![[r#"
        s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
        s2 text-start {}
        s2 text-delta {"delta":"I can't"}
        s2 text-delta {"delta":" help with that."}
        s2 text-end {"final_text":"I can't help with that."}
        s2 llm-call-end {"cached_tokens":16,"completion_tokens":111,"finish_reasons":["refusal"],"model":"gpt-5-2025-08-07","prompt_tokens":37,"reasoning_tokens":64,"response_id":"resp_68af4030592c81938ec0a5fbab4a3e9f","total_tokens":148}
        s2 token-usage {"completion_tokens":111,"cumulative_tokens":148,"prompt_tokens":37,"total_tokens":148}
    "#]],
    );
}

#[test]
fn a_response_that_is_cut_short_by_a_limit_says_by_which() {
    check(
        tape!("responses_incomplete"),
        expect![[r#"
        s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
        s2 text-start {}
        s2 text-delta {"delta":"It"}
        s2 text-end {"final_text":"It"}
        s2 llm-call-end {"cached_tokens":16,"completion_tokens":111,"finish_reasons":["max_output_tokens"],"model":"gpt-5-2025-08-07","prompt_tokens":37,"reasoning_tokens":64,"response_id":"resp_68af4030592c81938ec0a5fbab4a3e9f","total_tokens":148}
        s2 token-usage {"completion_tokens":111,"cumulative_tokens":148,"prompt_tokens":37,"total_tokens":148}
    "#]],
    );
}

#[test]
fn a_response_that_fails_or_breaks_fails_the_call() {
    check(
        tape!("responses_failed"),
        expect![[r#"
        s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
        s2 text-start {}
        s2 text-delta {"delta":"It"}
        s2 text-end {"final_text":"It"}
        s2 llm-call-failed {"error":"The model failed to generate a response.","error_type":"server_error","model":"m","outcome":"error"}
    "#]],
    );
    check(
        tape!("responses_error"),
        expect![[r#"
        s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
        s2 llm-call-failed {"error":"Rate limit reached for gpt-5","error_type":"rate_limit_exceeded","model":"m","outcome":"error"}
    "#]],
    );
}

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
            s2 llm-call-end {"cache_creation_tokens":100,"cached_tokens":2000,"completion_tokens":89,"finish_reasons":["tool_use"],"model":"claude-sonnet-4-5-20250929","prompt_tokens":2125,"response_id":"msg_01XFDUDYJgAACzvnptvVoYEL","total_tokens":2214}
            s2 token-usage {"completion_tokens":89,"cumulative_tokens":2214,"prompt_tokens":2125,"total_tokens":2214}
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
        s2 llm-call-end {"cache_creation_tokens":0,"cached_tokens":0,"completion_tokens":15,"finish_reasons":["end_turn"],"model":"claude-sonnet-4-5-20250929","prompt_tokens":25,"response_id":"msg_01XFDUDYJgAACzvnptvVoYEL","total_tokens":40}
        s2 token-usage {"completion_tokens":15,"cumulative_tokens":40,"prompt_tokens":25,"total_tokens":40}
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
        s2 token-usage {"completion_tokens":0,"cumulative_tokens":2125,"prompt_tokens":2125,"total_tokens":2125}
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
        s2 llm-call-end {"cache_creation_tokens":100,"cached_tokens":2000,"completion_tokens":4,"finish_reasons":["refusal"],"model":"claude-sonnet-4-5-20250929","prompt_tokens":2125,"response_id":"msg_01XFDUDYJgAACzvnptvVoYEL","total_tokens":2129}
        s2 token-usage {"completion_tokens":4,"cumulative_tokens":2129,"prompt_tokens":2125,"total_tokens":2129}
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
        s2 llm-call-end {"cached_tokens":512,"completion_tokens":49,"finish_reasons":["STOP"],"model":"gemini-2.5-flash","prompt_tokens":600,"reasoning_tokens":40,"response_id":"mAitaLmkHPPlz7IPvtfUqQ4","total_tokens":649}
        s2 token-usage {"completion_tokens":49,"cumulative_tokens":649,"prompt_tokens":600,"total_tokens":649}
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
            s2 llm-call-end {"cached_tokens":512,"completion_tokens":30,"finish_reasons":["STOP"],"model":"gemini-2.5-flash","prompt_tokens":609,"response_id":"mAitaLmkHPPlz7IPvtfUqQ4","total_tokens":639}
            s2 token-usage {"completion_tokens":30,"cumulative_tokens":639,"prompt_tokens":609,"total_tokens":639}
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
        s2 llm-call-end {"finish_reasons":["PROHIBITED_CONTENT"],"model":"gemini-2.5-flash","prompt_tokens":8,"response_id":"mAitaLmkHPPlz7IPvtfUqQ4"}
        s2 token-usage {"completion_tokens":0,"cumulative_tokens":8,"prompt_tokens":8,"total_tokens":8}
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
        s2 token-usage {"completion_tokens":2,"cumulative_tokens":602,"prompt_tokens":600,"total_tokens":602}
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
            s2 llm-call-end {"model":"m"}
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
            s2 llm-call-end {"cached_tokens":128,"completion_tokens":40,"finish_reasons":["tool_calls","paused"],"model":"m","prompt_tokens":200,"reasoning_tokens":10,"response_id":"resp_1","total_tokens":240}
            s2 token-usage {"completion_tokens":40,"cumulative_tokens":240,"prompt_tokens":200,"total_tokens":240}
            s2 tool-output-error {"error":"the model asked for it; no run of it was seen","outcome":"unanswered","tool_call_id":"call_1","tool_name":"search"}
        "#]],
    );
}

#[test]
fn usage_that_is_never_said_is_never_recorded() {
    let without_usage: String = tape!("chat_text")
        .lines()
        .filter(|line| !line.contains(r#""choices":[]"#))
        .map(|line| format!("{line}\n"))
        .collect();
    check(
        &without_usage,
        expect![[r#"
        s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
        s2 text-start {}
        s2 text-delta {"delta":"The sky"}
        s2 text-delta {"delta":" is blue."}
        s2 text-end {"final_text":"The sky is blue."}
        s2 llm-call-end {"finish_reasons":["stop"],"model":"gpt-4o-2024-08-06","response_id":"chatcmpl-B9Mxt5"}
    "#]],
    );
}

#[test]
fn plain_text_items_are_text_and_items_of_no_provider_say_nothing() {
    check_reading(
        |reader, llm| {
            reader.text(llm, "Hello");
            reader.item(llm, &json!({"progress": 3, "error": null, "message": "busy"}));
            reader.item(llm, &7);
            reader.json(llm, "no JSON at all");
            reader.json(llm, ": a comment");
            reader.text(llm, "!");
            reader.end(llm);
        },
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 text-start {}
            s2 text-delta {"delta":"Hello"}
            s2 text-delta {"delta":"!"}
            s2 text-end {"final_text":"Hello!"}
            s2 llm-call-end {"model":"m"}
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
        s2 llm-call-end {"cached_tokens":512,"completion_tokens":49,"finish_reasons":["STOP"],"model":"gemini-2.5-flash","prompt_tokens":600,"reasoning_tokens":40,"response_id":"mAitaLmkHPPlz7IPvtfUqQ4","total_tokens":649}
        s2 token-usage {"completion_tokens":49,"cumulative_tokens":649,"prompt_tokens":600,"total_tokens":649}
    "#]],
    );
}
