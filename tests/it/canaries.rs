//! Canaries of every shape, planted wherever a program can say something, and looked for in every sink.

use crate::{corpus::filled, http, scratch::Scratch, terminal::Written};
use fastrand::Rng;
use spanwright::{
    AgentLayer, ContentLevel, ContentPolicy, EventEmitter, Json, Recorder, StreamEvent, agent,
    event::{
        AgentEnd, AgentStart, ArtifactCreated, Citation, Error, ErrorCategory, EvaluationScored, ExecutionCancelled,
        ExecutionEnd, ExecutionError, ExecutionPaused, ExecutionStart, FeedbackReceived, FeedbackType, Finish,
        GoalEvaluated, GuardrailEvaluated, LlmCallEnd, LlmCallFailed, LlmCallStart, MemoryRecalled, MemoryStored,
        MemoryType, OperationProgress, PermissionDecision, PermissionRequest, PermissionVerdict, PolicyDecision,
        ProgressStatus, ReasoningDelta, ReasoningEnd, ReasoningTrace, ReasoningType, Retrieval, StateSnapshot,
        StepDiscovered, StepEnd, StepFailed, StepSourceType, StepStart, StepType, TextDelta, TextEnd, TextStart,
        ToolFailure, ToolInputAvailable, ToolInputDelta, ToolOutputAvailable, ToolOutputError,
    },
    hub::{Filter, From},
    log::SqliteLog,
    serve::Server,
    span, step,
    terminal::{Look, Output, TerminalTree},
    tool,
};
use std::{fs, thread, time::Duration};
use tracing_subscriber::prelude::*;

const SOON: Duration = Duration::from_secs(60);

/// What only its surroundings, or its checksum, tell; `⟦ ⟧` as in the corpus.
const OTHERS: &str = "\
    password=⟦canary{w12}9⟧
    db_password: \"⟦canary of {w12} songs⟧\"
    postgres://app:⟦canary{w12}⟧@db.example.org/x
    Authorization: Basic ⟦Y2FuYXJ5{w20}=⟧
    AccountKey=⟦{B86}==⟧
    ⟦canary.{w10}@example.com⟧
    ⟦+49 30 4711 0815⟧
    ⟦4242 4242 4242 4242⟧
    ⟦DE89 3704 0044 0532 0130 00⟧
    ⟦078-05-1120⟧
    ⟦-----BEGIN PRIVATE KEY-----{B64}-----END PRIVATE KEY-----⟧";

/// A text with a secret in it, and the part of the secret that no sink may hold.
struct Canary {
    text: String,
    needle: String,
}

fn canaries() -> Vec<Canary> {
    let mut random = Rng::with_seed(50);
    let tokens = include_str!("../corpus/tokens.txt").lines().filter_map(|line| line.split_once(' '));
    let tokens: Vec<_> = tokens.map(|(_, recipe)| format!("⟦{recipe}⟧")).collect();
    let marked = tokens.iter().map(String::as_str).chain(OTHERS.lines().map(str::trim));
    marked
        .map(|recipe| {
            let filled = filled(recipe, &mut random);
            let secret = filled.split(['⟦', '⟧']).nth(1).expect("a secret");
            // Of a short one all: half of a number may stand anywhere.
            let from = if secret.len() < 24 { 0 } else { secret.len() / 2 };
            let needle = secret[from..].chars().take(24).collect();
            Canary { text: filled.replace(['⟦', '⟧'], ""), needle }
        })
        .collect()
}

// -- through attributes and handles --------------------------------------------------------------------------------

#[tool]
fn fetch(argument: &str) -> Result<String, String> {
    match argument.len() % 2 {
        0 => Ok(format!("found {argument} there")),
        _ => Err(format!("no access with {argument}")),
    }
}

#[step(fields(note = text, owner = text))]
fn plan(text: &str) -> String {
    span::text_delta("I say ");
    let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).expect("a boundary");
    span::text_delta(&text[..middle]);
    span::text_delta(&text[middle..]);
    span::reasoning_delta(text);
    spanwright::current().span().fields(&serde_json::json!({ "more": text }).to_string());
    text.to_owned()
}

