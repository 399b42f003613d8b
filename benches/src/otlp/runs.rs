//! Runs of an agent, as the record has them: a question, five model calls with four tools between them, an answer.

use crate::case::BURST;
use serde_json::{Value, json};
use spanwright::{
    EventEmitter, ExecutionId, Json, StepId, StreamEvent,
    event::{
        ExecutionEnd, ExecutionStart, LlmCallEnd, LlmCallStart, TokenUsage, ToolInputAvailable, ToolOutputAvailable,
    },
};

/// Model calls of a run; there is a tool call after each but the last.
const TURNS: usize = 5;
/// Spans of a run: its own, the model calls, the tool calls.
const SPANS: usize = 2 * TURNS;
/// About as long as a short answer.
const SENTENCE: &str = "The flight leaves at 18:05 from gate B12; the \"saver\" fare can be changed once, for a fee.\n";

/// Emits runs that make one burst of spans.
pub(super) fn emit(emitter: &EventEmitter) {
    (0..BURST / SPANS).for_each(|number| Run::new(number).told().into_iter().for_each(|event| emitter.emit(event)));
}

struct Run {
    number: usize,
    root: StepId,
    messages: Vec<Value>,
    events: Vec<StreamEvent>,
}

impl Run {
    fn new(number: usize) -> Self {
        let question = json!({"role": "user", "parts": [{"type": "text", "content": "When does my flight leave?"}]});
        Self { number, root: StepId::new(), messages: vec![question], events: Vec::new() }
    }

    fn told(mut self) -> Vec<StreamEvent> {
        let session = format!("session-{}", self.number % 50);
        let start = ExecutionStart::new().name("travel agent").session_id(session).user_id("ada");
        self.push(&self.root.clone(), start.input(self.said()));
        for turn in 0..TURNS {
            self.model_call(turn);
            if turn + 1 < TURNS {
                self.tool_call(turn);
            }
        }
        self.push(&self.root.clone(), ExecutionEnd::new(5_400).final_output(SENTENCE));
        let id = ExecutionId::new();
        self.events.into_iter().map(|event| event.of_execution(id.clone())).collect()
    }

    fn model_call(&mut self, turn: usize) {
        let step = StepId::new();
        let fields = json!({"temperature": 0.2, "max_tokens": 1024, "top_p": 0.9});
        let start = LlmCallStart::new("answer", self.messages.len() as u64).model("gpt-4o").provider("openai");
        let start = start.parent_step_id(self.root.clone()).input(self.said()).fields(parsed(&fields));
        self.push(&step, start);
        let answer = json!({"role": "assistant", "parts": [{"type": "text", "content": SENTENCE.repeat(3)}]});
        let end = LlmCallEnd::new(850).model("gpt-4o-2024-11-20").provider("openai").tokens_per_second(61.5);
        let end = end.response_id(format!("chatcmpl-{:08}-{turn}", self.number)).time_to_first_chunk_ms(180);
        self.push(&step, end.finish_reasons(vec!["stop".into()]).output(parsed(&json!([answer]))));
        let usage = TokenUsage::new(1_200 + 90 * turn as u64, 75, 1_275 + 90 * turn as u64, 0);
        self.push(&step, usage.cached_tokens(512).reasoning_tokens(16).cost_usd(0.00375));
        self.messages.push(answer);
    }

    fn tool_call(&mut self, turn: usize) {
        let (step, id) = (StepId::new(), format!("call_{}_{turn}", self.number));
        let arguments = json!({"reservation": "ZFA04Y", "fields": ["flights", "fare"], "passenger": turn});
        let call = ToolInputAvailable::new(id.as_str(), "get_reservation", parsed(&arguments));
        self.push(&step, call.parent_step_id(self.root.clone()));
        let result = json!({"status": "confirmed", "flights": [{"number": "HAT204", "gate": "B12"}], "note": SENTENCE});
        self.push(&step, ToolOutputAvailable::new(id.as_str(), parsed(&result)));
        self.messages.push(json!({"role": "tool", "parts": [{"type": "tool_call_response", "response": result}]}));
    }

    /// The conversation so far.
    fn said(&self) -> Json {
        parsed(&Value::from(self.messages.clone()))
    }

    fn push(&mut self, step: &StepId, event: impl Into<StreamEvent>) {
        self.events.push(event.into().of_step(step.clone()));
    }
}

fn parsed(value: &Value) -> Json {
    Json::parse_or_text(&value.to_string())
}
