//! AG-UI: exact bytes, and the rules of its client's schema and verifier.

use super::{
    EXECUTION, any, execution, frames, of, run_of,
    script::{at, script, step},
    told, types, values,
};
use crate::{runs, shared};
use expect_test::expect;
use proptest::prelude::*;
use serde_json::{Value, json};
use spanwright::{
    Json, StreamEvent,
    event::{
        AgentEnd, AgentStart, ErrorCategory, ErrorCode, ExecutionCancelled, ExecutionError, ExecutionFailed,
        ExecutionStart, OperationProgress, Outcome, ProgressStatus, StepEnd, StepStart, StepType, TextDelta, TextEnd,
        TextStart, ToolFailure, ToolInputAvailable, ToolOutputAvailable, ToolOutputError,
    },
    wire::{Dialect, Run, Translator},
};
use std::collections::{HashMap, HashSet};

fn chunks(events: &[StreamEvent]) -> Vec<Value> {
    values(&frames(&told(Dialect::AgUi, events).0))
}

/// Every type that we write: the keys that must be there, and those that may beside `timestamp` and `rawEvent`.
fn keys(kind: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        "RUN_STARTED" => (&["threadId", "runId"], &[]),
        "RUN_FINISHED" => (&["threadId", "runId", "outcome"], &["result", "usage"]),
        "RUN_ERROR" => (&["message"], &["code", "usage"]),
        "STEP_STARTED" | "STEP_FINISHED" => (&["stepName"], &[]),
        "TEXT_MESSAGE_START" | "REASONING_MESSAGE_START" => (&["messageId", "role"], &["subagentRunId"]),
        "TEXT_MESSAGE_CONTENT" | "REASONING_MESSAGE_CONTENT" => (&["messageId", "delta"], &[]),
        "TEXT_MESSAGE_END" | "REASONING_MESSAGE_END" | "REASONING_END" => (&["messageId"], &[]),
        "REASONING_START" => (&["messageId"], &["subagentRunId"]),
        "TOOL_CALL_START" => (&["toolCallId", "toolCallName"], &["subagentRunId"]),
        "TOOL_CALL_ARGS" => (&["toolCallId", "delta"], &[]),
        "TOOL_CALL_END" => (&["toolCallId"], &[]),
        "TOOL_CALL_RESULT" => (&["messageId", "toolCallId", "content", "role"], &[]),
        "STATE_SNAPSHOT" => (&["snapshot"], &[]),
        "ACTIVITY_SNAPSHOT" => (&["messageId", "activityType", "content"], &["replace"]),
        "SUBAGENT_STARTED" => (&["subagentRunId", "name"], &["parentSubagentRunId"]),
        "SUBAGENT_FINISHED" => (&["subagentRunId"], &["result"]),
        "SUBAGENT_ERROR" => (&["subagentRunId", "message"], &["code"]),
        "CUSTOM" => (&["name", "value"], &[]),
        other => panic!("no such type: {other}"),
    }
}

fn fits_the_schema(chunk: &Value) {
    let fields = chunk.as_object().expect("object");
    let (required, optional) = keys(chunk["type"].as_str().expect("type"));
    assert!(required.iter().all(|name| fields.contains_key(*name)), "{chunk}");
    for (name, value) in fields {
        match name.as_str() {
            "type" => {}
            "timestamp" => assert!(value.is_i64(), "{chunk}"),
            "rawEvent" | "content" if value.is_object() => {}
            "snapshot" | "value" => {}
            "outcome" => assert!(value["type"].is_string(), "{chunk}"),
            "usage" => assert!(value.as_array().is_some_and(|usage| !usage.is_empty()), "{chunk}"),
            "replace" => assert_eq!(*value, true),
            known => {
                assert!(required.contains(&known) || optional.contains(&known), "{name} in {chunk}");
                assert!(value.is_string(), "{name} in {chunk}");
            }
        }
    }
}

/// What the verifier keeps of a run.
#[derive(Default)]
struct Verifier {
    /// Open messages, calls and spans, by the word before `_START`, with their owner.
    open: HashSet<(String, String)>,
    steps: HashSet<String>,
    agents: HashMap<String, bool>,
    messages: HashSet<String>,
}