#[agent]
fn assistant(question: &str) -> String {
    // What became of it is recorded; here nobody needs it.
    let _ = fetch(question);
    let _ = fetch(&format!("{question} "));
    span::llm("gpt-4o").in_scope(|| {
        let span = spanwright::current().span();
        let messages = serde_json::json!([{"role": "user", "content": question}]).to_string();
        span.input_messages(&messages).output_messages(&messages).system_instructions(question);
    });
    span::tool(question).in_scope(|| {
        spanwright::current().span().arguments(question).result(question);
    });
    plan(question)
}

// -- through events ------------------------------------------------------------------------------------------------

fn pieces(emitter: &EventEmitter, text: &str) {
    emitter.emit(TextStart::new("t"));
    for c in format!("so {text} ").chars() {
        emitter.emit(TextDelta::new("t", c.to_string()));
        emitter.emit(ReasoningDelta::new("r", c.to_string()));
        emitter.emit(ToolInputDelta::new("c", c.to_string()));
    }
    emitter.emit(TextEnd::new("t"));
    emitter.emit(ReasoningEnd::new("r").final_text(text));
}

fn events(text: &str) -> Vec<StreamEvent> {
    let json = || Json::from(serde_json::json!({"deep": [{"inside": text}], "as json": format!("{{\"x\":{text:?}}}")}));
    let error = || {
        let mut error = ExecutionError::new(ErrorCategory::LlmError, text).with_provider(text, Some(500));
        error.details = Some(json());
        error
    };
    vec![
        ExecutionStart::new().name(text).input(json()).fields(json()).into(),
        StepStart::new(StepType::from(text), text).input(json()).fields(json()).into(),
        StepEnd::new(1).output(text).into(),
        StepFailed::new(error()).into(),
        StepDiscovered::new(StepSourceType::Retry, text, 1).into(),
        ToolInputAvailable::new("c", text, json()).fields(json()).into(),
        ToolOutputAvailable::new("c", json()).tool_name(text).into(),
        ToolOutputError::new("c", text, ToolFailure::Error).error_type(text).into(),
        PermissionRequest::new(text, json(), text).into(),
        PermissionDecision::new("p", PermissionVerdict::Denied).decided_by(text).reason(text).into(),
        PolicyDecision::new(text, "deny").reason(text).into(),
        LlmCallStart::new(text, 1).model(text).provider(text).input(json()).into(),
        LlmCallEnd::new(1).output(json()).finish_reasons(vec![text.into()]).into(),
        LlmCallFailed::new(text).into(),
        ReasoningTrace::new(ReasoningType::Plan, text).into(),
        MemoryRecalled::new(text, 1, 1).records(json()).into(),
        MemoryStored::new(MemoryType::Episodic).record(json()).into(),
        GuardrailEvaluated::new(text, "warn").reason(text).into(),
        GoalEvaluated::new("g", "met").reason(text).into(),
        FeedbackReceived::new(FeedbackType::Correction).comment(text).into(),
        EvaluationScored::new(text).label(text).explanation(text).into(),
        ArtifactCreated::new("a", text).name(text).uri(text).into(),
        StateSnapshot::new(json()).into(),
        OperationProgress::new("o", text, 1, ProgressStatus::Running).message(text).into(),
        AgentStart::new(text).handoff_from(text).input(json()).into(),
        AgentEnd::new(1).output(text).error(text).into(),
        Retrieval::new(text, 1, 1).documents(json()).into(),
        Citation::new("s").url(text).title(text).snippet(text).into(),
        ExecutionPaused::new(text).into(),
        Error::new(error()).into(),
        Finish::new("m").final_output(text).into(),
        StreamEvent::from_json(&serde_json::json!({"type": "data-of-tomorrow", "said": text}).to_string())
            .expect("event"),
    ]
}

