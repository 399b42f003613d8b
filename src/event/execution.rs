//! `ExecutionEvent`: what the log keeps. The same body as the stream's, in an envelope that stands by itself.

use super::{Body, Kind, StreamEvent};
use crate::{Error, EventId, ExecutionId, Json, StepId, Text, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Version of the persisted form.
pub const SCHEMA_VERSION: u32 = 1;

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident $snake:literal $dotted:literal,)+) => {
        /// The type of a persisted event. JSON has the snake-case name; logs and metrics of the reference the dotted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ExecutionEventType {
            $($(#[$doc])* $name,)+
        }

        impl ExecutionEventType {
            /// Every type.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name in the persisted JSON.
            pub const fn as_snake(self) -> &'static str {
                match self { $(Self::$name => $snake,)+ }
            }

            /// The dotted name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $dotted,)+ }
            }

            fn from_snake(text: &str) -> Option<Self> {
                match text { $($snake => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

event_types! {
    /// An execution began.
    ExecutionStart "execution_start" "execution.start",
    /// An execution ended well.
    ExecutionEnd "execution_end" "execution.end",
    /// An execution failed.
    ExecutionFailed "execution_failed" "execution.failed",
    /// An execution was given up.
    ExecutionCancelled "execution_cancelled" "execution.cancelled",
    /// An execution was found open after its process had ended.
    ExecutionLost "execution_lost" "execution.lost",
    /// A step began.
    StepStart "step_start" "step.start",
    /// A step ended well.
    StepEnd "step_end" "step.end",
    /// A step failed.
    StepFailed "step_failed" "step.failed",
    /// Unplanned work turned up.
    StepDiscovered "step_discovered" "step.discovered",
    /// A line before a step.
    StartStep "start_step" "step.line_start",
    /// A line after a step.
    FinishStep "finish_step" "step.line_end",
    /// Something was made.
    ArtifactCreated "artifact_created" "artifact.created",
    /// The agent's state, whole.
    StateSnapshot "state_snapshot" "state.snapshot",
    /// A place to go back to was saved.
    CheckpointSaved "checkpoint_saved" "state.checkpoint",
    /// The author noted something.
    Note "note" "state.note",
    /// A policy decided, or a person is asked.
    DecisionMade "decision_made" "decision.made",
    /// A person answered.
    PermissionDecided "permission_decided" "decision.permission",
    /// An execution waits.
    ControlPause "control_pause" "control.pause",
    /// An execution goes on.
    ControlResume "control_resume" "control.resume",
    /// Of the reference's set; a cancel is logged as `execution_cancelled`.
    ControlCancel "control_cancel" "control.cancel",
    /// Someone wrote to the running agent.
    InboxMessage "inbox_message" "inbox.message",
    /// A tool's input began.
    ToolInputStart "tool_input_start" "tool.input",
    /// A tool was called.
    ToolCallStart "tool_call_start" "tool.start",
    /// A tool answered.
    ToolCallEnd "tool_call_end" "tool.end",
    /// A tool gave no output.
    ToolCallFailed "tool_call_failed" "tool.failed",
    /// All tools of a turn answered.
    ToolsComplete "tools_complete" "tool.complete",
    /// How far a goal is.
    GoalEvaluated "goal_evaluated" "goal.evaluated",
    /// A model call began.
    LlmCallStart "llm_call_start" "llm.call.start",
    /// A model call ended well.
    LlmCallEnd "llm_call_end" "llm.call.end",
    /// A model call failed.
    LlmCallFailed "llm_call_failed" "llm.call.failed",
    /// What a model call used.
    TokenUsageRecorded "token_usage_recorded" "token.usage",
    /// A look into memory.
    MemoryRecalled "memory_recalled" "memory.recalled",
    /// A write to memory.
    MemoryStored "memory_stored" "memory.stored",
    /// A change of memory.
    MemoryUpdated "memory_updated" "memory.updated",
    /// A memory session began.
    SessionStarted "session_started" "memory.session_started",
    /// A memory session is over.
    SessionEnded "session_ended" "memory.session_ended",
    /// A guardrail's verdict.
    GuardrailEvaluated "guardrail_evaluated" "guardrail.evaluated",
    /// Reasoning that was kept.
    ReasoningTrace "reasoning_trace" "reasoning.trace",
    /// How full the context window is.
    ContextSnapshot "context_snapshot" "context.snapshot",
    /// What someone thought of it.
    FeedbackReceived "feedback_received" "feedback.received",
    /// A score.
    EvaluationScored "evaluation_scored" "evaluation.scored",
    /// A message to the user began.
    MessageStart "message_start" "message.start",
    /// A message to the user is complete.
    MessageFinish "message_finish" "message.finish",
    /// An error of no step.
    Error "error" "error",
    /// A segment of text began.
    TextStart "text_start" "text.start",
    /// A segment of text, whole.
    TextEnd "text_end" "text.end",
    /// A segment of reasoning began.
    ReasoningStart "reasoning_start" "reasoning.start",
    /// A segment of reasoning, whole.
    ReasoningEnd "reasoning_end" "reasoning.end",
    /// A source of the answer.
    Citation "citation" "message.citation",
    /// How far some work is.
    OperationProgress "operation_progress" "operation.progress",
    /// An agent inside an execution began.
    AgentStart "agent_start" "agent.start",
    /// An agent gave the work to another one.
    AgentHandoff "agent_handoff" "agent.handoff",
    /// An agent inside an execution is done.
    AgentEnd "agent_end" "agent.end",
    /// A data source was searched.
    Retrieval "retrieval" "retrieval",
    /// Something was embedded.
    Embedding "embedding" "embedding",
    /// A kind of another version; its tag stands in the payload.
    Unknown "unknown" "unknown",
}

impl Serialize for ExecutionEventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_snake())
    }
}

impl<'de> Deserialize<'de> for ExecutionEventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        Self::from_snake(&text).ok_or_else(|| de::Error::custom(format!("event type {text:?} is not known")))
    }
}

