//! What the chunks of OpenAI and its imitators tell: whole answers, as they come over the wire.

use crate::layer::{record, told};
use expect_test::{Expect, expect};
use serde_json::json;
use spanwright::span::{self, AgentSpan, ChunkReader};

/// The answer as a model call of an agent, read line by line; what happened, without the agent around it.
#[track_caller]
pub(crate) fn check(tape: &str, expected: Expect) {
    check_reading(
        |reader, llm| {
            tape.lines().for_each(|line| reader.json(llm, line));
            reader.end(llm);
        },
        expected,
    );
}

#[track_caller]
pub(crate) fn check_reading(read: impl FnOnce(&mut ChunkReader, &AgentSpan), expected: Expect) {
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
pub(crate) use tape;

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
            s2 llm-call-end {"cached_tokens":1024,"completion_tokens":46,"finish_reasons":["stop"],"model":"gpt-4o-2024-08-06","prompt_tokens":1117,"reasoning_tokens":12,"response_id":"chatcmpl-B9Mxt5","total_tokens":1163,"usage":"reported"}
            s2 token-usage {"cached_tokens":1024,"completion_tokens":46,"cost_source":"local","cost_usd":0.0019725,"cumulative_cost_usd":0.0019725,"cumulative_tokens":1163,"model":"gpt-4o-2024-08-06","prompt_tokens":1117,"reasoning_tokens":12,"total_tokens":1163}
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
            s2 llm-call-end {"cached_tokens":1024,"completion_tokens":46,"finish_reasons":["tool_calls"],"model":"gpt-4o-2024-08-06","prompt_tokens":1117,"reasoning_tokens":12,"response_id":"chatcmpl-B9Mxt5","total_tokens":1163,"usage":"reported"}
            s2 token-usage {"cached_tokens":1024,"completion_tokens":46,"cost_source":"local","cost_usd":0.0019725,"cumulative_cost_usd":0.0019725,"cumulative_tokens":1163,"model":"gpt-4o-2024-08-06","prompt_tokens":1117,"reasoning_tokens":12,"total_tokens":1163}
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
            s2 llm-call-end {"finish_reasons":["refusal"],"model":"gpt-4o-2024-08-06","response_id":"chatcmpl-B9Mxt5","usage":"unknown"}
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
            s2 llm-call-end {"finish_reasons":["stop","length"],"model":"gpt-4o-2024-08-06","response_id":"chatcmpl-B9Mxt5","usage":"unknown"}
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
            s2 llm-call-end {"cached_tokens":0,"completion_tokens":9,"finish_reasons":["stop"],"model":"deepseek-reasoner","prompt_tokens":20,"reasoning_tokens":5,"response_id":"f4b2a1d0","total_tokens":29,"usage":"reported"}
            s2 token-usage {"cached_tokens":0,"calls_without_price":1,"completion_tokens":9,"cumulative_tokens":29,"model":"deepseek-reasoner","prompt_tokens":20,"reasoning_tokens":5,"total_tokens":29}
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
            s2 llm-call-end {"cached_tokens":16,"completion_tokens":111,"finish_reasons":["completed"],"model":"gpt-5-2025-08-07","prompt_tokens":37,"reasoning_tokens":64,"response_id":"resp_68af4030592c81938ec0a5fbab4a3e9f","total_tokens":148,"usage":"reported"}
            s2 token-usage {"cached_tokens":16,"completion_tokens":111,"cost_source":"local","cost_usd":0.00113825,"cumulative_cost_usd":0.00113825,"cumulative_tokens":148,"model":"gpt-5-2025-08-07","prompt_tokens":37,"reasoning_tokens":64,"total_tokens":148}
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
            s2 llm-call-end {"cached_tokens":16,"completion_tokens":111,"finish_reasons":["completed"],"model":"gpt-5-2025-08-07","prompt_tokens":37,"reasoning_tokens":64,"response_id":"resp_68af4030592c81938ec0a5fbab4a3e9f","total_tokens":148,"usage":"reported"}
            s2 token-usage {"cached_tokens":16,"completion_tokens":111,"cost_source":"local","cost_usd":0.00113825,"cumulative_cost_usd":0.00113825,"cumulative_tokens":148,"model":"gpt-5-2025-08-07","prompt_tokens":37,"reasoning_tokens":64,"total_tokens":148}
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
            s2 llm-call-end {"cached_tokens":16,"completion_tokens":111,"finish_reasons":["refusal"],"model":"gpt-5-2025-08-07","prompt_tokens":37,"reasoning_tokens":64,"response_id":"resp_68af4030592c81938ec0a5fbab4a3e9f","total_tokens":148,"usage":"reported"}
            s2 token-usage {"cached_tokens":16,"completion_tokens":111,"cost_source":"local","cost_usd":0.00113825,"cumulative_cost_usd":0.00113825,"cumulative_tokens":148,"model":"gpt-5-2025-08-07","prompt_tokens":37,"reasoning_tokens":64,"total_tokens":148}
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
            s2 llm-call-end {"cached_tokens":16,"completion_tokens":111,"finish_reasons":["max_output_tokens"],"model":"gpt-5-2025-08-07","prompt_tokens":37,"reasoning_tokens":64,"response_id":"resp_68af4030592c81938ec0a5fbab4a3e9f","total_tokens":148,"usage":"reported"}
            s2 token-usage {"cached_tokens":16,"completion_tokens":111,"cost_source":"local","cost_usd":0.00113825,"cumulative_cost_usd":0.00113825,"cumulative_tokens":148,"model":"gpt-5-2025-08-07","prompt_tokens":37,"reasoning_tokens":64,"total_tokens":148}
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
            s2 llm-call-end {"finish_reasons":["stop"],"model":"gpt-4o-2024-08-06","response_id":"chatcmpl-B9Mxt5","usage":"unknown"}
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
            s2 llm-call-end {"model":"m","usage":"unknown"}
        "#]],
    );
}

#[test]
fn calls_at_one_place_are_told_apart_by_their_ids_and_pieces_without_a_name_go_on() {
    let piece = |id: &str, name: Option<&str>, input: &str| {
        let call = json!({"index": 0, "id": id, "type": "function", "function": {"name": name, "arguments": input}});
        json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": null}]})
    };
    check_reading(
        |reader, llm| {
            reader.chunk(llm, &piece("call_1", Some("search"), "{"));
            reader.chunk(llm, &piece("made_up", None, "}"));
            reader.chunk(llm, &piece("call_2", Some("search"), "{}"));
        },
        expect![[r#"
            s2 in s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s2 in s2 tool-input-start {"tool_call_id":"call_1","tool_name":"search"}
            s2 tool-input-delta {"input_text_delta":"{","tool_call_id":"call_1"}
            s2 tool-input-delta {"input_text_delta":"}","tool_call_id":"call_1"}
            s2 in s2 tool-input-start {"tool_call_id":"call_2","tool_name":"search"}
            s2 tool-input-delta {"input_text_delta":"{}","tool_call_id":"call_2"}
            s2 llm-call-end {"model":"m","usage":"unknown"}
            s2 tool-output-error {"error":"the model asked for it; no run of it was seen","outcome":"unanswered","tool_call_id":"call_1","tool_name":"search"}
            s2 tool-output-error {"error":"the model asked for it; no run of it was seen","outcome":"unanswered","tool_call_id":"call_2","tool_name":"search"}
        "#]],
    );
}