fn plant(recorder: &Recorder, canaries: &[Canary]) {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(AgentLayer::new(recorder.clone())), || {
        canaries.iter().for_each(|canary| drop(assistant(&canary.text)));
    });
    for canary in canaries {
        let emitter = recorder.emitter();
        events(&canary.text).into_iter().for_each(|event| emitter.emit(event));
        pieces(&emitter, &canary.text);
        emitter.emit(ExecutionEnd::new(1).final_output(canary.text.as_str()));
        recorder.emitter().emit(ExecutionCancelled::new(canary.text.as_str()));
    }
}

/// Everything that a sink held.
struct Held(&'static str, Vec<u8>);

impl Held {
    fn found(&self, canaries: &[Canary]) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.1);
        let found = canaries.iter().filter(|canary| text.contains(&canary.needle));
        found.map(|canary| format!("{}: {}", self.0, canary.text)).collect()
    }
}

/// What every sink holds after all canaries were planted.
fn sinks(policy: ContentPolicy, canaries: &[Canary]) -> Vec<Held> {
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("trace.db")).expect("log");
    let recorder = Recorder::builder().log(log).content(policy.clone()).start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("server");
    let (tree, lines) = (Written::default(), Written::default());
    let draw = |look, writer: &Written| {
        let mut stream = recorder.subscribe(Filter::everything(), From::Live);
        let output = Output::new(writer.clone(), look);
        TerminalTree::start(move |limit| stream.recv_timeout(limit), output).expect("terminal")
    };
    let drawn = [draw(Look::Tree, &tree), draw(Look::Lines, &lines)];
    let mut live = http::get(server.addr(), "/stream");
    assert_eq!(live.event().expect("connected").event(), "data-connected");
    let live = thread::spawn(move || live.events().into_iter().map(|frame| frame.0).collect::<String>());
    plant(&recorder, canaries);
    recorder.flush().wait(SOON).expect("flush");
    let snapshot = http::get(server.addr(), "/executions").text();
    let told = format!("{recorder:?} {:?} {policy:?} {:?}", recorder.stats(), recorder.emitter());
    // The write-ahead log is there only while the file is open.
    let mut file: Vec<u8> = ["trace.db", "trace.db-wal", "trace.db-shm"]
        .iter()
        .filter_map(|name| fs::read(scratch.file(name)).ok())
        .flatten()
        .collect();
    assert_eq!(recorder.stats().shed(), 0);
    recorder.shutdown(SOON).expect("shutdown");
    file.extend(fs::read(scratch.file("trace.db")).expect("file"));
    drawn.into_iter().for_each(TerminalTree::stop);
    vec![
        Held("file", file),
        Held("live stream", live.join().expect("reader").into_bytes()),
        Held("tree", tree.text().into_bytes()),
        Held("lines", lines.text().into_bytes()),
        Held("snapshot", snapshot.into_bytes()),
        Held("Debug", told.into_bytes()),
    ]
}

#[test]
fn no_canary_is_in_any_sink() {
    let canaries = canaries();
    assert!(canaries.len() >= 50, "{}", canaries.len());
    let held = sinks(ContentPolicy::default(), &canaries);
    assert!(held[..4].iter().all(|held| held.1.len() > 1_000), "something came through");
    let found: Vec<_> = held.iter().flat_map(|held| held.found(&canaries)).collect();
    assert!(found.is_empty(), "{} found: {found:#?}", found.len());
}

#[test]
fn at_none_no_canary_is_in_any_sink_either() {
    let canaries = canaries();
    let held = sinks(ContentPolicy::new(ContentLevel::None), &canaries);
    let found: Vec<_> = held.iter().flat_map(|held| held.found(&canaries)).collect();
    assert!(found.is_empty(), "{} found: {found:#?}", found.len());
}

#[test]
fn at_full_every_canary_is_in_the_file_and_in_the_stream() {
    let canaries = canaries();
    let held = sinks(ContentPolicy::new(ContentLevel::Full), &canaries);
    for held in &held[..2] {
        assert!(held.found(&canaries).len() > canaries.len() - 3, "{}", held.0);
    }
}
