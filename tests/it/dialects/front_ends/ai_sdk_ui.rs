//! The AI SDK's UI message stream: exact bytes, and its rules, as version 5.0.100 of `ai` enforces them.

use super::{
    EXECUTION, any, frames, of, run_of,
    script::{at, script},
    told, types, values,
};
use crate::{http, runs, shared};
use expect_test::expect;
use proptest::prelude::*;
use serde_json::{Value, json};
use spanwright::{
    Json, Recorder, StreamEvent,
    event::{
        ArtifactCreated, Citation, ErrorCategory, ExecutionCancelled, ExecutionError, ExecutionFailed, ExecutionStart,
        LlmCallEnd, LlmCallStart, Note, StreamLagged, TextDelta, TextEnd, TextStart, ToolInputAvailable,
        ToolOutputAvailable,
    },
    serve::Server,
    wire::Dialect,
};
use std::collections::HashSet;

/// The chunks; the frame that ends the stream is checked and left out.
fn chunks(events: &[StreamEvent]) -> Vec<Value> {
    let (told, _) = told(Dialect::AiSdkUi, events);
    let mut frames = frames(&told);
    assert_eq!(frames.pop(), Some("[DONE]"));
    values(&frames)
}

/// Every type that the oldest client knows: the keys that must be there, and those that may.
fn keys(kind: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        "start" | "finish" => (&[], &["messageId", "finishReason", "messageMetadata"]),
        "abort" | "start-step" | "finish-step" => (&[], &[]),
        "error" => (&["errorText"], &[]),
        "text-start" | "text-end" | "reasoning-start" | "reasoning-end" => (&["id"], &["providerMetadata"]),
        "text-delta" | "reasoning-delta" => (&["id", "delta"], &["providerMetadata"]),
        "tool-input-start" => (&["toolCallId", "toolName"], &["providerExecuted", "dynamic"]),
        "tool-input-delta" => (&["toolCallId", "inputTextDelta"], &[]),
        "tool-input-available" => {
            (&["toolCallId", "toolName", "input"], &["providerExecuted", "dynamic", "providerMetadata"])
        }
        "tool-output-available" => (&["toolCallId", "output"], &["dynamic"]),
        "tool-output-error" => (&["toolCallId", "errorText"], &["dynamic"]),
        "source-url" => (&["sourceId", "url"], &["title"]),
        "source-document" => (&["sourceId", "mediaType", "title"], &["filename"]),
        "file" => (&["url", "mediaType"], &[]),
        data if data.starts_with("data-") => (&["data"], &["id", "transient"]),
        other => panic!("no such type: {other}"),
    }
}

fn fits_the_schema(chunk: &Value) {
    let fields = chunk.as_object().expect("object");
    let (required, optional) = keys(chunk["type"].as_str().expect("type"));
    assert!(required.iter().all(|name| fields.contains_key(*name)), "{chunk}");
    for (name, value) in fields.iter().filter(|(name, _)| *name != "type") {
        assert!(required.contains(&name.as_str()) || optional.contains(&name.as_str()), "{name} in {chunk}");
        match name.as_str() {
            "input" | "output" | "data" => {}
            "dynamic" | "providerExecuted" | "transient" => assert_eq!(*value, true, "{chunk}"),
            "providerMetadata" | "messageMetadata" => assert!(value.is_object(), "{chunk}"),
            _ => assert!(value.is_string(), "{name} in {chunk}"),
        }
        assert!(!would_be_refused(value), "{chunk}");
    }
}

/// What the client's parser takes for an attack.
fn would_be_refused(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(would_be_refused),
        Value::Object(fields) => {
            fields.contains_key("__proto__")
                || fields.get("constructor").is_some_and(|value| value.get("prototype").is_some())
                || fields.values().any(would_be_refused)
        }
        _ => false,
    }
}

/// What the client has at one moment of a message.
#[derive(Default)]
struct Message {
    texts: HashSet<(String, String)>,
    streaming: HashSet<String>,
    whole: HashSet<String>,
    answered: HashSet<String>,
    in_step: bool,
}

impl Message {
    fn take(&mut self, chunk: &Value) {
        let kind = chunk["type"].as_str().expect("type");
        let id = chunk["toolCallId"].as_str().unwrap_or_default().to_owned();
        match kind.rsplit_once('-').unwrap_or((kind, "")) {
            ("start", "step") => assert!(!std::mem::replace(&mut self.in_step, true), "two steps at once"),
            ("finish", "step") => {
                assert!(std::mem::take(&mut self.in_step), "no step to finish");
                assert!(self.texts.is_empty() && self.streaming.is_empty(), "open over the end of a step");
            }
            (text @ ("text" | "reasoning"), part) => self.text(text, part, chunk),
            ("tool-input", "start") => assert!(self.in_step && self.streaming.insert(id)),
            ("tool-input", "delta") => assert!(self.streaming.contains(&id), "{chunk}"),
            ("tool-input", "available") => {
                self.streaming.remove(&id);
                assert!(self.in_step && self.whole.insert(id), "{chunk}");
            }
            ("tool-output", _) => assert!(self.whole.contains(&id) && self.answered.insert(id), "{chunk}"),
            _ => {}
        }
    }

