//! The verbs that add a fact to a span. A fact that its kind does not know is ignored.
//!
//! Say each once. Of what is said again the last word counts in our record; tracing-opentelemetry by itself exports both,
//! under one key. Token counts may be said as often as they grow.
//!
//! Numbers are `i64` or `f64`: tracing-opentelemetry exports a `u64` as a text.

use std::time::Duration;

use super::counts::Count;
use super::{AgentSpan, Decision};
use crate::semconv;

/// One line a fact: how it is called, what it takes, which name it is recorded under.
macro_rules! facts {
    ($($(#[$doc:meta])* $verb:ident($value:ident: $type:ty) => $name:ident = $recorded:expr;)*) => {
        impl AgentSpan {
            $($(#[$doc])* pub fn $verb(&self, $value: $type) -> &Self {
                if self.is_enabled() {
                    self.record(semconv::$name, $recorded);
                }
                self
            })*
        }
    };
}

facts! {
    /// Who serves the model: `openai`, `anthropic`, `aws.bedrock` ….
    provider(name: &str) => PROVIDER_NAME = name;
    /// The model that was asked for, where the constructor did not take it.
    model(name: &str) => REQUEST_MODEL = name;
    /// The model that answered.
    response_model(name: &str) => RESPONSE_MODEL = name;
    /// The provider's id of the answer.
    response_id(id: &str) => RESPONSE_ID = id;
    /// Whether the answer comes as a stream.
    streaming(yes: bool) => REQUEST_STREAM = yes;
    /// How long the first piece of a streamed answer took.
    time_to_first_chunk(time: Duration) => TIME_TO_FIRST_CHUNK = time.as_secs_f64();
    /// Why the model stopped: `stop`, `length`, `tool_calls` ….
    finish_reason(reason: &str) => FINISH_REASONS = serde_json::json!([reason]).to_string().as_str();
    /// Number of messages sent to the model.
    history_length(messages: usize) => HISTORY_LENGTH = count(messages as u64);
    /// The system prompt: a text or a JSON text.
    system_instructions(text: &str) => SYSTEM_INSTRUCTIONS = text;
    /// The messages sent, as a JSON text.
    input_messages(json: &str) => INPUT_MESSAGES = json;
    /// The messages that came back, as a JSON text.
    output_messages(json: &str) => OUTPUT_MESSAGES = json;

    /// The tools that the model may ask for, as a JSON text: an array. Said before the messages: the start of a call is
    /// told with them.
    tool_definitions(json: &str) => TOOL_DEFINITIONS = json;

    /// What the tool is for. Said before the arguments: the start of a call is told with them.
    tool_description(text: &str) => TOOL_DESCRIPTION = text;
    /// The model's id of this tool call.
    tool_call_id(id: &str) => TOOL_CALL_ID = id;
    /// The arguments of a tool call, as a JSON text.
    arguments(json: &str) => TOOL_CALL_ARGUMENTS = json;
    /// The result of a tool call, as a JSON text.
    result(json: &str) => TOOL_CALL_RESULT = json;

    /// What went in, for kinds other than a tool: a text or a JSON text.
    input(text: &str) => INPUT_VALUE = text;
    /// What came out, for kinds other than a tool: a text or a JSON text.
    output(text: &str) => OUTPUT_VALUE = text;

    /// How many records a memory returned or took.
    records(n: usize) => MEMORY_RECORD_COUNT = count(n as u64);
    /// The id of the record that was written, changed or forgotten.
    record_id(id: &str) => MEMORY_RECORD_ID = id;
    /// Which memory store was used.
    store_id(id: &str) => MEMORY_STORE_ID = id;
    /// `episodic`, `semantic` or `working`.
    memory_type(kind: &str) => MEMORY_TYPE = kind;

    /// What a guardrail looked at: `input`, `output` or `tool`.
    stage(stage: &str) => GUARDRAIL_STAGE = stage;
    /// What an evaluator found, as a word: `pass`, `relevant`, `incorrect` ….
    label(label: &str) => EVALUATION_LABEL = label;
    /// Why an evaluator scored so.
    explanation(text: &str) => EVALUATION_EXPLANATION = text;

    /// Position of a step among its siblings, from 0.
    position(index: usize) => STEP_INDEX = count(index as u64);
    /// The conversation this belongs to. Only a real id: never one made up for the purpose.
    conversation(id: &str) => CONVERSATION_ID = id;
    /// The id of the execution that this span opens, where you want to choose it; on its outermost span.
    execution(id: &str) => EXECUTION_ID = id;
    /// The session this execution belongs to; on its outermost span.
    session(id: &str) => SESSION_ID = id;
    /// The user this execution is for; on its outermost span.
    user(id: &str) => USER_ID = id;
    /// The tenant this execution is for; on its outermost span.
    tenant(id: &str) => TENANT_ID = id;
    /// The function behind the span, where the span has another name.
    callable(name: &str) => CALLABLE_NAME = name;
    /// Whatever else should be known, as a JSON object.
    fields(json: &str) => FIELDS = json;
}

impl AgentSpan {
    /// Tokens in and out, as the provider counted them: cached ones are part of the input, reasoning of the output. Of
    /// counts that grow the last is told, when the handle goes.
    pub fn usage(&self, input: u64, output: u64) -> &Self {
        self.count(Count::Input, input).count(Count::Output, output)
    }

    /// Tokens read from the provider's cache; a part of the input tokens.
    pub fn cached_tokens(&self, tokens: u64) -> &Self {
        self.count(Count::CacheRead, tokens)
    }

    /// Tokens written to the provider's cache; a part of the input tokens.
    pub fn cache_creation_tokens(&self, tokens: u64) -> &Self {
        self.count(Count::CacheCreation, tokens)
    }

    /// Tokens spent on reasoning; a part of the output tokens.
    pub fn reasoning_tokens(&self, tokens: u64) -> &Self {
        self.count(Count::Reasoning, tokens)
    }

    /// Why the model stopped, for each of several choices.
    pub fn finish_reasons<'r>(&self, reasons: impl IntoIterator<Item = &'r str>) -> &Self {
        if self.is_enabled() {
            let reasons: Vec<&str> = reasons.into_iter().collect();
            self.record(semconv::FINISH_REASONS, serde_json::json!(reasons).to_string().as_str());
        }
        self
    }

    /// What a memory or a data source was asked.
    pub fn query(&self, text: &str) -> &Self {
        self.record(semconv::MEMORY_QUERY_TEXT, text).record(semconv::RETRIEVAL_QUERY_TEXT, text)
    }

    /// How sure a guardrail was, from 0 to 1; or what an evaluator found, on the evaluation's own scale.
    pub fn score(&self, score: f64) -> &Self {
        self.record(semconv::GUARDRAIL_SCORE, score).record(semconv::EVALUATION_SCORE, score)
    }

    /// What a guardrail decided, and why.
    pub fn verdict(&self, decision: Decision, reason: Option<&str>) -> &Self {
        self.record(semconv::GUARDRAIL_DECISION, decision.as_str()).record(semconv::GUARDRAIL_REASON, reason)
    }
}

pub(super) fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
