//! What a span says that it does is what leaves, and comes back: kinds of events that several operations share tell them
//! apart.

use super::{
    exported::{Arrived, arrived, deliver},
    full,
};
use crate::scratch::Scratch;
use spanwright::{
    AgentLayer, Recorder,
    event::{Body, Operation},
    log::MemoryLog,
    otlp::{self, Destination},
    span, workflow,
};
use tracing::info_span;
use tracing_subscriber::{Registry, layer::SubscriberExt};

/// What a destination gets of what these spans say, and the file that it is read from.
fn told(work: impl FnOnce()) -> (Vec<Arrived>, Vec<u8>) {
    let (folder, log) = (Scratch::new(), MemoryLog::new());
    let recorder = Recorder::builder().log(log).content(full()).start().expect("recorder");
    let subscriber = Registry::default().with(AgentLayer::new(recorder.clone()));
    tracing::subscriber::with_default(subscriber, work);
    recorder.flush().wait(super::LIMIT).expect("flushed");
    let file = folder.file("run.jsonl");
    deliver(&Destination::file(&file), &recorder);
    (arrived(&file), std::fs::read(&file).expect("a file"))
}

#[workflow]
fn report() {
    let tool = span::tool("search");
    tool.tool_description("Looks things up.");
    tool.finish();
}

fn names(spans: &[Arrived]) -> Vec<&str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

#[test]
fn a_workflow_leaves_as_one_and_is_nobodys_agent() {
    let (spans, _) = told(report);
    assert_eq!(names(&spans), ["execute_tool search", "invoke_workflow report"]);
    let (tool, workflow) = (&spans[0].attributes, &spans[1].attributes);
    assert_eq!(workflow["gen_ai.operation.name"], "invoke_workflow");
    assert_eq!(workflow["gen_ai.workflow.name"], "report");
    assert_eq!(workflow["openinference.span.kind"], "CHAIN");
    assert!(!tool.contains_key("gen_ai.agent.name"), "{tool:?}");
    assert_eq!(tool["gen_ai.tool.description"], "Looks things up.");
}

#[test]
fn an_agent_in_a_workflow_is_the_agent_of_what_it_does() {
    let (spans, _) = told(|| {
        span::workflow("outer").in_scope(|| span::agent("inner").in_scope(|| drop(span::tool("search"))));
    });
    assert_eq!(names(&spans), ["execute_tool search", "invoke_agent inner", "invoke_workflow outer"]);
    assert_eq!(spans[0].attributes["gen_ai.agent.name"], "inner");
}

fn every_operation() {
    let _root = info_span!("run", gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "a").entered();
    for operation in ["chat", "text_completion", "generate_content", "completion", "image_generation"] {
        drop(info_span!("call", gen_ai.operation.name = operation, gen_ai.request.model = "m"));
    }
    for operation in ["search_memory", "create_memory", "update_memory", "upsert_memory", "delete_memory"] {
        let memory = info_span!("memory", gen_ai.operation.name = operation, gen_ai.memory.store.id = "facts");
        drop(memory);
    }
    drop(info_span!("nested", gen_ai.operation.name = "invoke_workflow", gen_ai.workflow.name = "w"));
    drop(info_span!("observed", traceloop.span.kind = "workflow", traceloop.entity.name = "v"));
    let tools = r#"[{"type":"function","name":"search"}]"#;
    let call = info_span!("call", gen_ai.operation.name = "chat", gen_ai.tool.definitions = tools);
    drop(call);
    let failed = info_span!("memory", gen_ai.operation.name = "search_memory", error.type = "io");
    drop(failed);
}

const EVERY_OPERATION: [&str; 15] = [
    "chat m",
    "text_completion m",
    "generate_content m",
    "text_completion m",
    "image_generation m",
    "search_memory",
    "create_memory",
    "update_memory",
    "upsert_memory",
    "delete_memory",
    "invoke_workflow w",
    "invoke_workflow v",
    "chat",
    "search_memory",
    "invoke_agent a",
];

#[test]
fn operations_that_share_a_kind_of_event_leave_under_their_own_names() {
    let (spans, _) = told(every_operation);
    assert_eq!(names(&spans), EVERY_OPERATION);
    for span in &spans {
        let operation = span.name.split(' ').next().unwrap_or_default();
        assert_eq!(span.attributes["gen_ai.operation.name"], operation);
    }
    for span in &spans[5..10] {
        assert_eq!(span.attributes["gen_ai.memory.store.id"], "facts", "{}", span.name);
    }
    assert_eq!(spans[12].attributes["gen_ai.tool.definitions"], r#"[{"type":"function","name":"search"}]"#);
    assert!(spans[13].is_error);
}

#[test]
fn what_left_comes_back_with_its_operations() {
    let (spans, file) = told(every_operation);
    let events: Vec<_> = otlp::read_json(&*file).flat_map(|trace| trace.expect("a trace")).collect();
    let operations: Vec<Operation> = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::AgentStart(start) => start.operation.clone(),
            Body::StepStart(start) => start.operation.clone(),
            Body::LlmCallStart(start) => start.operation.clone(),
            _ => None,
        })
        .collect();
    let told: Vec<String> = spans.iter().map(|span| span.name.split(' ').next().unwrap_or_default().into()).collect();
    let told = told.iter().filter(|name| !["chat", "invoke_agent"].contains(&name.as_str()));
    assert_eq!(operations.iter().map(Operation::as_str).collect::<Vec<_>>(), told.collect::<Vec<_>>());
}