impl Verifier {
    fn take(&mut self, chunk: &Value) {
        let (kind, text) =
            (chunk["type"].as_str().expect("type"), |name: &str| chunk[name].as_str().map(str::to_owned));
        let thing = kind.rsplit_once('_').map_or(kind, |(thing, _)| thing).to_owned();
        let id = text("messageId").or_else(|| text("toolCallId")).unwrap_or_default();
        match kind {
            "STEP_STARTED" => assert!(self.steps.insert(text("stepName").expect("name")), "{chunk}"),
            "STEP_FINISHED" => assert!(self.steps.remove(&text("stepName").expect("name")), "{chunk}"),
            "SUBAGENT_STARTED" => {
                let around = text("parentSubagentRunId");
                assert!(around.is_none_or(|around| self.agents.contains_key(&around)), "{chunk}");
                assert_eq!(self.agents.insert(text("subagentRunId").expect("id"), true), None, "{chunk}");
            }
            "SUBAGENT_FINISHED" | "SUBAGENT_ERROR" => {
                assert_eq!(self.agents.insert(text("subagentRunId").expect("id"), false), Some(true), "{chunk}");
            }
            "TOOL_CALL_RESULT" => {
                assert!(!self.open.contains(&("TOOL_CALL".to_owned(), text("toolCallId").expect("id"))), "{chunk}");
                assert!(self.messages.insert(id), "{chunk}");
            }
            _ if kind.ends_with("_START") => {
                let owner = text("subagentRunId");
                assert!(owner.is_none_or(|owner| self.agents.get(&owner) == Some(&true)), "{chunk}");
                assert!(kind.starts_with("REASONING_") || self.messages.insert(id.clone()), "{chunk} again");
                assert!(self.open.insert((thing, id)), "{chunk}");
            }
            _ if kind.ends_with("_CONTENT") || kind.ends_with("_ARGS") => {
                assert!(self.open.contains(&(thing, id)), "{chunk}");
            }
            _ if kind.ends_with("_END") => assert!(self.open.remove(&(thing, id)), "{chunk}"),
            _ => {}
        }
    }
}

fn obeys_the_rules(events: &[StreamEvent]) {
    let chunks = chunks(events);
    chunks.iter().for_each(fits_the_schema);
    let is_terminal = |chunk: &Value| chunk["type"] == "RUN_FINISHED" || chunk["type"] == "RUN_ERROR";
    assert_eq!(chunks[0]["type"], "RUN_STARTED");
    assert_eq!(of(&chunks, "RUN_STARTED").len(), 1);
    assert_eq!(chunks.iter().position(is_terminal), Some(chunks.len() - 1), "one end, at the end");
    let mut verifier = Verifier::default();
    chunks[1..chunks.len() - 1].iter().for_each(|chunk| verifier.take(chunk));
    assert!(verifier.open.is_empty(), "open at the end: {:?}", verifier.open);
    assert!(verifier.steps.is_empty(), "open at the end: {:?}", verifier.steps);
    assert!(verifier.agents.values().all(|open| !open), "open at the end: {:?}", verifier.agents);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn whatever_happens_what_is_written_obeys_the_rules(events in any::events()) {
        obeys_the_rules(&events);
    }
}

#[test]
fn a_hundred_real_runs_obey_the_rules() {
    let Some(text) = shared::read("data/airline-runs.jsonl") else { return };
    for run in runs::read(&text) {
        obeys_the_rules(&run);
    }
}