    fn text(&mut self, text: &str, part: &str, chunk: &Value) {
        let id = (text.to_owned(), chunk["id"].as_str().expect("id").to_owned());
        assert!(self.in_step, "{chunk} outside of a step");
        match part {
            "start" => assert!(self.texts.insert(id), "{chunk}"),
            "delta" => assert!(self.texts.contains(&id), "{chunk}"),
            _ => assert!(self.texts.remove(&id), "{chunk}"),
        }
    }
}

/// The grammar: one start, steps with everything in them, one end.
fn obeys_the_grammar(events: &[StreamEvent]) {
    let chunks = chunks(events);
    chunks.iter().for_each(fits_the_schema);
    assert_eq!(chunks[0]["type"], "start");
    assert_eq!(of(&chunks, "start").len(), 1);
    let (last, before) = chunks.split_last().expect("chunks");
    assert!(["finish", "abort", "error"].contains(&last["type"].as_str().expect("type")), "{last}");
    assert!(before.iter().all(|chunk| !["finish", "abort", "error"].contains(&chunk["type"].as_str().expect("type"))));
    let mut message = Message::default();
    chunks.iter().for_each(|chunk| message.take(chunk));
    assert!(message.texts.is_empty() && !message.in_step, "open at the end");
    assert_eq!(message.whole, message.answered, "calls without an answer");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn whatever_happens_what_is_written_obeys_the_grammar(events in any::events()) {
        obeys_the_grammar(&events);
    }
}

#[test]
fn a_hundred_real_runs_obey_the_grammar() {
    let Some(text) = shared::read("data/airline-runs.jsonl") else { return };
    for run in runs::read(&text) {
        obeys_the_grammar(&run);
    }
}

