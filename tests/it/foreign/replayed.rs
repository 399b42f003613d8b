//! The exact fields of crates that are not built here, replayed.

use super::{count, record_filtered, usage};
use crate::layer::{check, told};
use expect_test::expect;
use tracing::{Level, field::Empty, info_span};

#[test]
fn gooses_calls_are_understood() {
    check(
        || {
            let reply = info_span!(target: "goose::agents::agent", "reply", session.id = "s-1").entered();
            let call = info_span!(
                target: "goose::agents::reply_parts", "stream_response_from_provider",
                session.id = "s-1", gen_ai.conversation.id = "s-1", gen_ai.operation.name = "chat",
                gen_ai.provider.name = "anthropic", gen_ai.request.model = "claude-x", gen_ai.request.stream = true,
                gen_ai.request.temperature = Empty, gen_ai.request.max_tokens = Empty, gen_ai.response.model = Empty,
                gen_ai.response.id = Empty, gen_ai.response.finish_reasons = Empty,
                gen_ai.usage.input_tokens = Empty, gen_ai.usage.output_tokens = Empty,
                gen_ai.usage.cache_read.input_tokens = Empty, gen_ai.usage.cache_creation.input_tokens = Empty,
                gen_ai.input.messages = Empty, gen_ai.output.messages = Empty,
            );
            call.in_scope(|| {
                call.record("gen_ai.response.model", "claude-x-2026");
                call.record("gen_ai.response.finish_reasons", "end_turn");
                call.record("gen_ai.usage.input_tokens", 100_u64);
                call.record("gen_ai.usage.cache_read.input_tokens", 80_u64);
                call.record("gen_ai.usage.output_tokens", 7_u64);
            });
            drop(call);
            let tool = info_span!(
                target: "goose::agents::agent", "dispatch_tool_call",
                input = Empty, output = Empty, gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "shell",
                gen_ai.tool.call.id = "t-1", gen_ai.tool.call.arguments = Empty, gen_ai.tool.call.result = Empty,
                error.type = Empty,
            );
            tool.record("input", r#"{"command":"ls"}"#);
            tool.in_scope(|| tool.record("output", "a.txt"));
            drop((tool, reply));
        },
        expect![[r#"
            s1 execution-start {"name":"reply","session_id":"s-1"}
            s2 in s1 llm-call-start {"callable_name":"stream_response_from_provider","history_length":0,"model":"claude-x","provider":"anthropic"}
            s2 llm-call-end {"cached_tokens":80,"completion_tokens":7,"finish_reasons":["end_turn"],"model":"claude-x-2026","prompt_tokens":100,"provider":"anthropic","total_tokens":107,"usage":"reported"}
            s2 token-usage {"cached_tokens":80,"calls_without_price":1,"completion_tokens":7,"cumulative_tokens":107,"model":"claude-x-2026","prompt_tokens":100,"provider":"anthropic","total_tokens":107}
            s3 in s1 tool-input-available {"input":{"command":"ls"},"tool_call_id":"t-1","tool_name":"shell"}
            s3 tool-output-available {"output":"a.txt","tool_call_id":"t-1","tool_name":"shell"}
            s1 execution-end {}
        "#]],
    );
}

#[test]
fn adks_runs_are_understood_with_their_tools_without_a_name() {
    check(
        || {
            let run = info_span!(
                target: "adk_runner::runner", "agent.execute",
                gcp.vertex.agent.invocation_id = "i", gcp.vertex.agent.session_id = "s", agent.name = "planner",
            )
            .entered();
            let call = info_span!(
                target: "adk_agent::llm_agent", "call_llm",
                gcp.vertex.agent.llm_request = r#"{"contents":[]}"#, gcp.vertex.agent.llm_response = Empty,
            )
            .entered();
            let model = info_span!(
                target: "adk_model::gemini::client", "model.generate_content", model.name = "gemini-x", stream = true,
            )
            .entered();
            let generate = info_span!(
                target: "adk_telemetry::spans", "gen_ai.generate",
                otel.kind = "client", gen_ai.system = "gcp.gemini", gen_ai.request.model = "gemini-x",
                gen_ai.usage.input_tokens = Empty, gen_ai.usage.output_tokens = Empty,
                gen_ai.usage.cache_read_tokens = Empty, gen_ai.usage.thinking_tokens = Empty,
            );
            generate.record("gen_ai.usage.input_tokens", 12_i64);
            generate.record("gen_ai.usage.output_tokens", 3_i64);
            generate.record("gen_ai.usage.cache_read_tokens", 8_i64);
            generate.record("gen_ai.usage.thinking_tokens", 2_i64);
            drop((generate, model));
            tracing::Span::current().record("gcp.vertex.agent.llm_response", r#"{"content":1}"#);
            drop(call);
            drop(
                info_span!(target: "adk_agent::llm_agent", "", otel.name = "execute_tool search", tool.name = "search"),
            );
            drop(run);
        },
        expect![[r#"
            s1 execution-start {"name":"planner","session_id":"s"}
            s2 in s1 llm-call-start {"callable_name":"call_llm","history_length":0,"input":{"contents":[]}}
            s2 llm-call-end {"cached_tokens":8,"completion_tokens":3,"model":"gemini-x","output":{"content":1},"prompt_tokens":12,"provider":"gcp.gemini","reasoning_tokens":2,"total_tokens":15,"usage":"reported"}
            s2 token-usage {"cached_tokens":8,"calls_without_price":1,"completion_tokens":3,"cumulative_tokens":15,"model":"gemini-x","prompt_tokens":12,"provider":"gcp.gemini","reasoning_tokens":2,"total_tokens":15}
            s3 in s1 tool-input-available {"input":null,"tool_name":"search"}
            s3 tool-output-available {"output":null,"tool_name":"search"}
            s1 execution-end {}
        "#]],
    );
}

/// What swiftide says, it says in events of level DEBUG, past the filter that `init` sets.
#[test]
fn swiftides_events_belong_to_the_span_around_them() {
    let events = record_filtered(|| {
        let query = info_span!(target: "swiftide_agents::agent", "agent.query").entered();
        let step = info_span!(target: "swiftide_agents::agent", "run_completions", otel.name = Empty).entered();
        tracing::Span::current().record("otel.name", "step-1");
        let complete = info_span!(target: "swiftide_integrations::openai::chat_completion", "complete", langfuse.r#type = "GENERATION").entered();
        tracing::event!(target: "swiftide_integrations::openai::chat_completion", Level::DEBUG, {
            langfuse.model = "gpt-x", langfuse.input = r#"[{"role":"user"}]"#, langfuse.output = r#"{"choices":[]}"#,
            langfuse.usage = r#"{"prompt_tokens":5,"completion_tokens":9,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":4}}"#
        });
        drop(complete);
        let tool = info_span!(target: "swiftide_agents::agent", "tool", otel.name = "tool.search").entered();
        tracing::error!(target: "swiftide_agents::agent", error = "no network", "Failed tool call");
        drop((tool, step, query));
    });
    expect![[r#"
        s1 execution-start {"name":"agent.query"}
        s2 in s1 step-start {"name":"step-1","step_type":"FunctionNode"}
        s3 in s2 llm-call-start {"callable_name":"complete","history_length":0}
        s3 llm-call-end {"cached_tokens":4,"completion_tokens":9,"model":"gpt-x","output":{"choices":[]},"prompt_tokens":5,"total_tokens":14,"usage":"reported"}
        s3 token-usage {"cached_tokens":4,"calls_without_price":1,"completion_tokens":9,"cumulative_tokens":14,"model":"gpt-x","prompt_tokens":5,"total_tokens":14}
        s4 in s2 tool-input-available {"input":null,"tool_name":"search"}
        s4 tool-output-error {"error":"no network","outcome":"error","tool_name":"search"}
        s2 step-end {}
        s1 execution-end {}
    "#]]
    .assert_eq(&told(&events));
}

#[test]
fn messages_that_come_in_an_event_are_the_calls_and_a_log_line_with_bare_names_says_nothing() {
    let events = record_filtered(|| {
        let _call = info_span!("c", gen_ai.operation.name = "chat", gen_ai.request.model = "m").entered();
        tracing::event!(name: "gen_ai.client.inference.operation.details", Level::DEBUG, { gen_ai.output.messages = "[1]" });
        tracing::info!(output = "2", prompt_tokens = 3, error = "none");
    });
    let end = told(&events).lines().nth(2).map(str::to_owned);
    assert_eq!(
        end.as_deref(),
        Some(r#"s1 llm-call-end {"model":"m","output":[1],"usage":"unknown"}"#),
        "{}",
        told(&events)
    );
    assert_eq!(usage(&events), (0, 0, 0));
}

#[test]
fn langchains_bare_names_are_understood_in_its_own_spans_and_in_nobody_elses() {
    check(
        || {
            let agent = info_span!(target: "langchain_rust::agent", "agent.run").entered();
            let call = info_span!(
                target: "langchain_rust::llm", "llm.generate", provider = "openai", model = "gpt-x", stream = false,
                prompt_tokens = Empty, completion_tokens = Empty, total_tokens = Empty, error = Empty,
            );
            call.record("prompt_tokens", 4_u64);
            call.record("completion_tokens", 2_u64);
            drop(call);
            let call = info_span!(target: "langchain_rust::agent", "tool.call", tool = "search", error = Empty);
            call.record("error", "timeout");
            drop(call);
            // A program's own span with the same words is nobody's call.
            drop(
                info_span!(target: "shop::car", "llm.generate", model = "T", provider = "ford", prompt_tokens = 1_u64),
            );
            drop(agent);
        },
        expect![[r#"
            s1 execution-start {"name":"agent.run"}
            s2 in s1 llm-call-start {"callable_name":"llm.generate","history_length":0,"model":"gpt-x","provider":"openai"}
            s2 llm-call-end {"completion_tokens":2,"model":"gpt-x","prompt_tokens":4,"provider":"openai","total_tokens":6,"usage":"reported"}
            s2 token-usage {"calls_without_price":1,"completion_tokens":2,"cumulative_tokens":6,"model":"gpt-x","prompt_tokens":4,"provider":"openai","total_tokens":6}
            s3 in s1 tool-input-available {"input":null,"tool_name":"search"}
            s3 tool-output-error {"error":"timeout","outcome":"error","tool_name":"search"}
            s1 execution-end {}
        "#]],
    );
}

#[test]
fn openinferences_kinds_are_understood_in_any_case() {
    check(
        || {
            let agent =
                info_span!("a", openinference.span.kind = "AGENT", agent.name = "writer", session.id = "s").entered();
            let chain = info_span!("c", openinference.span.kind = "chain", input.value = "q").entered();
            let llm = info_span!(
                "l",
                openinference.span.kind = "LLM",
                llm.system = "openai",
                llm.model_name = "gpt-x",
                input.value = "hi",
                output.value = "ho",
                llm.token_count.prompt = 3_i64,
                llm.token_count.completion = 4_i64,
                llm.token_count.prompt_details.cache_read = 1_i64,
                llm.cost.total = 0.5,
                llm.finish_reason = "stop",
            );
            drop((llm, chain));
            drop(info_span!(
                "r",
                openinference.span.kind = "RETRIEVER",
                input.value = "q",
                gen_ai.retrieval.documents = "[1,2]"
            ));
            drop(info_span!(
                "t",
                openinference.span.kind = "TOOL",
                tool.name = "add",
                input.value = "[1]",
                output.value = "1"
            ));
            drop(info_span!("g", openinference.span.kind = "GUARDRAIL"));
            drop(info_span!("e", openinference.span.kind = "EMBEDDING", embedding.model_name = "em"));
            drop(info_span!("u", openinference.span.kind = "UNKNOWN"));
            drop(agent);
        },
        expect![[r#"
            s1 execution-start {"name":"writer","session_id":"s"}
            s2 in s1 step-start {"input":"q","name":"c","step_type":"FunctionNode"}
            s3 in s2 llm-call-start {"callable_name":"l","history_length":0,"input":"hi","model":"gpt-x","provider":"openai"}
            s3 llm-call-end {"cached_tokens":1,"completion_tokens":4,"finish_reasons":["stop"],"model":"gpt-x","output":"ho","prompt_tokens":3,"provider":"openai","total_tokens":7,"usage":"reported"}
            s3 token-usage {"cached_tokens":1,"completion_tokens":4,"cost_usd":0.5,"cumulative_cost_usd":0.5,"cumulative_tokens":7,"model":"gpt-x","prompt_tokens":3,"provider":"openai","total_tokens":7}
            s2 step-end {}
            s4 in s1 step-start {"input":"q","name":"r","step_type":"RetrieverNode"}
            s4 retrieval {"documents":[1,2],"documents_count":2,"query":"q"}
            s4 step-end {"output":"[1,2]"}
            s5 in s1 tool-input-available {"input":[1],"tool_name":"add"}
            s5 tool-output-available {"output":1,"tool_name":"add"}
            s6 in s1 step-start {"name":"g","step_type":"GuardrailNode"}
            s6 step-end {}
            s7 in s1 step-start {"name":"em","step_type":"EmbeddingNode"}
            s7 embedding {"model":"em"}
            s7 step-end {}
            s1 execution-end {}
        "#]],
    );
}

#[test]
fn langfuses_and_traceloops_kinds_are_understood() {
    check(
        || {
            let flow = info_span!(
                "w",
                traceloop.span.kind = "workflow",
                traceloop.entity.name = "joke",
                traceloop.entity.input = "{}"
            )
            .entered();
            drop(info_span!("t", traceloop.span.kind = "task", traceloop.entity.name = "draft"));
            drop(info_span!(
                "t",
                traceloop.span.kind = "tool",
                traceloop.entity.name = "rhyme",
                traceloop.entity.output = "7"
            ));
            drop(info_span!(
                "g",
                langfuse.observation.r#type = "generation",
                langfuse.observation.model.name = "m",
                langfuse.observation.input = "i",
                langfuse.observation.output = "o",
                langfuse.observation.usage_details = r#"{"input":5,"output":2,"total":7,"input_cached_tokens":3}"#,
            ));
            // Langfuse's plain span, and a span of an unknown kind.
            drop(info_span!("s", langfuse.observation.r#type = "span"));
            drop(flow);
        },
        expect![[r#"
            s1 execution-start {"input":{},"name":"joke","operation":"invoke_workflow"}
            s2 in s1 step-start {"name":"draft","step_type":"FunctionNode"}
            s2 step-end {}
            s3 in s1 tool-input-available {"input":null,"tool_name":"rhyme"}
            s3 tool-output-available {"output":7,"tool_name":"rhyme"}
            s4 in s1 llm-call-start {"callable_name":"g","history_length":0,"input":"i","model":"m"}
            s4 llm-call-end {"cached_tokens":3,"completion_tokens":2,"model":"m","output":"o","prompt_tokens":5,"total_tokens":7,"usage":"reported"}
            s4 token-usage {"cached_tokens":3,"calls_without_price":1,"completion_tokens":2,"cumulative_tokens":7,"model":"m","prompt_tokens":5,"total_tokens":7}
            s1 execution-end {}
        "#]],
    );
}

#[test]
fn a_tool_call_by_mcp_is_a_tool_call_once() {
    let call = |tool: &str| {
        drop(info_span!(
            target: "my_mcp", "mcp", otel.kind = "client", mcp.method.name = "tools/call", gen_ai.tool.name = tool,
            mcp.session.id = "x", jsonrpc.request.id = "1", network.transport = "pipe",
        ));
    };
    check(
        || {
            let _agent = info_span!("a", gen_ai.operation.name = "invoke_agent").entered();
            drop(info_span!(target: "my_mcp", "mcp", mcp.method.name = "tools/list"));
            call("search");
            let _tool =
                info_span!("t", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "web__search").entered();
            call("search");
        },
        expect![[r#"
            s1 execution-start {"name":"a"}
            s2 in s1 tool-input-available {"input":null,"tool_name":"search"}
            s2 tool-output-available {"output":null,"tool_name":"search"}
            s3 in s1 tool-input-available {"input":null,"tool_name":"web__search"}
            s3 tool-output-available {"output":null,"tool_name":"web__search"}
            s1 execution-end {}
        "#]],
    );
}

#[test]
fn bedrocks_debug_span_passes_the_filter_and_adds_no_tokens_to_the_call_around_it() {
    let events = record_filtered(|| {
        let sdk = || {
            drop(tracing::span!(
                target: "aws_sdk_bedrockruntime::operation::converse", Level::DEBUG, "Bedrock Runtime.Converse",
                rpc.service = "Bedrock Runtime", rpc.method = "Converse", rpc.system = "aws-api",
            ));
        };
        let _agent = info_span!("a", gen_ai.operation.name = "invoke_agent").entered();
        sdk();
        let call = spanwright::span::llm("nova");
        call.in_scope(sdk);
        call.usage(3, 4);
    });
    assert_eq!(count(&events, "data-llm-call-start"), 2, "{}", told(&events));
    assert_eq!(usage(&events), (3, 4, 7));
}

#[test]
fn an_instrumented_function_that_returns_an_error_failed_and_one_around_it_did_not() {
    let events = record_filtered(|| {
        let _agent = info_span!("a", gen_ai.operation.name = "invoke_agent").entered();
        let _tool = info_span!("t", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "t").entered();
        info_span!("a plain function").in_scope(|| tracing::error!(error = "handled"));
    });
    assert_eq!(count(&events, "data-tool-output-available"), 1, "{}", told(&events));
}
