//! rig 0.44 in real runs: with a tool, streamed and whole, under an ambient span and alone, and in a span of ours.

use super::{count, endpoint, usage};
use crate::layer::{record, told};
use expect_test::{Expect, expect};
use futures_util::StreamExt;
use rig::{
    agent::{Agent, AgentBuilder},
    prelude::Model,
    providers::openai::{OpenAIConfig, wire::Chat},
    rig_reqwest::ReqwestClient,
    tool::{PortableTool, ToolExecutionError},
};
use serde_json::{Value, json};
use spanwright::StreamEvent;
use tracing::Instrument;

struct Search;

#[derive(serde::Deserialize)]
struct Query {
    q: String,
}

impl PortableTool for Search {
    const NAME: &'static str = "search";
    type Args = Query;
    type Output = Value;
    type Error = ToolExecutionError;

    fn description(&self) -> String {
        "Searches.".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({ "type": "object", "properties": { "q": { "type": "string" } }, "required": ["q"] })
    }

    async fn call(&self, query: Query) -> Result<Value, ToolExecutionError> {
        let ours = spanwright::span::tool("search");
        Ok(ours.in_scope(|| json!([query.q])))
    }
}

fn model(name: &str) -> Model<Chat> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().expect("client");
    let config = OpenAIConfig::new("no-key-needed").with_base_url(endpoint::url());
    config.connect(ReqwestClient::from(http)).chat(name)
}

fn agent(name: &str) -> Agent {
    AgentBuilder::new(model(name))
        .name("finder")
        .default_max_turns(4)
        .record_content_telemetry(true)
        .tool(Search)
        .build()
}

fn run(program: impl Future<Output = ()>) -> Vec<StreamEvent> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    record(|| runtime.block_on(program))
}

/// Without the messages, which rig words.
fn without_messages(events: &[StreamEvent]) -> String {
    let keep = |line: &str| {
        let (head, json) = line.split_once(" {").expect("JSON");
        let mut fields: serde_json::Map<String, Value> = serde_json::from_str(&format!("{{{json}")).expect("object");
        if head.contains("llm-call") {
            ["input", "output", "finish_reasons"].iter().for_each(|key| drop(fields.remove(*key)));
        }
        let sorted: std::collections::BTreeMap<_, _> = fields.into_iter().collect();
        format!("{head} {}\n", serde_json::to_string(&sorted).expect("JSON"))
    };
    told(events).lines().map(keep).collect()
}

fn check(program: impl Future<Output = ()>, expected: Expect) {
    expected.assert_eq(&without_messages(&run(program)));
}

async fn ask(agent: &Agent) {
    agent.prompt("Why is the sky blue?").await.expect("answer");
}

async fn ask_streaming(agent: &Agent) {
    let mut items = agent.prompt("Why is the sky blue?").stream();
    while let Some(item) = items.next().await {
        item.expect("item");
    }
}