#[test]
fn a_run_in_exact_bytes() {
    let (told, repairs) = told(Dialect::AiSdkUi, &script());
    expect![[r#"
        data: {"type":"start","messageId":"exec_000000000000000000000000000000aa","messageMetadata":{"executionId":"exec_000000000000000000000000000000aa","sessionId":"s-1","agent":"research"}}

        data: {"type":"data-step-start","transient":true,"data":{"step_id":"step_0000000000000002","step_type":"FunctionNode","name":"look","parent_step_id":"step_0000000000000001","timestamp":1700000000002}}

        data: {"type":"start-step"}

        data: {"type":"data-llm-call-start","transient":true,"data":{"step_id":"step_0000000000000003","callable_name":"ask","history_length":2,"model":"m-1","provider":"p","parent_step_id":"step_0000000000000002","timestamp":1700000000003}}

        data: {"type":"reasoning-start","id":"r"}

        data: {"type":"reasoning-delta","id":"r","delta":"Hm."}

        data: {"type":"reasoning-end","id":"r"}

        data: {"type":"text-start","id":"t1"}

        data: {"type":"text-delta","id":"t1","delta":"Let me "}

        data: {"type":"text-delta","id":"t1","delta":"look.\n"}

        data: {"type":"text-end","id":"t1"}

        data: {"type":"tool-input-start","toolCallId":"call-1","toolName":"search","providerExecuted":true,"dynamic":true}

        data: {"type":"tool-input-delta","toolCallId":"call-1","inputTextDelta":"{\"q\":"}

        data: {"type":"tool-input-delta","toolCallId":"call-1","inputTextDelta":"\"sky\"}"}

        data: {"type":"data-llm-call-end","transient":true,"data":{"step_id":"step_0000000000000003","duration_ms":9,"finish_reasons":["tool_calls"],"timestamp":1700000000003}}

        data: {"type":"data-token-usage","id":"usage","data":{"step_id":"step_0000000000000003","prompt_tokens":20,"completion_tokens":5,"total_tokens":25,"cumulative_tokens":25,"cost_usd":0.25,"model":"m-1","provider":"p","cached_tokens":4,"timestamp":1700000000003}}

        data: {"type":"tool-input-available","toolCallId":"call-1","toolName":"search","providerExecuted":true,"dynamic":true,"input":{"q":"sky"}}

        data: {"type":"data-operation-progress","id":"dl","data":{"step_id":"step_0000000000000004","operation_id":"dl","operation_type":"download","done":5,"status":"running","total":9,"timestamp":1700000000004}}

        data: {"type":"tool-output-available","toolCallId":"call-1","output":"blue","dynamic":true}

        data: {"type":"tool-input-available","toolCallId":"call-2","toolName":"delete","providerExecuted":true,"dynamic":true,"input":"all"}

        data: {"type":"data-permission-request","id":"p-1","data":{"step_id":"step_0000000000000005","tool_name":"delete","arguments":"all","policy":"destructive","permission_id":"p-1","tool_call_id":"call-2","timestamp":1700000000005}}

        data: {"type":"data-permission-decision","id":"p-1","data":{"step_id":"step_0000000000000005","permission_id":"p-1","decision":"denied","timestamp":1700000000005}}

        data: {"type":"tool-output-error","toolCallId":"call-2","errorText":"denied: not allowed","dynamic":true}

        data: {"type":"data-step-end","transient":true,"data":{"step_id":"step_0000000000000002","duration_ms":8,"timestamp":1700000000002}}

        data: {"type":"data-agent-start","transient":true,"data":{"step_id":"step_0000000000000006","name":"writer","parent_step_id":"step_0000000000000001","timestamp":1700000000006}}

        data: {"type":"finish-step"}

        data: {"type":"start-step"}

        data: {"type":"data-llm-call-start","transient":true,"data":{"step_id":"step_0000000000000007","callable_name":"write","history_length":3,"model":"m-1","provider":"p","parent_step_id":"step_0000000000000006","timestamp":1700000000007}}

        data: {"type":"source-url","sourceId":"src","url":"https://sky.example/","title":"Sky"}

        data: {"type":"data-citation","id":"src","data":{"step_id":"step_0000000000000007","source_id":"src","url":"https://sky.example/","title":"Sky","snippet":"is blue","timestamp":1700000000007}}

        data: {"type":"text-start","id":"t2","providerMetadata":{"spanwright":{"agent":"writer"}}}

        data: {"type":"text-delta","id":"t2","delta":"Blue."}

        data: {"type":"text-end","id":"t2"}

        data: {"type":"data-llm-call-end","transient":true,"data":{"step_id":"step_0000000000000007","duration_ms":9,"finish_reasons":["stop"],"timestamp":1700000000007}}

        data: {"type":"data-token-usage","id":"usage","data":{"step_id":"step_0000000000000007","prompt_tokens":30,"completion_tokens":2,"total_tokens":32,"cumulative_tokens":57,"model":"m-1","provider":"p","timestamp":1700000000007}}

        data: {"type":"data-agent-end","transient":true,"data":{"step_id":"step_0000000000000006","duration_ms":11,"output":"Blue.","timestamp":1700000000006}}

        data: {"type":"file","url":"https://sky.example/sky.png","mediaType":"image/png"}

        data: {"type":"data-artifact-created","id":"a-1","data":{"step_id":"step_0000000000000001","artifact_id":"a-1","artifact_type":"image/png","name":"sky","uri":"https://sky.example/sky.png","timestamp":1700000000001}}

        data: {"type":"data-state-snapshot","id":"state","data":{"step_id":"step_0000000000000001","state":{"done":true},"timestamp":1700000000001}}

        data: {"type":"finish-step"}

        data: {"type":"finish","finishReason":"stop","messageMetadata":{"durationMs":1500}}

        data: [DONE]

    "#]].assert_eq(&told);
    assert_eq!(repairs, 0);
}

#[test]
fn a_failed_run_ends_with_an_error_and_a_cancelled_one_is_aborted() {
    let failed = ExecutionFailed::new(ExecutionError::new(ErrorCategory::LlmError, "overloaded"));
    let told = chunks(&[ExecutionStart::new().into(), TextStart::new("t").into(), failed.into()]);
    assert_eq!(
        types(&told),
        ["start", "start-step", "text-start", "text-end", "data-execution-failed", "finish-step", "error"]
    );
    assert_eq!(told.last().expect("chunk")["errorText"], "overloaded");
    let told = chunks(&[ExecutionStart::new().into(), ExecutionCancelled::new("enough").into()]);
    assert_eq!(types(&told), ["start", "data-execution-cancelled", "abort"]);
    assert_eq!(told[1]["data"], json!({"reason": "enough"}));
}

#[test]
fn a_stream_that_breaks_off_says_so() {
    let told = chunks(&[ExecutionStart::new().into(), TextStart::new("t").into(), TextDelta::new("t", "He").into()]);
    assert_eq!(told.last().expect("chunk"), &json!({"type": "error", "errorText": "the stream was interrupted"}));
}

#[test]
fn each_model_call_is_a_step_but_no_text_is_cut_by_one() {
    let call = |number| at(number, LlmCallStart::new("ask", 1));
    let end = |number| at(number, LlmCallEnd::new(1));
    let told = chunks(&run_of([call(1), end(1), call(2), end(2)]));
    assert_eq!((of(&told, "start-step").len(), of(&told, "finish-step").len()), (2, 2));
    let told = chunks(&run_of([
        call(1),
        at(1, TextStart::new("a")),
        call(2),
        at(1, TextDelta::new("a", "one")),
        at(1, TextEnd::new("a").final_text("one")),
        at(2, TextStart::new("b")),
        at(2, TextEnd::new("b").final_text("two")),
        end(2),
        end(1),
    ]));
    let told: Vec<_> = types(&told).into_iter().filter(|kind| !kind.starts_with("data-")).collect();
    let text = ["text-start", "text-delta", "text-end"];
    let steps = ["finish-step", "start-step"];
    assert_eq!(told, [&["start", "start-step"][..], &text, &steps, &text, &["finish-step", "finish"]].concat());
}

#[test]
fn a_payload_that_the_client_would_take_for_an_attack_is_sent_as_text() {
    for harmful in [r#"{"a":[{"__proto__":1}]}"#, r#"{"\u005f_proto__":1}"#, r#"{"constructor":{"prototype":{}}}"#] {
        let payload = Json::parse(harmful).expect("JSON");
        let told = chunks(&run_of([
            ToolInputAvailable::new("c", "search", payload.clone()).into(),
            ToolOutputAvailable::new("c", payload.clone()).into(),
            Note::new("n", payload).into(),
        ]));
        assert_eq!(of(&told, "tool-input-available")[0]["input"], harmful);
        assert_eq!(of(&told, "tool-output-available")[0]["output"], harmful);
        assert!(of(&told, "data-note")[0]["data"].as_str().expect("text").contains(harmful));
    }
    let harmless = r#"{"constructor":"a prototype","__proto":1}"#;
    let payload = Json::parse(harmless).expect("JSON");
    let told = chunks(&run_of([ToolInputAvailable::new("c", "search", payload).into()]));
    assert!(of(&told, "tool-input-available")[0]["input"].is_object());
}

#[test]
fn what_was_lost_is_told_and_stays_out_of_the_message() {
    let told = chunks(&[StreamLagged::new(4).into(), ExecutionStart::new().into()]);
    assert_eq!(types(&told), ["start", "data-stream-lagged", "error"]);
    assert_eq!(told[1], json!({"type": "data-stream-lagged", "transient": true, "data": {"dropped": 4}}));
}

#[test]
fn the_message_is_called_as_the_execution_so_that_a_second_reading_is_the_same_message() {
    assert_eq!(chunks(&script())[0]["messageId"], EXECUTION);
    assert_eq!(told(Dialect::AiSdkUi, &script()), told(Dialect::AiSdkUi, &script()));
}

#[test]
fn a_call_whose_id_was_used_before_is_a_call_of_its_own() {
    let call = |name: &str| StreamEvent::from(ToolInputAvailable::new("c", name, Json::null()));
    let output = |text: &str| StreamEvent::from(ToolOutputAvailable::new("c", Json::text(text)));
    let told = chunks(&run_of([call("look"), output("seen"), call("add"), output("3")]));
    let calls = of(&told, "tool-input-available");
    assert_eq!((&calls[0]["toolCallId"], &calls[0]["toolName"]), (&json!("c"), &json!("look")));
    assert_eq!((&calls[1]["toolCallId"], &calls[1]["toolName"]), (&json!("c~1"), &json!("add")));
    let outputs = of(&told, "tool-output-available");
    assert_eq!((&outputs[0]["output"], &outputs[1]["output"]), (&json!("seen"), &json!("3")));
    assert_eq!(outputs[1]["toolCallId"], "c~1");
}

#[test]
fn a_file_or_a_source_is_a_part_where_a_page_can_load_it() {
    let artifact = |uri: &str| StreamEvent::from(ArtifactCreated::new("a", "text/csv").uri(uri));
    let told = chunks(&run_of([artifact("https://files.example/a.csv"), artifact("/home/me/a.csv")]));
    assert_eq!(of(&told, "file").len(), 1);
    assert_eq!(of(&told, "data-artifact-created").len(), 2);
    let told = chunks(&run_of([Citation::new("s").into()]));
    let document = json!({"type": "source-document", "sourceId": "s", "mediaType": "text/plain", "title": "s"});
    assert_eq!(of(&told, "source-document"), [&document]);
}

#[test]
fn its_answer_has_the_header_that_its_clients_expect_and_ends_with_done() {
    let recorder = Recorder::builder().start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("server");
    let emitter = recorder.emitter();
    script().into_iter().for_each(|event| emitter.emit(event));
    let reply = http::get(server.addr(), &format!("/executions/{}/stream?dialect=ai-sdk-ui", emitter.execution_id()));
    assert_eq!(reply.header("x-vercel-ai-ui-message-stream"), Some("v1"));
    let text = reply.text();
    assert_eq!(text.lines().rfind(|line| line.starts_with("data: ")), Some("data: [DONE]"));
}