/// What caused an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ParentLink {
    /// Its id.
    pub parent_id: Text,
    /// What kind of thing it is.
    pub parent_type: super::ParentType,
}

impl ParentLink {
    /// A link to something of this kind.
    pub fn new(parent_id: impl Into<Text>, parent_type: super::ParentType) -> Self {
        Self { parent_id: parent_id.into(), parent_type }
    }
}

/// Where an event belongs. Absent parts are `null` in JSON, as in the reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ExecutionContext {
    /// The execution.
    pub execution_id: ExecutionId,
    /// The step.
    pub step_id: Option<StepId>,
    /// The artifact that an `artifact_created` is about.
    pub artifact_id: Option<Text>,
    /// What caused the execution; on its first event.
    pub parent: Option<ParentLink>,
    /// Whose data it is.
    pub tenant_id: Option<Text>,
    /// For whom it runs.
    pub user_id: Option<Text>,
}

impl ExecutionContext {
    /// Of this execution and nothing more.
    pub fn new(execution_id: ExecutionId) -> Self {
        Self { execution_id, step_id: None, artifact_id: None, parent: None, tenant_id: None, user_id: None }
    }
}

/// One event of the durable record: the reference's persisted JSON form, plus sequence, trace ids and schema version.
///
/// [`to_stream`](ExecutionEvent::to_stream) gives back exactly the event that live readers saw.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExecutionEvent {
    /// Unique for ever; holds the event's cursor.
    pub event_id: EventId,
    /// Place in its execution: 1, 2, 3 … without gaps over all that is logged.
    pub sequence: u64,
    /// Where it belongs.
    pub context: ExecutionContext,
    /// When it happened: the event's own time, not that of writing.
    pub timestamp: Timestamp,
    /// What happened.
    pub body: Body,
}

impl ExecutionEvent {
    /// The type in the persisted form.
    pub fn event_type(&self) -> ExecutionEventType {
        self.body.kind().event_type().unwrap_or(ExecutionEventType::Unknown)
    }

    /// The event as live readers saw it.
    pub fn to_stream(&self) -> StreamEvent {
        let mut event = StreamEvent::new(self.body.clone()).of_execution(self.context.execution_id.clone());
        event.step_id = self.context.step_id.clone();
        event.at(self.timestamp)
    }

    /// The persisted form of a stream event. None for what is never logged, or has no execution or time.
    pub fn from_stream(event: &StreamEvent, event_id: EventId, sequence: u64) -> Option<Self> {
        event.kind().event_type()?;
        let mut context = ExecutionContext::new(event.execution_id.clone()?);
        context.step_id = event.step_id.clone();
        Some(Self { event_id, sequence, context, timestamp: event.time?, body: event.body.clone() })
    }

    /// The duration that the body speaks of, in ms.
    pub fn duration_ms(&self) -> Option<u64> {
        self.fields().get("duration_ms").and_then(|ms| ms.get().parse().ok())
    }