#[test]
fn an_agent_alone_is_an_execution_with_its_calls_and_tools() {
    check(
        async { ask(&agent("m-1")).await },
        expect![[r#"
            s1 execution-start {"input":"Why is the sky blue?","name":"finder"}
            s2 in s1 llm-call-start {"callable_name":"finder","history_length":1,"model":"m-1","provider":"openai"}
            s2 llm-call-end {"cached_tokens":4,"completion_tokens":3,"model":"answering-1","prompt_tokens":11,"provider":"openai","reasoning_tokens":1,"response_id":"resp_1","total_tokens":14,"usage":"reported"}
            s2 token-usage {"cached_tokens":4,"calls_without_price":1,"completion_tokens":3,"cumulative_tokens":14,"model":"answering-1","prompt_tokens":11,"provider":"openai","reasoning_tokens":1,"total_tokens":14}
            s3 in s1 tool-input-available {"input":{"q":"sky"},"tool_call_id":"call_1","tool_name":"search"}
            s3 tool-output-available {"output":["sky"],"tool_call_id":"call_1","tool_name":"search"}
            s4 in s1 llm-call-start {"callable_name":"finder","history_length":3,"model":"m-1","provider":"openai"}
            s4 llm-call-end {"cached_tokens":4,"completion_tokens":3,"model":"answering-1","prompt_tokens":11,"provider":"openai","reasoning_tokens":1,"response_id":"resp_1","total_tokens":14,"usage":"reported"}
            s4 token-usage {"cached_tokens":4,"calls_without_price":2,"completion_tokens":3,"cumulative_tokens":28,"model":"answering-1","prompt_tokens":11,"provider":"openai","reasoning_tokens":1,"total_tokens":14}
            s1 execution-end {"final_output":"Because of air."}
        "#]],
    );
}

#[test]
fn a_streaming_agent_under_an_ambient_span_is_that_span() {
    let program = async {
        let request = tracing::info_span!("http_request");
        ask_streaming(&agent("m-1")).instrument(request).await;
    };
    check(
        program,
        expect![[r#"
            s1 execution-start {"name":"finder"}
            s2 in s1 llm-call-start {"callable_name":"finder","history_length":1,"model":"m-1","provider":"openai"}
            s2 llm-call-end {"cached_tokens":4,"completion_tokens":3,"model":"answering-1","prompt_tokens":11,"provider":"openai","reasoning_tokens":1,"response_id":"resp_1","total_tokens":14,"usage":"reported"}
            s2 token-usage {"cached_tokens":4,"calls_without_price":1,"completion_tokens":3,"cumulative_tokens":14,"model":"answering-1","prompt_tokens":11,"provider":"openai","reasoning_tokens":1,"total_tokens":14}
            s3 in s1 tool-input-available {"input":{"q":"sky"},"tool_call_id":"call_1","tool_name":"search"}
            s3 tool-output-available {"output":["sky"],"tool_call_id":"call_1","tool_name":"search"}
            s4 in s1 llm-call-start {"callable_name":"finder","history_length":3,"model":"m-1","provider":"openai"}
            s4 llm-call-end {"cached_tokens":4,"completion_tokens":3,"model":"answering-1","prompt_tokens":11,"provider":"openai","reasoning_tokens":1,"response_id":"resp_1","total_tokens":14,"usage":"reported"}
            s4 token-usage {"cached_tokens":4,"calls_without_price":2,"completion_tokens":3,"cumulative_tokens":28,"model":"answering-1","prompt_tokens":11,"provider":"openai","reasoning_tokens":1,"total_tokens":14}
            s1 execution-end {}
        "#]],
    );
}

#[test]
fn an_agent_in_ours_is_ours() {
    let program = async {
        spanwright::span::agent("mine").run(async { ask(&agent("m-1")).await }).await;
    };
    let events = run(program);
    let starts = ["data-execution-start", "data-agent-start", "data-llm-call-start", "data-tool-input-available"];
    assert_eq!(starts.map(|tag| count(&events, tag)), [1, 0, 2, 1], "{}", told(&events));
    assert_eq!(usage(&events), (22, 6, 28));
}

#[test]
fn a_completion_fills_our_call_in_and_opens_none() {
    let program = async {
        let call = async {
            model("m-1").call("Why?").await.expect("answer");
        };
        spanwright::span::llm("asked").run(call).await;
    };
    check(
        program,
        expect![[r#"
            s1 execution-start {"name":"asked"}
            s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"asked"}
            s1 llm-call-end {"cached_tokens":4,"completion_tokens":3,"model":"answering-1","prompt_tokens":11,"provider":"openai","reasoning_tokens":1,"response_id":"resp_1","total_tokens":14,"usage":"reported"}
            s1 token-usage {"cached_tokens":4,"calls_without_price":1,"completion_tokens":3,"cumulative_tokens":14,"model":"answering-1","prompt_tokens":11,"provider":"openai","reasoning_tokens":1,"total_tokens":14}
            s1 execution-end {}
        "#]],
    );
}

#[test]
fn a_completion_without_an_agent_is_one_call() {
    let events = run(async {
        model("m-1").call("Why?").await.expect("answer");
    });
    assert_eq!(count(&events, "data-llm-call-start"), 1, "{}", told(&events));
    assert_eq!(usage(&events), (11, 3, 14), "{}", told(&events));
}

#[test]
fn a_call_whose_request_failed_did_not_end_well() {
    let events = run(async {
        agent("failing").prompt("Why?").await.expect_err("no model");
    });
    assert_eq!(count(&events, "data-llm-call-failed"), 1, "{}", told(&events));
}
