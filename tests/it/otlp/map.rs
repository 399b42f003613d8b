//! What a destination writes into spans, through the whole pipeline. Every concept in every dialect is in the golden files,
//! which `src/otlp/map` holds itself to.

use super::exported::{Arrived, SOON, arrived, exported, record, recorder};
use crate::scratch::Scratch;
use serde_json::{Value, json};
use spanwright::{
    Json, StepId, StreamEvent,
    event::{
        Citation, ExecutionEnd, ExecutionStart, FeedbackReceived, FeedbackType, GuardrailDecision, GuardrailEvaluated,
        LlmCallEnd, LlmCallStart, MemoryRecalled, MemoryStored, MemoryType, PermissionRequest, ReasoningEnd,
        ReasoningStart, ReasoningTrace, ReasoningType, Retrieval, StateSnapshot, StepEnd, StepStart, StepType, TextEnd,
        TextStart, TokenUsage, ToolInputAvailable, ToolOutputAvailable,
    },
    otlp::{Destination, Naming, OpenInference},
};

/// Stands wherever a run says something.
const CANARY: &str = "canary";

fn of(number: u64, body: impl Into<StreamEvent>) -> StreamEvent {
    body.into().of_step(StepId::from_span_id(number))
}

fn said() -> Json {
    Json::of(&json!({"said": CANARY}))
}

/// A run with content in every place that holds some.
fn run() -> Vec<StreamEvent> {
    let memory = StepStart::new(StepType::MemoryNode, "recall").input(said());
    vec![
        ExecutionStart::new().name("researcher").session_id("s-1").user_id("ada").input(said()).into(),
        of(1, LlmCallStart::new("answer", 1).model("gpt-4o").provider("openai").input(said())),
        of(1, ReasoningStart::new("r")),
        of(1, ReasoningEnd::new("r").final_text(CANARY)),
        of(1, TextStart::new("t")),
        of(1, TextEnd::new("t").final_text(CANARY)),
        of(1, Citation::new("page").title(CANARY).snippet(CANARY)),
        of(1, LlmCallEnd::new(900).time_to_first_chunk_ms(1).output(said())),
        of(1, TokenUsage::new(120, 30, 150, 0).cached_tokens(64).cache_creation_tokens(8)),
        of(2, ToolInputAvailable::new("c1", "search", said())),
        of(2, PermissionRequest::new("search", said(), "ask").tool_call_id("c1")),
        of(2, ToolOutputAvailable::new("c1", said())),
        of(3, memory),
        of(3, MemoryRecalled::new(CANARY, 1, 1).records(said())),
        of(3, StepEnd::new(1).output(CANARY)),
        MemoryStored::new(MemoryType::Working).record(said()).into(),
        Retrieval::new(CANARY, 1, 1).documents(said()).into(),
        of(4, StepStart::new(StepType::GuardrailNode, "tone").input(said())),
        of(4, GuardrailEvaluated::new("tone", GuardrailDecision::Block)),
        of(4, StepEnd::new(1).output(CANARY)),
        ReasoningTrace::new(ReasoningType::Plan, CANARY).into(),
        StateSnapshot::new(said()).into(),
        FeedbackReceived::new(FeedbackType::Rating).comment(CANARY).into(),
        ExecutionEnd::new(9).final_output(CANARY).into(),
    ]
}

fn named<'a>(spans: &'a [Arrived], name: &str) -> &'a Arrived {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name} of {spans:?}"))
}

#[test]
fn a_run_arrives_under_the_names_that_back_ends_read() {
    let spans = exported(run());
    let model = named(&spans, "chat gpt-4o");
    assert_eq!(model.attributes["gen_ai.usage.input_tokens"], "120", "an integer: a text in JSON");
    assert_eq!(model.attributes["gen_ai.response.time_to_first_chunk"], 0.001);
    assert_eq!(model.attributes["openinference.span.kind"], "LLM");
    assert_eq!(model.attributes["session.id"], "s-1");
    let tool = named(&spans, "execute_tool search");
    assert_eq!(tool.attributes["gen_ai.agent.name"], "researcher");
    assert_eq!(tool.attributes["input.value"], said().as_str());
    assert_eq!(tool.events[0].0, "spanwright.permission_request");
    let verdict = named(&spans, "run_guardrail tone");
    assert_eq!(verdict.attributes["spanwright.guardrail.decision"], "block");
    assert!(!verdict.is_error, "a guardrail that blocks did what it is for");
    assert_eq!(named(&spans, "invoke_agent researcher").attributes["output.value"], CANARY);
    named(&spans, "search_memory");
    named(&spans, "create_memory");
    named(&spans, "retrieval");
}

/// The convention's and OpenInference's names of what was said, given or found.
const HOLD_CONTENT: &[&str] = &[
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.memory.query.text",
    "gen_ai.memory.records",
    "gen_ai.retrieval.query.text",
    "gen_ai.retrieval.documents",
    "input.value",
    "output.value",
    "tool.parameters",
];

/// What is in the file after the run went to this destination as it is.
fn written(destination: impl Fn(Destination) -> Destination) -> (String, Vec<Arrived>) {
    let (folder, recorder) = (Scratch::new(), recorder());
    let file = folder.file("run.jsonl");
    record(&recorder, 0, run());
    let delivery = destination(Destination::file(&file))
        .from_beginning(true)
        .start(recorder.log().expect("a log").clone())
        .expect("started");
    delivery.flush().wait(SOON).expect("delivered");
    delivery.shutdown(SOON).expect("ended");
    (std::fs::read_to_string(&file).expect("a file"), arrived(&file))
}

#[test]
fn nothing_that_was_said_leaves_unless_it_is_asked_for() {
    for overlay in [OpenInference::Off, OpenInference::Small, OpenInference::Full] {
        let (text, spans) = written(|to| to.openinference(overlay).langfuse(true));
        assert_eq!(spans.len(), 7, "{spans:?}");
        assert!(!text.contains(CANARY), "{text}");
        for key in spans.iter().flat_map(|span| span.attributes.keys()) {
            assert!(!HOLD_CONTENT.contains(&key.as_str()) && !key.starts_with("llm.input_messages"), "{key}");
        }
    }
}

#[test]
fn the_settings_choose_the_names() {
    let model = |destination: fn(Destination) -> Destination| -> std::collections::BTreeMap<String, Value> {
        named(&written(destination).1, "chat gpt-4o").attributes.clone()
    };
    let (old, new) = ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens");
    let compat = model(|to| to);
    assert!(compat.contains_key(old) && !compat.contains_key(new));
    let latest = model(|to| to.naming(Naming::Latest).langfuse(true).openinference(OpenInference::Full));
    assert!(latest.contains_key(new) && !latest.contains_key(old));
    assert!(latest.contains_key("langfuse.observation.type") && latest.contains_key("llm.token_count.prompt"));
    let plain = model(|to| to.openinference(OpenInference::Off));
    assert!(!plain.contains_key("openinference.span.kind"));
}