#[test]
fn a_run_in_exact_bytes() {
    let (told, repairs) = told(Dialect::AgUi, &script());
    expect![[r#"
        data: {"type":"RUN_STARTED","timestamp":1700000000001,"rawEvent":{"type":"data-execution-start","step_id":"step_0000000000000001","name":"research","session_id":"s-1","timestamp":1700000000001},"threadId":"s-1","runId":"exec_000000000000000000000000000000aa"}

        data: {"type":"STEP_STARTED","timestamp":1700000000002,"rawEvent":{"type":"data-step-start","step_id":"step_0000000000000002","step_type":"FunctionNode","name":"look","parent_step_id":"step_0000000000000001","timestamp":1700000000002},"stepName":"look"}

        data: {"type":"CUSTOM","timestamp":1700000000003,"name":"data-llm-call-start","value":{"step_id":"step_0000000000000003","callable_name":"ask","history_length":2,"model":"m-1","provider":"p","parent_step_id":"step_0000000000000002","timestamp":1700000000003}}

        data: {"type":"REASONING_START","timestamp":1700000000003,"messageId":"exec_000000000000000000000000000000aa/reasoning/r"}

        data: {"type":"REASONING_MESSAGE_START","timestamp":1700000000003,"messageId":"exec_000000000000000000000000000000aa/reasoning/r","role":"reasoning"}

        data: {"type":"REASONING_MESSAGE_CONTENT","timestamp":1700000000003,"messageId":"exec_000000000000000000000000000000aa/reasoning/r","delta":"Hm."}

        data: {"type":"REASONING_MESSAGE_END","timestamp":1700000000003,"messageId":"exec_000000000000000000000000000000aa/reasoning/r"}

        data: {"type":"REASONING_END","timestamp":1700000000003,"messageId":"exec_000000000000000000000000000000aa/reasoning/r"}

        data: {"type":"TEXT_MESSAGE_START","timestamp":1700000000003,"messageId":"exec_000000000000000000000000000000aa/text/t1","role":"assistant"}

        data: {"type":"TEXT_MESSAGE_CONTENT","timestamp":1700000000003,"messageId":"exec_000000000000000000000000000000aa/text/t1","delta":"Let me "}

        data: {"type":"TEXT_MESSAGE_CONTENT","timestamp":1700000000003,"messageId":"exec_000000000000000000000000000000aa/text/t1","delta":"look.\n"}

        data: {"type":"TEXT_MESSAGE_END","timestamp":1700000000003,"messageId":"exec_000000000000000000000000000000aa/text/t1"}

        data: {"type":"TOOL_CALL_START","timestamp":1700000000003,"toolCallId":"call-1","toolCallName":"search"}

        data: {"type":"TOOL_CALL_ARGS","timestamp":1700000000003,"toolCallId":"call-1","delta":"{\"q\":"}

        data: {"type":"TOOL_CALL_ARGS","timestamp":1700000000003,"toolCallId":"call-1","delta":"\"sky\"}"}

        data: {"type":"CUSTOM","timestamp":1700000000003,"name":"data-llm-call-end","value":{"step_id":"step_0000000000000003","duration_ms":9,"finish_reasons":["tool_calls"],"timestamp":1700000000003}}

        data: {"type":"CUSTOM","timestamp":1700000000003,"name":"data-token-usage","value":{"step_id":"step_0000000000000003","prompt_tokens":20,"completion_tokens":5,"total_tokens":25,"cumulative_tokens":25,"cost_usd":0.25,"model":"m-1","provider":"p","cached_tokens":4,"timestamp":1700000000003}}

        data: {"type":"TOOL_CALL_END","timestamp":1700000000004,"toolCallId":"call-1"}

        data: {"type":"ACTIVITY_SNAPSHOT","timestamp":1700000000004,"messageId":"exec_000000000000000000000000000000aa/activity/dl","activityType":"download","content":{"step_id":"step_0000000000000004","operation_id":"dl","operation_type":"download","done":5,"status":"running","total":9,"timestamp":1700000000004},"replace":true}

        data: {"type":"TOOL_CALL_RESULT","timestamp":1700000000004,"messageId":"exec_000000000000000000000000000000aa/result/call-1","toolCallId":"call-1","content":"blue","role":"tool"}

        data: {"type":"TOOL_CALL_START","timestamp":1700000000005,"toolCallId":"call-2","toolCallName":"delete"}

        data: {"type":"TOOL_CALL_ARGS","timestamp":1700000000005,"toolCallId":"call-2","delta":"\"all\""}

        data: {"type":"TOOL_CALL_END","timestamp":1700000000005,"toolCallId":"call-2"}

        data: {"type":"CUSTOM","timestamp":1700000000005,"name":"data-permission-request","value":{"step_id":"step_0000000000000005","tool_name":"delete","arguments":"all","policy":"destructive","permission_id":"p-1","tool_call_id":"call-2","timestamp":1700000000005}}

        data: {"type":"CUSTOM","timestamp":1700000000005,"name":"data-permission-decision","value":{"step_id":"step_0000000000000005","permission_id":"p-1","decision":"denied","timestamp":1700000000005}}

        data: {"type":"CUSTOM","timestamp":1700000000005,"name":"data-tool-output-error","value":{"step_id":"step_0000000000000005","tool_call_id":"call-2","error":"not allowed","outcome":"denied","timestamp":1700000000005}}

        data: {"type":"TOOL_CALL_RESULT","timestamp":1700000000005,"messageId":"exec_000000000000000000000000000000aa/result/call-2","toolCallId":"call-2","content":"not allowed","role":"tool"}

        data: {"type":"STEP_FINISHED","timestamp":1700000000002,"rawEvent":{"type":"data-step-end","step_id":"step_0000000000000002","duration_ms":8,"timestamp":1700000000002},"stepName":"look"}

        data: {"type":"SUBAGENT_STARTED","timestamp":1700000000006,"rawEvent":{"type":"data-agent-start","step_id":"step_0000000000000006","name":"writer","parent_step_id":"step_0000000000000001","timestamp":1700000000006},"subagentRunId":"exec_000000000000000000000000000000aa/agent/1","name":"writer"}

        data: {"type":"CUSTOM","timestamp":1700000000007,"name":"data-llm-call-start","value":{"step_id":"step_0000000000000007","callable_name":"write","history_length":3,"model":"m-1","provider":"p","parent_step_id":"step_0000000000000006","timestamp":1700000000007}}

        data: {"type":"CUSTOM","timestamp":1700000000007,"name":"data-citation","value":{"step_id":"step_0000000000000007","source_id":"src","url":"https://sky.example/","title":"Sky","snippet":"is blue","timestamp":1700000000007}}

        data: {"type":"TEXT_MESSAGE_START","timestamp":1700000000007,"messageId":"exec_000000000000000000000000000000aa/text/t2","role":"assistant","subagentRunId":"exec_000000000000000000000000000000aa/agent/1"}

        data: {"type":"TEXT_MESSAGE_CONTENT","timestamp":1700000000007,"messageId":"exec_000000000000000000000000000000aa/text/t2","delta":"Blue."}

        data: {"type":"TEXT_MESSAGE_END","timestamp":1700000000007,"messageId":"exec_000000000000000000000000000000aa/text/t2"}

        data: {"type":"CUSTOM","timestamp":1700000000007,"name":"data-llm-call-end","value":{"step_id":"step_0000000000000007","duration_ms":9,"finish_reasons":["stop"],"timestamp":1700000000007}}

        data: {"type":"CUSTOM","timestamp":1700000000007,"name":"data-token-usage","value":{"step_id":"step_0000000000000007","prompt_tokens":30,"completion_tokens":2,"total_tokens":32,"cumulative_tokens":57,"model":"m-1","provider":"p","timestamp":1700000000007}}

        data: {"type":"SUBAGENT_FINISHED","timestamp":1700000000006,"rawEvent":{"type":"data-agent-end","step_id":"step_0000000000000006","duration_ms":11,"output":"Blue.","timestamp":1700000000006},"subagentRunId":"exec_000000000000000000000000000000aa/agent/1","result":"Blue."}

        data: {"type":"CUSTOM","timestamp":1700000000001,"name":"data-artifact-created","value":{"step_id":"step_0000000000000001","artifact_id":"a-1","artifact_type":"image/png","name":"sky","uri":"https://sky.example/sky.png","timestamp":1700000000001}}

        data: {"type":"STATE_SNAPSHOT","timestamp":1700000000001,"snapshot":{"done":true}}

        data: {"type":"RUN_FINISHED","timestamp":1700000000001,"rawEvent":{"type":"data-execution-end","step_id":"step_0000000000000001","duration_ms":1500,"final_output":"Blue, says the page.","timestamp":1700000000001},"threadId":"s-1","runId":"exec_000000000000000000000000000000aa","result":"Blue, says the page.","outcome":{"type":"success"},"usage":[{"inputTokens":50,"outputTokens":7,"totalTokens":57,"cachedInputTokens":4,"provider":"p","model":"m-1"}]}

    "#]].assert_eq(&told);
    assert_eq!(repairs, 0);
}

#[test]
fn steps_of_one_name_that_are_open_at_once_are_told_apart() {
    let start = |number| at(number, StepStart::new(StepType::FunctionNode, "look"));
    let end = |number| at(number, StepEnd::new(1));
    let told = chunks(&run_of([start(1), start(2), end(1), start(3), end(3), end(2)]));
    let names: Vec<_> = told.iter().filter_map(|chunk| chunk["stepName"].as_str()).collect();
    assert_eq!(names, ["look", "look (2)", "look", "look", "look", "look (2)"]);
}

#[test]
fn what_an_agent_inside_the_run_says_is_its_own() {
    let told = chunks(&run_of([
        at(1, AgentStart::new("outer")),
        at(2, AgentStart::new("inner").parent_step_id(step(1))),
        at(2, TextStart::new("a")),
        at(2, TextEnd::new("a").final_text("inner")),
        at(2, AgentEnd::new(1).outcome(Outcome::Error).error("broken")),
        at(1, TextStart::new("b")),
        at(1, TextEnd::new("b")),
        at(1, AgentEnd::new(1)),
        at(3, TextStart::new("c")),
        at(3, TextEnd::new("c")),
    ]));
    let (outer, inner) = (format!("{EXECUTION}/agent/1"), format!("{EXECUTION}/agent/2"));
    assert_eq!(of(&told, "SUBAGENT_STARTED")[1]["parentSubagentRunId"], outer);
    assert_eq!(of(&told, "SUBAGENT_ERROR")[0]["message"], "broken");
    let owners: Vec<_> = of(&told, "TEXT_MESSAGE_START").iter().map(|text| text["subagentRunId"].clone()).collect();
    assert_eq!(owners, [json!(inner), json!(outer), Value::Null]);
}

#[test]
fn an_input_is_said_once_and_none_is_an_empty_object() {
    let call = |id: &str, input: Json| StreamEvent::from(ToolInputAvailable::new(id, "search", input));
    let told = chunks(&run_of([call("a", Json::text("sky")), call("b", Json::null())]));
    let inputs: Vec<_> = of(&told, "TOOL_CALL_ARGS").iter().map(|args| args["delta"].clone()).collect();
    assert_eq!(inputs, ["\"sky\"", "{}"]);
}

#[test]
fn a_result_is_the_text_or_the_json_of_it_and_a_failure_is_told_beside_it() {
    let call = |id: &str| StreamEvent::from(ToolInputAvailable::new(id, "search", Json::null()));
    let told = chunks(&run_of([
        call("a"),
        ToolOutputAvailable::new("a", Json::text("two\nlines")).into(),
        call("b"),
        ToolOutputAvailable::new("b", Json::parse("{\"n\": 1}").expect("JSON")).into(),
        call("c"),
        ToolOutputError::new("c", "not allowed", ToolFailure::Denied).into(),
    ]));
    let results: Vec<_> = of(&told, "TOOL_CALL_RESULT").iter().map(|result| result["content"].clone()).collect();
    assert_eq!(results, ["two\nlines", "{\"n\": 1}", "not allowed"]);
    assert_eq!(of(&told, "CUSTOM")[0]["value"]["outcome"], "denied");
}

#[test]
fn a_run_that_did_not_end_well_says_how() {
    let error = ExecutionError::new(ErrorCategory::LlmError, "slow down").with_code(ErrorCode::RateLimit);
    let told = chunks(&[ExecutionStart::new().into(), ExecutionFailed::new(error).into()]);
    assert_eq!((&told[1]["message"], &told[1]["code"]), (&json!("slow down"), &json!("rate_limit")));
    let told = chunks(&[ExecutionStart::new().into(), ExecutionCancelled::new("enough").into()]);
    assert_eq!(told[1]["outcome"], json!({"type": "cancelled"}));
    let told = chunks(&[ExecutionStart::new().into()]);
    assert_eq!((types(&told).last(), &told[1]["code"]), (Some(&"RUN_ERROR"), &json!("lost")));
}

#[test]
fn the_thread_is_what_the_client_named_else_the_session_else_the_run_itself() {
    let thread = |run: &Run, start: ExecutionStart| {
        let mut out = String::new();
        Translator::new(Dialect::AgUi, run).expect("translator").event(&start.into(), &mut out);
        values(&frames(&out))[0]["threadId"].clone()
    };
    let (plain, named) = (Run::new(execution()), Run::new(execution()).of_session(Some("th".into())));
    assert_eq!(thread(&named, ExecutionStart::new().session_id("s")), "th");
    assert_eq!(thread(&plain, ExecutionStart::new().session_id("s")), "s");
    assert_eq!(thread(&plain, ExecutionStart::new()), EXECUTION);
}

#[test]
fn messages_of_two_runs_in_one_thread_never_share_an_id() {
    let events = run_of([TextStart::new("t").into(), TextDelta::new("t", "x").into(), TextEnd::new("t").into()]);
    assert_eq!(chunks(&events)[1]["messageId"], format!("{EXECUTION}/text/t"));
}

#[test]
fn progress_is_an_activity_that_replaces_itself() {
    let progress = |done| OperationProgress::new("dl", "download", done, ProgressStatus::Running).into();
    let told = chunks(&run_of([progress(1), progress(2)]));
    let activities = of(&told, "ACTIVITY_SNAPSHOT");
    assert_eq!(activities[0]["messageId"], activities[1]["messageId"]);
    assert_eq!(activities[1]["content"]["done"], 2);
}
