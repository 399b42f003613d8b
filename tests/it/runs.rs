//! The 100 recorded runs of `../shared/data`, told as an agent would emit them. Used by the tests and the benchmarks.

use serde_json::Value;
use spanwright::{
    EventEmitter, Json, StepId, StreamEvent,
    event::{
        ExecutionEnd, ExecutionStart, LlmCallEnd, LlmCallStart, StepEnd, StepStart, StepType, TextDelta, TextEnd,
        TextStart, ToolInputAvailable, ToolInputDelta, ToolInputStart, ToolOutputAvailable,
    },
};

/// Characters of a streamed piece.
const PIECE_CHARS: usize = 20;

/// The runs, one event list each. The times and token counts that were never published are left out.
pub(crate) fn read(text: &str) -> Vec<Vec<StreamEvent>> {
    text.lines().map(|line| Run::of(&serde_json::from_str(line).expect("a run")).events).collect()
}

/// Emits a run, and gives back what was emitted as readers must see it: with its execution, and with the whole text at
/// the end of each.
pub(crate) fn emit(run: &[StreamEvent], emitter: &EventEmitter) {
    for event in run {
        emitter.emit(event.clone());
    }
}

struct Run {
    events: Vec<StreamEvent>,
    step: StepId,
    messages: u64,
    texts: u32,
}

impl Run {
    fn of(run: &Value) -> Self {
        let mut this = Self { events: Vec::new(), step: StepId::new(), messages: 0, texts: 0 };
        let name = format!("airline task {} trial {}", run["task_id"], run["trial"]);
        this.events.push(ExecutionStart::new().name(name).into());
        let messages = run["messages"].as_array().expect("messages");
        let mut turn = 0;
        for (at, message) in messages.iter().enumerate() {
            if message["role"] == "assistant" {
                this.turn(turn, message, &messages[at + 1..]);
                turn += 1;
            }
            this.messages += 1;
        }
        this.events.push(ExecutionEnd::new(0).final_output(format!("reward {}", run["reward"])).into());
        this
    }

    /// One turn: the model call with its streamed answer, then the tools that it asked for.
    fn turn(&mut self, turn: u64, message: &Value, following: &[Value]) {
        self.step = StepId::new();
        self.push(StepStart::new(StepType::LlmNode, format!("turn {turn}")).index(turn));
        self.push(LlmCallStart::new("airline", self.messages).model("gpt-4o"));
        if let Some(text) = message["content"].as_str() {
            self.text(text);
        }
        let calls = message["tool_calls"].as_array().cloned().unwrap_or_default();
        calls.iter().for_each(|call| self.tool_input(call));
        self.push(LlmCallEnd::new(0));
        calls.iter().for_each(|call| self.tool_output(call, following));
        self.push(StepEnd::new(0));
    }

    fn text(&mut self, text: &str) {
        self.texts += 1;
        let id = format!("t{}", self.texts);
        self.push(TextStart::new(id.as_str()));
        for piece in pieces(text) {
            self.push(TextDelta::new(id.as_str(), piece.as_str()));
        }
        self.push(TextEnd::new(id.as_str()).final_text(text));
    }

    fn tool_input(&mut self, call: &Value) {
        let (id, function) = (call["id"].as_str().expect("id"), &call["function"]);
        let (name, arguments) =
            (function["name"].as_str().expect("name"), function["arguments"].as_str().expect("text"));
        self.push(ToolInputStart::new(id, name));
        for piece in pieces(arguments) {
            self.push(ToolInputDelta::new(id, piece.as_str()));
        }
        self.push(ToolInputAvailable::new(id, name, Json::parse_or_text(arguments)));
    }

    fn tool_output(&mut self, call: &Value, following: &[Value]) {
        let answer =
            following.iter().find(|message| message["role"] == "tool" && message["tool_call_id"] == call["id"]);
        if let (Some(answer), Some(id)) = (answer, call["id"].as_str()) {
            let content = Json::text(answer["content"].as_str().unwrap_or_default());
            self.push(ToolOutputAvailable::new(id, content));
        }
    }

    fn push(&mut self, event: impl Into<StreamEvent>) {
        self.events.push(event.into().of_step(self.step.clone()));
    }
}

fn pieces(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(PIECE_CHARS).map(|piece| piece.iter().collect()).collect()
}
