//! Runs that are made up, since the recorded ones have only agents, models and tools: one with something of everything,
//! one that fails, one that is cancelled.

use serde_json::json;
use spanwright::{
    Json, StepId, StreamEvent, Timestamp,
    event::{
        AgentEnd, AgentStart, ArtifactCreated, Body, CheckpointSaved, Embedding, ErrorCategory, ErrorCode,
        EvaluationScored, ExecutionCancelled, ExecutionEnd, ExecutionError, ExecutionFailed, ExecutionStart,
        FeedbackReceived, FeedbackType, GuardrailDecision, GuardrailEvaluated, GuardrailStage, LlmCallEnd,
        LlmCallFailed, LlmCallStart, MemoryRecalled, MemoryStored, MemoryType, Note, PermissionDecision,
        PermissionRequest, PermissionVerdict, Retrieval, StepEnd, StepStart, StepType, TokenUsage, ToolFailure,
        ToolInputAvailable, ToolOutputAvailable, ToolOutputError,
    },
};

const ASKED: &str = "Book me on a morning flight to Oslo.";
const BOOKED: &str = "You are on flight SK 813 at 09:05.";

/// Each with its name. They begin one after the other from this moment, Unix time in ms.
pub(crate) fn runs(began: i64) -> Vec<(String, Vec<StreamEvent>)> {
    vec![
        ("concierge".to_owned(), concierge(began)),
        ("refused".to_owned(), refused(began + 10_000)),
        ("given-up".to_owned(), given_up(began + 20_000)),
    ]
}

/// One in which much overlaps, as it does where agents work at the same time: two agents, of which one handed over to the
/// other, and tools beside each other. What has no length, and begins or ends with another, is what is easily drawn wrongly.
pub(crate) fn beside(began: i64) -> (String, Vec<StreamEvent>) {
    let (mut pen, root) = (Pen::at(began), StepId::new());
    let [planner, writer, call, long, short, last]: [StepId; 6] = std::array::from_fn(|_| StepId::new());
    let tool = |id: &str| ToolInputAvailable::new(id, id, Json::text("{}")).parent_step_id(planner.clone());
    let done = |id: &str| ToolOutputAvailable::new(id, Json::text("done"));
    pen.write(0, &root, ExecutionStart::new().name("pair"));
    pen.write(0, &planner, AgentStart::new("planner").parent_step_id(root.clone()));
    pen.write(0, &long, tool("long"));
    pen.write(5, &short, tool("short"));
    pen.write(5, &writer, AgentStart::new("writer").parent_step_id(root.clone()).handoff_from("planner"));
    pen.write(0, &call, LlmCallStart::new("writer", 1).model("gpt-4o").parent_step_id(writer.clone()));
    pen.write(5, &short, done("short"));
    pen.write(0, &last, tool("last"));
    pen.write(20, &call, LlmCallEnd::new(25));
    pen.write(0, &call, TokenUsage::new(200, 50, 250, 0).model("gpt-4o"));
    moments(&mut pen, &writer);
    pen.write(5, &last, done("last"));
    pen.write(0, &writer, AgentEnd::new(30));
    pen.write(5, &long, done("long"));
    pen.write(0, &planner, AgentEnd::new(45));
    moments(&mut pen, &root);
    pen.write(0, &root, ExecutionEnd::new(45));
    ("pair".to_owned(), pen.events)
}

/// Two steps without length at the same time.
fn moments(pen: &mut Pen, parent: &StepId) {
    for name in ["one", "two"] {
        let step = StepId::new();
        pen.write(0, &step, StepStart::new(StepType::FunctionNode, name).parent_step_id(parent.clone()));
        pen.write(0, &step, StepEnd::new(0));
    }
}

/// Writes events, each so many ms after the one before.
struct Pen {
    now: i64,
    events: Vec<StreamEvent>,
}

impl Pen {
    fn at(now: i64) -> Self {
        Self { now, events: Vec::new() }
    }

    fn write(&mut self, ms: i64, step: &StepId, body: impl Into<Body>) {
        self.now += ms;
        let time = Timestamp::from_unix_nanos(self.now * 1_000_000);
        self.events.push(StreamEvent::new(body).of_step(step.clone()).at(time));
    }