    fn fields(&self) -> Fields {
        let mut text = String::new();
        self.body.write_object(&mut text);
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The payload in the reference's form: the kind's fields, absent ones as `null` where the reference has them so,
    /// and without those that stand elsewhere in the persisted form.
    pub fn payload(&self) -> Json {
        let kind = self.body.kind();
        if let Body::StateSnapshot(event) = &self.body {
            return event.state.clone();
        }
        let mut fields = self.fields();
        for name in kind.nullable() {
            fields.entry((*name).into()).or_insert_with(|| raw("null"));
        }
        let parent = self.full_context().parent.map_or(&[][..], |_| &["parent_id", "parent_type"]);
        for name in elsewhere(kind).iter().chain(parent) {
            fields.remove(*name);
        }
        if kind == Kind::ExecutionEnd
            && let Some(output) = fields.remove("final_output")
        {
            fields.insert("output".into(), output);
        }
        if let Body::Unknown(event) = &self.body {
            fields.insert("type".into(), raw(Json::text(&event.tag).as_str()));
        }
        match fields.is_empty() {
            true => Json::null(),
            false => Json::written(object(&fields)),
        }
    }

    /// The context as it is written: with what the body says of artifact and parent.
    fn full_context(&self) -> ExecutionContext {
        let mut context = self.context.clone();
        match &self.body {
            Body::ArtifactCreated(event) => context.artifact_id = Some(event.artifact_id.clone()),
            Body::ExecutionStart(event) => {
                if let (Some(id), Some(kind)) = (&event.parent_id, &event.parent_type) {
                    context.parent = Some(ParentLink::new(id.clone(), kind.clone()));
                }
            }
            _ => {}
        }
        context
    }
}

/// Fields by name, each value as the text it came as: nothing is lost that a tree would not hold.
type Fields = BTreeMap<String, Box<RawValue>>;

fn raw(json: &str) -> Box<RawValue> {
    // Only given what is JSON already.
    RawValue::from_string(json.to_owned()).unwrap_or_default()
}

fn object(fields: &Fields) -> String {
    serde_json::to_string(fields).unwrap_or_else(|_| "{}".into())
}

/// Fields of a kind that the persisted form has outside of the payload. A parent without a type (or the other way
/// round) does not fit into a [`ParentLink`] and stays in the payload.
const fn elsewhere(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::ArtifactCreated => &["artifact_id"],
        Kind::Unknown => &[],
        _ => &["duration_ms"],
    }
}

/// One event of the durable record. Readers must accept types that are not listed here.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Persisted {
    event_id: EventId,
    event_type: ExecutionEventType,
    sequence: u64,
    context: ExecutionContext,
    timestamp: Timestamp,
    duration_ms: Option<u64>,
    payload: Json,
    trace_id: String,
    span_id: Option<String>,
    schema_version: u32,
}

impl Serialize for ExecutionEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let context = self.full_context();
        let persisted = Persisted {
            event_id: self.event_id,
            event_type: self.event_type(),
            sequence: self.sequence,
            timestamp: self.timestamp,
            duration_ms: elsewhere(self.body.kind()).contains(&"duration_ms").then(|| self.duration_ms()).flatten(),
            payload: self.payload(),
            trace_id: format!("{:032x}", context.execution_id.trace_id()),
            span_id: context.step_id.as_ref().map(|id| format!("{:016x}", id.span_id())),
            schema_version: SCHEMA_VERSION,
            context,
        };
        persisted.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ExecutionEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let persisted = Persisted::deserialize(deserializer)?;
        if persisted.schema_version > SCHEMA_VERSION {
            let message = format!("schema version {}: up to {SCHEMA_VERSION} is read", persisted.schema_version);
            return Err(de::Error::custom(message));
        }
        let body = read_body(&persisted).map_err(de::Error::custom)?;
        let mut context = persisted.context;
        // Both stand in the body again.
        (context.artifact_id, context.parent) = (None, None);
        let Persisted { event_id, sequence, timestamp, .. } = persisted;
        Ok(Self { event_id, sequence, context, timestamp, body })
    }
}

/// Several kinds may share a type; the one is meant whose fields are all there.
fn read_body(persisted: &Persisted) -> Result<Body, Error> {
    let kinds = Kind::ALL.iter().chain([&Kind::Unknown]);
    let mut last = None;
    for kind in kinds.filter(|kind| kind.event_type() == Some(persisted.event_type)) {
        match kind.read(&object(&body_fields(*kind, persisted))) {
            Ok(body) => return Ok(body),
            Err(error) => last = Some(error),
        }
    }
    let error = Error::invalid(format!("payload of a persisted {}", persisted.event_type.as_snake()));
    Err(match last {
        Some(source) => error.with_source(source),
        None => error,
    })
}

/// The kind's fields, collected from where the persisted form keeps them.
fn body_fields(kind: Kind, persisted: &Persisted) -> Fields {
    let payload = persisted.payload.as_str();
    let mut fields: Fields = match kind {
        Kind::StateSnapshot => Fields::from_iter([("state".into(), raw(payload))]),
        _ => serde_json::from_str(payload).unwrap_or_default(),
    };
    let context = &persisted.context;
    let mut put = |name: &str, json: Json| drop(fields.insert(name.into(), raw(json.as_str())));
    if let Some(ms) = persisted.duration_ms {
        put("duration_ms", Json::of(&ms));
    }
    if let Some(id) = &context.artifact_id {
        put("artifact_id", Json::text(id));
    }
    if let Some(parent) = &context.parent {
        put("parent_id", Json::text(&parent.parent_id));
        put("parent_type", Json::text(parent.parent_type.as_str()));
    }
    if kind == Kind::ExecutionEnd
        && let Some(output) = fields.remove("output")
    {
        fields.insert("final_output".into(), output);
    }
    fields
}
