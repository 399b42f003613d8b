//! genai 0.7 with its feature `otel`, in real calls: its spans are never entered.

use super::{count, endpoint, usage};
use crate::layer::{record, told};
use expect_test::expect;
use futures_util::StreamExt;
use genai::{
    Client, ModelIden, ServiceTarget,
    adapter::AdapterKind,
    chat::{ChatMessage, ChatOptions, ChatRequest},
    resolver::{AuthData, Endpoint},
};
use serde_json::Value;
use spanwright::StreamEvent;
use std::collections::BTreeMap;

fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().expect("client");
    let to_here = |target: ServiceTarget| -> Result<ServiceTarget, genai::resolver::Error> {
        let model = ModelIden::new(AdapterKind::OpenAI, target.model.model_name);
        let endpoint = Endpoint::from_owned(format!("{}/", endpoint::url()));
        Ok(ServiceTarget { endpoint, auth: AuthData::from_single("no-key-needed"), model })
    };
    Client::builder().with_reqwest(http).with_service_target_resolver_fn(to_here).build().expect("client")
}

fn question() -> ChatRequest {
    ChatRequest::new(vec![ChatMessage::user("Why is the sky blue?")])
}

fn run(program: impl AsyncFnOnce(Client)) -> Vec<StreamEvent> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    record(|| runtime.block_on(program(client())))
}

/// Polls once.
async fn poll(mut future: std::pin::Pin<&mut impl Future>) -> std::task::Poll<()> {
    std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).map(drop))).await
}

/// Without what depends on the clock.
fn without_times(text: &str) -> String {
    let keep = |line: &str| {
        let (head, json) = line.split_once(" {").expect("JSON");
        let mut fields: BTreeMap<String, Value> = serde_json::from_str(&format!("{{{json}")).expect("object");
        ["time_to_first_chunk_ms", "tokens_per_second"].iter().for_each(|key| drop(fields.remove(*key)));
        format!("{head} {}\n", serde_json::to_string(&fields).expect("JSON"))
    };
    text.lines().map(keep).collect()
}

#[test]
fn a_call_is_a_call_whole_and_streamed() {
    let events = run(async |client| {
        client.exec_chat("m-1", question(), None).await.expect("answer");
        let options = ChatOptions::default().with_capture_usage(true);
        let mut answer = client.exec_chat_stream("m-1", question(), Some(&options)).await.expect("stream").stream;
        while let Some(event) = answer.next().await {
            event.expect("event");
        }
    });
    expect![[r#"
        s1 execution-start {"name":"m-1"}
        s1 llm-call-start {"callable_name":"genai.chat","history_length":0,"model":"m-1","provider":"openai"}
        s1 llm-call-end {"cached_tokens":4,"completion_tokens":3,"finish_reasons":["stop"],"model":"answering-1","prompt_tokens":11,"provider":"openai","reasoning_tokens":1,"total_tokens":14,"usage":"reported"}
        s1 token-usage {"cached_tokens":4,"calls_without_price":1,"completion_tokens":3,"cumulative_tokens":14,"model":"answering-1","prompt_tokens":11,"provider":"openai","reasoning_tokens":1,"total_tokens":14}
        s1 execution-end {}
        s2 execution-start {"name":"m-1"}
        s2 llm-call-start {"callable_name":"genai.chat","history_length":0,"model":"m-1","provider":"openai"}
        s2 llm-call-end {"cached_tokens":4,"completion_tokens":3,"finish_reasons":["stop"],"model":"m-1","prompt_tokens":11,"provider":"openai","reasoning_tokens":1,"total_tokens":14,"usage":"reported"}
        s2 token-usage {"cached_tokens":4,"calls_without_price":1,"completion_tokens":3,"cumulative_tokens":14,"model":"m-1","prompt_tokens":11,"provider":"openai","reasoning_tokens":1,"total_tokens":14}
        s2 execution-end {}
    "#]]
    .assert_eq(&without_times(&told(&events)));
}

#[test]
fn a_call_is_seen_when_it_begins_and_not_when_it_is_over() {
    let events = run(async |client| {
        let call = async {
            client.exec_chat("m-1", question(), None).await.expect("answer");
        };
        let mut call = std::pin::pin!(call);
        // Begun, and waiting for the endpoint.
        assert!(poll(call.as_mut()).await.is_pending());
        drop(tracing::info_span!("t", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "meanwhile"));
        call.await;
        client.embed("m-1", "text", None).await.expect("embedding");
    });
    let at = |tag: &str| events.iter().position(|event| event.kind().tag() == tag).expect(tag);
    assert!(at("data-llm-call-start") < at("data-tool-input-available"), "{}", told(&events));
    assert!(at("data-tool-output-available") < at("data-llm-call-end"), "{}", told(&events));
    assert!(told(&events).contains(r#"embedding {"model":"m-1","prompt_tokens":6}"#), "{}", told(&events));
}

#[test]
fn a_call_that_fails_says_why() {
    let events = run(async |client| {
        client.exec_chat("failing", question(), None).await.expect_err("no model");
    });
    assert_eq!(count(&events, "data-llm-call-failed"), 1, "{}", told(&events));
    assert!(told(&events).contains(r#""error_type":"500""#), "{}", told(&events));
}

#[test]
fn a_call_in_our_own_is_one_call_that_knows_what_genai_knows() {
    let events = run(async |client| {
        let call = async {
            client.exec_chat("m-1", question(), None).await.expect("answer");
        };
        spanwright::span::llm("asked").run(call).await;
    });
    assert_eq!(count(&events, "data-llm-call-start"), 1, "{}", told(&events));
    assert_eq!(usage(&events), (11, 3, 14), "{}", told(&events));
    assert!(
        told(&events).contains(r#""model":"answering-1","prompt_tokens":11,"provider":"openai""#),
        "{}",
        told(&events)
    );
}

/// genai has it for an event, and opens a span that is over at once.
#[test]
fn an_evaluation_is_a_step_with_its_score() {
    let events = record(|| genai::otel::events::EvalResult::new("relevance").with_score_value(0.5).emit());
    let told = told(&events);
    assert!(told.contains(r#"step-start {"name":"relevance","step_type":"EvaluatorNode"}"#), "{told}");
    assert!(told.contains(r#""score":0.5"#), "{told}");
}
