//! Spans become events: whoever wrote them, whatever happens in between.

use expect_test::{Expect, expect};
use spanwright::{
    AgentLayer, ContentLevel, ContentPolicy, Recorder, StreamEvent,
    hub::{Filter, From},
};
use std::{collections::HashMap, time::Duration};
use tracing::{Instrument, field::Empty, info_span};
use tracing_subscriber::prelude::*;

/// The events of a program, one line each: who, its parent, the type and what matters of it.
pub(crate) fn told(events: &[StreamEvent]) -> String {
    let mut names: HashMap<String, String> = HashMap::new();
    let mut lines = String::new();
    for event in events {
        let json: serde_json::Value = serde_json::from_str(&event.to_json()).expect("JSON");
        let mut name = |key: &str| {
            let id = json[key].as_str()?.to_owned();
            let next = format!("s{}", names.len() + 1);
            Some(names.entry(id).or_insert(next).clone())
        };
        let (step, parent) = (name("step_id").unwrap_or_default(), name("parent_step_id"));
        let mut rest = json.as_object().expect("object").clone();
        for key in ["type", "execution_id", "step_id", "parent_step_id", "timestamp", "duration_ms", "error"] {
            let error = rest.remove(key);
            if let Some(message) =
                error.as_ref().and_then(|error| error["message"].as_str().or(error.as_str())).filter(|_| key == "error")
            {
                rest.insert("error".into(), message.into());
            }
        }
        for key in ["id", "tool_call_id"] {
            if rest.get(key).and_then(|id| id.as_str()).is_some_and(|id| id.len() > 12) {
                rest.remove(key);
            }
        }
        let parent = parent.map(|parent| format!(" in {parent}")).unwrap_or_default();
        let tag = json["type"].as_str().expect("type").trim_start_matches("data-");
        // Sorted: whether serde_json keeps an order depends on what else is in the build.
        let rest: std::collections::BTreeMap<_, _> = rest.into_iter().collect();
        let rest = serde_json::to_string(&rest).expect("JSON");
        lines.push_str(&format!("{step}{parent} {tag} {rest}\n"));
    }
    lines
}

pub(crate) fn record(program: impl FnOnce()) -> Vec<StreamEvent> {
    let content = ContentPolicy::new(ContentLevel::Full);
    let recorder = Recorder::builder().content(content).start().expect("start");
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    let subscriber = tracing_subscriber::registry().with(AgentLayer::new(recorder.clone()));
    tracing::subscriber::with_default(subscriber, program);
    recorder.settle().wait(Duration::from_secs(60)).expect("settle");
    std::iter::from_fn(|| stream.try_next()).collect()
}

pub(crate) fn check(program: impl FnOnce(), expected: Expect) {
    expected.assert_eq(&told(&record(program)));
}