    /// A step that is about one event.
    fn around(&mut self, parent: &StepId, step_type: StepType, name: &str, ms: i64, body: impl Into<Body>) {
        let step = StepId::new();
        self.write(1, &step, StepStart::new(step_type, name).parent_step_id(parent.clone()));
        self.write(ms, &step, body);
        self.write(0, &step, StepEnd::new(ms.unsigned_abs()));
    }
}

fn concierge(began: i64) -> Vec<StreamEvent> {
    let (mut pen, root) = (Pen::at(began), StepId::new());
    let start = ExecutionStart::new().name("concierge").session_id("travel").user_id("ada").input(Json::text(ASKED));
    pen.write(0, &root, start);
    let passed = GuardrailEvaluated::new("input-pii", GuardrailDecision::Pass).stage(GuardrailStage::Input).score(0.02);
    pen.around(&root, StepType::GuardrailNode, "input-pii", 10, passed);
    let found = Json::of(&json!([{ "id": "m1", "score": 0.91, "content": "Prefers the window." }]));
    let recalled = MemoryRecalled::new("seat preferences", 1, 20).records(found);
    pen.around(&root, StepType::MemoryNode, "preferences", 20, recalled);
    look_up(&mut pen, &root);
    book(&mut pen, &root);
    pen.write(1, &root, MemoryStored::new(MemoryType::Episodic).record_id("m2").record(Json::text("Flew to Oslo.")));
    let blocked = GuardrailEvaluated::new("no-promises", GuardrailDecision::Block).reason("promises a seat");
    pen.write(1, &root, blocked.stage(GuardrailStage::Output));
    answer(&mut pen, &root);
    pen.write(1, &root, EvaluationScored::new("helpfulness").score(0.8).label("good"));
    pen.write(1, &root, ArtifactCreated::new("a-1", "application/pdf").name("ticket"));
    pen.write(1, &root, CheckpointSaved::new("c-1", "9f86d081"));
    pen.write(1, &root, Note::new("fare", Json::of(&json!({ "class": "economy" }))));
    pen.write(1, &root, ExecutionEnd::new(0).final_output(BOOKED));
    pen.write(500, &root, FeedbackReceived::new(FeedbackType::ThumbsUp).score(1.0));
    pen.events
}

/// A search, and the embedding of its query inside.
fn look_up(pen: &mut Pen, root: &StepId) {
    let search = StepId::new();
    pen.write(1, &search, StepStart::new(StepType::RetrieverNode, "fares").parent_step_id(root.clone()));
    let embedded = Embedding::new("text-embedding-3-small", 5).prompt_tokens(6).dimensions(1_536);
    pen.around(&search, StepType::EmbeddingNode, "text-embedding-3-small", 5, embedded);
    let documents = json!([
        { "id": "d1", "score": 0.8, "content": "Morning fares to Oslo" },
        { "id": "d2", "score": 0.5, "content": "Baggage rules" },
    ]);
    let found =
        Retrieval::new("morning flights to Oslo", 2, 30).data_source_id("fares").documents(Json::of(&documents));
    pen.write(30, &search, found);
    pen.write(0, &search, StepEnd::new(36));
}

/// A sub-agent: a model call, a tool that a person allows, one that fails.
fn book(pen: &mut Pen, root: &StepId) {
    let (agent, call) = (StepId::new(), StepId::new());
    pen.write(1, &agent, AgentStart::new("booker").parent_step_id(root.clone()).input(Json::text(ASKED)));
    let asked = LlmCallStart::new("booker", 2).model("gpt-4o-mini").provider("openai").parent_step_id(agent.clone());
    pen.write(1, &call, asked.input(Json::of(&conversation())));
    let wants = json!([{ "role": "assistant", "content": null, "tool_calls": [
        { "id": "call-1", "type": "function", "function": { "name": "book", "arguments": "{\"flight\":\"SK 813\"}" } },
    ]}]);
    let end = LlmCallEnd::new(400).model("gpt-4o-mini-2024-07-18").response_id("r-1").time_to_first_chunk_ms(120);
    pen.write(400, &call, end.finish_reasons(vec!["tool_calls".into()]).output(Json::of(&wants)));
    pen.write(0, &call, usage(120, 30).cached_tokens(64));
    reserve(pen, &agent);
    pen.write(1, &agent, AgentEnd::new(800).output(BOOKED));
}

fn reserve(pen: &mut Pen, agent: &StepId) {
    let (tool, seat) = (StepId::new(), StepId::new());
    let flight = Json::of(&json!({ "flight": "SK 813" }));
    let begin = ToolInputAvailable::new("call-1", "book", flight.clone()).parent_step_id(agent.clone());
    pen.write(1, &tool, begin);
    let question = PermissionRequest::new("book", flight.clone(), "spends money").permission_id("p-1");
    pen.write(1, &tool, question.tool_call_id("call-1"));
    let granted = PermissionDecision::new("p-1", PermissionVerdict::Granted).decided_by("ada").tool_call_id("call-1");
    pen.write(200, &tool, granted);
    let booked = Json::of(&json!({ "confirmation": "XK4P2" }));
    pen.write(60, &tool, ToolOutputAvailable::new("call-1", booked).duration_ms(261));
    pen.write(1, &seat, ToolInputAvailable::new("call-2", "choose_seat", flight).parent_step_id(agent.clone()));
    let late = ToolOutputError::new("call-2", "no answer within 50 ms", ToolFailure::TimedOut);
    pen.write(50, &seat, late.error_type("TimeoutError").duration_ms(50));
}

fn answer(pen: &mut Pen, root: &StepId) {
    let call = StepId::new();
    let asked = LlmCallStart::new("concierge", 2).model("gpt-4o-mini").provider("openai").parent_step_id(root.clone());
    pen.write(1, &call, asked.input(Json::of(&conversation())));
    let said = json!([{ "role": "assistant", "content": BOOKED }]);
    let end = LlmCallEnd::new(300).model("gpt-4o-mini-2024-07-18").finish_reasons(vec!["stop".into()]);
    pen.write(300, &call, end.output(Json::of(&said)));
    pen.write(0, &call, usage(180, 25));
}

fn conversation() -> serde_json::Value {
    json!([{ "role": "system", "content": "You arrange travel." }, { "role": "user", "content": ASKED }])
}

fn usage(input: u64, output: u64) -> TokenUsage {
    TokenUsage::new(input, output, input + output, 0).model("gpt-4o-mini-2024-07-18").provider("openai")
}

/// The model's provider refuses, and so the run fails.
fn refused(began: i64) -> Vec<StreamEvent> {
    let (mut pen, root, call) = (Pen::at(began), StepId::new(), StepId::new());
    pen.write(0, &root, ExecutionStart::new().name("summarizer").session_id("papers"));
    let asked = LlmCallStart::new("summarizer", 1).model("gpt-4o").provider("openai").parent_step_id(root.clone());
    pen.write(1, &call, asked.input(Json::of(&json!([{ "role": "user", "content": "Sum it up." }]))));
    pen.write(90, &call, LlmCallFailed::new("too many requests").error_type("429").duration_ms(90));
    let error = ExecutionError::new(ErrorCategory::LlmError, "the model refused: too many requests");
    pen.write(1, &root, ExecutionFailed::new(error.with_code(ErrorCode::RateLimit)).duration_ms(92));
    pen.events
}

/// Somebody stops it while a tool runs.
fn given_up(began: i64) -> Vec<StreamEvent> {
    let (mut pen, root, tool) = (Pen::at(began), StepId::new(), StepId::new());
    pen.write(0, &root, ExecutionStart::new().name("crawler"));
    let pages = Json::of(&json!({ "pages": 10_000 }));
    pen.write(1, &tool, ToolInputAvailable::new("call-1", "crawl", pages).parent_step_id(root.clone()));
    pen.write(70, &tool, ToolOutputError::new("call-1", "given up", ToolFailure::Cancelled).duration_ms(70));
    pen.write(1, &root, ExecutionCancelled::new("ada pressed stop").duration_ms(72));
    pen.events
}