#[test]
fn a_plain_span_with_the_conventions_fields_is_enough() {
    check(
        || {
            let _agent =
                info_span!("run", gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "research").entered();
            let llm = info_span!(
                "llm",
                gen_ai.operation.name = "chat",
                gen_ai.request.model = "gpt-4o",
                gen_ai.usage.input_tokens = Empty,
                gen_ai.usage.output_tokens = Empty,
            );
            llm.record("gen_ai.usage.input_tokens", 10_u64);
            llm.record("gen_ai.usage.output_tokens", 5_i64);
            drop(llm);
            let _http = info_span!("http", url = "x").entered();
            let _tool =
                info_span!("tool", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "search").entered();
        },
        expect![[r#"
            s1 execution-start {"name":"research"}
            s2 in s1 llm-call-start {"callable_name":"llm","history_length":0,"model":"gpt-4o"}
            s2 llm-call-end {"completion_tokens":5,"model":"gpt-4o","prompt_tokens":10,"total_tokens":15,"usage":"reported"}
            s2 token-usage {"completion_tokens":5,"cost_source":"local","cost_usd":0.000075,"cumulative_cost_usd":0.000075,"cumulative_tokens":15,"model":"gpt-4o","prompt_tokens":10,"total_tokens":15}
            s3 in s1 tool-input-available {"input":null,"tool_name":"search"}
            s3 tool-output-available {"output":null,"tool_name":"search"}
            s1 execution-end {}
        "#]],
    );
}

#[test]
fn rigs_spans_are_understood_in_the_order_in_which_it_records() {
    check(
        || {
            let agent = info_span!(
                target: "rig_agent::agent::telemetry", parent: None, "invoke_agent",
                gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "researcher", gen_ai.prompt = Empty, gen_ai.completion = Empty,
            );
            agent.record("gen_ai.prompt", "why is the sky blue?");
            let _in = agent.enter();
            let chat = info_span!(
                target: "rig::agent_chat", parent: &agent, "chat",
                rig.completion_parent = true, gen_ai.operation.name = "chat", gen_ai.agent.name = "researcher",
                gen_ai.provider.name = Empty, gen_ai.request.model = Empty, gen_ai.response.id = Empty,
                gen_ai.usage.input_tokens = Empty, gen_ai.usage.output_tokens = Empty,
                gen_ai.input.messages = Empty, gen_ai.output.messages = Empty,
            );
            chat.record("gen_ai.input.messages", r#"[{"role":"user"}]"#);
            chat.in_scope(|| {
                chat.record("gen_ai.operation.name", "chat");
                chat.record("gen_ai.provider.name", "openai");
                chat.record("gen_ai.request.model", "gpt-5-mini");
            });
            for _ in 0..2 {
                chat.record("gen_ai.response.id", "resp_1");
                chat.record("gen_ai.usage.input_tokens", 78_u64);
                chat.record("gen_ai.usage.output_tokens", 20_u64);
            }
            drop(chat);
            // All tools of a turn are opened at once, before any has a name.
            let tool = || {
                info_span!(
                    target: "rig_agent::agent::telemetry", "execute_tool",
                    gen_ai.operation.name = "execute_tool", gen_ai.tool.type = "function",
                    gen_ai.tool.name = Empty, gen_ai.tool.call.id = Empty, gen_ai.tool.call.arguments = Empty,
                    gen_ai.tool.call.result = Empty, gen_ai.tool.call.outcome = Empty, gen_ai.tool.error.type = Empty,
                )
            };
            let (first, second) = (tool(), tool());
            for (span, id, result) in [(&first, "call_1", Some("[1,2]")), (&second, "call_2", None)] {
                span.in_scope(|| {
                    span.record("gen_ai.tool.name", "search");
                    span.record("gen_ai.tool.call.id", tracing::field::display(id));
                    span.record("gen_ai.tool.call.arguments", r#"{"q":"sky"}"#);
                });
                span.in_scope(|| match result {
                    Some(result) => {
                        span.record("gen_ai.tool.call.outcome", "success");
                        span.record("gen_ai.tool.call.result", result);
                    }
                    None => {
                        span.record("gen_ai.tool.call.outcome", "error");
                        span.record("gen_ai.tool.error.type", "invalid_args");
                    }
                });
            }
            drop((first, second));
            agent.record("gen_ai.completion", "Rayleigh scattering.");
        },
        expect![[r#"
            s1 execution-start {"input":"why is the sky blue?","name":"researcher"}
            s2 in s1 llm-call-start {"callable_name":"researcher","history_length":1,"input":[{"role":"user"}],"model":"gpt-5-mini","provider":"openai"}
            s2 llm-call-end {"completion_tokens":20,"model":"gpt-5-mini","prompt_tokens":78,"provider":"openai","response_id":"resp_1","total_tokens":98,"usage":"reported"}
            s2 token-usage {"completion_tokens":20,"cost_source":"local","cost_usd":0.0000595,"cumulative_cost_usd":0.0000595,"cumulative_tokens":98,"model":"gpt-5-mini","prompt_tokens":78,"provider":"openai","total_tokens":98}
            s3 in s1 tool-input-available {"input":{"q":"sky"},"tool_call_id":"call_1","tool_name":"search"}
            s4 in s1 tool-input-available {"input":{"q":"sky"},"tool_call_id":"call_2","tool_name":"search"}
            s3 tool-output-available {"output":[1,2],"tool_call_id":"call_1","tool_name":"search"}
            s4 tool-output-error {"error":"invalid_args","error_type":"invalid_args","outcome":"error","tool_call_id":"call_2","tool_name":"search"}
            s1 execution-end {"final_output":"Rayleigh scattering."}
        "#]],
    );
}

#[test]
fn a_plain_span_around_a_run_is_taken_as_the_agent() {
    check(
        || {
            let _server = info_span!("server").entered();
            for _ in 0..2 {
                let _request = info_span!("http_request").entered();
                let _chat = info_span!(
                    "chat",
                    gen_ai.operation.name = "chat",
                    gen_ai.request.model = "m",
                    gen_ai.agent.name = "helper"
                )
                .entered();
            }
        },
        expect![[r#"
            s1 execution-start {"name":"helper"}
            s2 in s1 llm-call-start {"callable_name":"helper","history_length":0,"model":"m"}
            s2 llm-call-end {"model":"m","usage":"unknown"}
            s1 execution-end {}
            s3 execution-start {"name":"helper"}
            s4 in s3 llm-call-start {"callable_name":"helper","history_length":0,"model":"m"}
            s4 llm-call-end {"model":"m","usage":"unknown"}
            s3 execution-end {}
        "#]],
    );
}

#[test]
fn a_call_with_nothing_around_it_is_an_execution_of_its_own() {
    check(
        || drop(info_span!("chat", gen_ai.operation.name = "chat", gen_ai.request.model = "m")),
        expect![[r#"
            s1 execution-start {"name":"m"}
            s1 llm-call-start {"callable_name":"chat","history_length":0,"model":"m"}
            s1 llm-call-end {"model":"m","usage":"unknown"}
            s1 execution-end {}
        "#]],
    );
}

#[test]
fn text_is_one_segment_until_something_else_begins() {
    check(
        || {
            let _agent = info_span!("a", gen_ai.operation.name = "invoke_agent").entered();
            let text = |piece: &str| tracing::event!(target: "spanwright::delta", tracing::Level::INFO, { spanwright.delta.text = piece });
            tracing::event!(target: "spanwright::delta", tracing::Level::INFO, { spanwright.delta.reasoning = "hm" });
            text("Hel");
            text("lo");
            drop(info_span!("t", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "t"));
            text("again");
        },
        expect![[r#"
            s1 execution-start {"name":"a"}
            s1 reasoning-start {}
            s1 reasoning-delta {"delta":"hm"}
            s1 reasoning-end {"final_text":"hm"}
            s1 text-start {}
            s1 text-delta {"delta":"Hel"}
            s1 text-delta {"delta":"lo"}
            s1 text-end {"final_text":"Hello"}
            s2 in s1 tool-input-available {"input":null,"tool_name":"t"}
            s2 tool-output-available {"output":null,"tool_name":"t"}
            s1 text-start {}
            s1 text-delta {"delta":"again"}
            s1 text-end {"final_text":"again"}
            s1 execution-end {}
        "#]],
    );
}

#[test]
fn a_span_that_says_how_it_ended_is_believed() {
    let ended = |outcome: &str| {
        let events = record(|| {
            let span = info_span!(
                "a",
                gen_ai.operation.name = "invoke_agent",
                spanwright.outcome = Empty,
                otel.status_description = Empty
            );
            span.record("spanwright.outcome", outcome);
            span.record("otel.status_description", "because");
        });
        events.last().expect("end").kind().tag()
    };
    let tags = ["ok", "error", "cancelled", "panicked", "timed_out"].map(ended);
    let failed = "data-execution-failed";
    assert_eq!(tags, ["data-execution-end", failed, "data-execution-cancelled", failed, failed]);
}

#[test]
fn a_debug_that_logs_or_panics_harms_nothing() {
    struct Logs;
    impl std::fmt::Debug for Logs {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            tracing::event!(target: "spanwright::delta", tracing::Level::INFO, { spanwright.delta.text = "from a Debug" });
            drop(info_span!("x", gen_ai.operation.name = "chat"));
            f.write_str("logged")
        }
    }
    struct Panics;
    impl std::fmt::Debug for Panics {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("a Debug that panics");
        }
    }
    let events = record(|| {
        let agent = info_span!("a", gen_ai.operation.name = "invoke_agent", input.value = Empty, output.value = Empty);
        agent.record("input.value", tracing::field::debug(Logs));
        agent.record("output.value", tracing::field::debug(Panics));
    });
    assert_eq!(told(&events).lines().count(), 2, "{}", told(&events));
    assert!(told(&events).contains("logged"));
}

#[test]
fn a_task_spawned_in_a_span_keeps_its_parent_where_it_is_carried() {
    let recorder = Recorder::builder().start().expect("start");
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    let subscriber = tracing_subscriber::registry().with(AgentLayer::new(recorder.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    tracing::subscriber::with_default(subscriber, || {
        let agent = info_span!("agent", gen_ai.operation.name = "invoke_agent");
        let work = async {
            let child = async { drop(info_span!("t", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "t")) };
            tokio::spawn(child.in_current_span()).await.expect("task");
        };
        runtime.block_on(work.instrument(agent));
    });
    recorder.settle().wait(Duration::from_secs(60)).expect("settle");
    let events: Vec<_> = std::iter::from_fn(|| stream.try_next()).collect();
    assert!(told(&events).contains("s2 in s1 tool-input-available"), "{}", told(&events));
}

#[test]
fn many_spans_leave_nothing_open_and_no_two_have_the_same_id() {
    let recorder = Recorder::builder().start().expect("start");
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    let subscriber = tracing_subscriber::registry().with(AgentLayer::new(recorder.clone()));
    let mut steps = std::collections::HashSet::new();
    tracing::subscriber::with_default(subscriber, || {
        let _agent = info_span!("agent", gen_ai.operation.name = "invoke_agent").entered();
        for n in 0..20_000 {
            drop(info_span!("t", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "t"));
            if n % 1_000 == 0 {
                recorder.settle().wait(Duration::from_secs(60)).expect("settle");
                steps.extend(std::iter::from_fn(|| stream.try_next()).map(|event| event.step_id.expect("step")));
            }
        }
    });
    recorder.settle().wait(Duration::from_secs(60)).expect("settle");
    steps.extend(std::iter::from_fn(|| stream.try_next()).map(|event| event.step_id.expect("step")));
    assert_eq!(steps.len(), 20_001);
}

#[test]
fn two_threads_that_meet_under_a_plain_span_share_one_execution_and_harm_nobody() {
    let recorder = Recorder::builder().start().expect("start");
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    let subscriber = tracing_subscriber::registry().with(AgentLayer::new(recorder.clone()));
    let dispatch = tracing::Dispatch::new(subscriber);
    for _ in 0..500 {
        let request = tracing::dispatcher::with_default(&dispatch, || info_span!("request"));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    tracing::dispatcher::with_default(&dispatch, || {
                        drop(info_span!(parent: &request, "chat", gen_ai.operation.name = "chat", gen_ai.request.model = "m"));
                    });
                });
            }
        });
        tracing::dispatcher::with_default(&dispatch, || drop(request));
    }
    recorder.settle().wait(Duration::from_secs(60)).expect("settle");
    let events: Vec<_> = std::iter::from_fn(|| stream.try_next()).collect();
    let count = |tag: &str| events.iter().filter(|event| event.kind().tag() == tag).count();
    assert_eq!(["data-execution-start", "data-execution-end"].map(count), [500, 500]);
    assert_eq!(["data-llm-call-start", "data-llm-call-end"].map(count), [1000, 1000]);
}

#[test]
fn a_tool_call_has_one_id_from_its_start_to_its_end() {
    let events = record(|| {
        let tool = info_span!(
            "t",
            gen_ai.operation.name = "execute_tool",
            gen_ai.tool.name = "t",
            gen_ai.tool.call.id = Empty,
            gen_ai.tool.call.arguments = Empty
        );
        tool.record("gen_ai.tool.call.arguments", "{}");
        tool.record("gen_ai.tool.call.id", "too_late");
    });
    let ids: Vec<_> = events.iter().filter_map(|event| event.body.key().cloned()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn an_author_may_choose_the_executions_id_before_it_begins() {
    let events = record(|| {
        let agent = spanwright::span::agent("a");
        agent.execution("my-run-7").session("s");
        agent.in_scope(|| ());
    });
    assert!(events.iter().all(|event| event.execution_id.as_ref().is_some_and(|id| id.to_string() == "my-run-7")));
    assert!(told(&events).contains(r#""session_id":"s""#), "{}", told(&events));
}

#[test]
fn a_payload_past_the_limit_is_cut_where_it_is_made_and_can_be_read_back() {
    let events = record(|| {
        let tool = info_span!(
            "t",
            gen_ai.operation.name = "execute_tool",
            gen_ai.tool.name = "t",
            gen_ai.tool.call.result = Empty
        );
        tool.record("gen_ai.tool.call.result", "x".repeat(2 << 20).as_str());
    });
    for event in &events {
        assert_eq!(StreamEvent::from_json(&event.to_json()).expect("read back").to_json(), event.to_json());
    }
    assert!(events.iter().any(|event| event.to_json().contains(r#""truncated_bytes":2097154"#)));
}
