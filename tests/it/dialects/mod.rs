//! The dialects: exact bytes, the grammar of each, and what becomes of runs that are out of order.

mod by_event;
mod chat;
mod durable;
mod front_ends;
mod gateway;
mod grammars;
mod resumed;
mod shared_runs;

use spanwright::{
    Cursor, ExecutionId, Json, StreamEvent,
    event::{
        Body, Citation, ExecutionEnd, ExecutionStart, LlmCallEnd, LlmCallStart, ReasoningDelta, ReasoningEnd,
        ReasoningStart, TextDelta, TextEnd, TextStart, TokenUsage, ToolInputAvailable, ToolOutputAvailable,
    },
    wire::{Dialect, Run, Translator},
};

pub(crate) fn id() -> ExecutionId {
    ExecutionId::from_trace_id(0x1a2b)
}

/// What a dialect says of these events, and of the stream's end after them.
pub(crate) fn told(dialect: Dialect, bodies: impl IntoIterator<Item = Body>) -> String {
    told_of(dialect, Run::new(id()), bodies)
}

pub(crate) fn told_of(dialect: Dialect, run: Run, bodies: impl IntoIterator<Item = Body>) -> String {
    let mut translator = Translator::new(dialect, &run).expect("tells a run as a whole");
    let mut out = String::new();
    for body in bodies {
        translator.event(&StreamEvent::new(body).of_execution(id()), &mut out);
    }
    translator.end(&mut out);
    assert!(translator.is_over());
    out
}

/// A run with everything that a chat shows: reasoning, a text in pieces, a tool, a source, tokens.
pub(crate) fn answer() -> Vec<Body> {
    vec![
        ExecutionStart::new().name("concierge").into(),
        LlmCallStart::new("concierge", 1).model("gpt-4o").into(),
        ReasoningStart::new("r1").into(),
        ReasoningDelta::new("r1", "Look it up.").into(),
        ReasoningEnd::new("r1").final_text("Look it up.").into(),
        LlmCallEnd::new(5).model("gpt-4o-2024-08-06").into(),
        ToolInputAvailable::new("call_1", "search", Json::of(&serde_json::json!({"q": "rust"}))).into(),
        ToolOutputAvailable::new("call_1", Json::text("3 hits")).into(),
        Citation::new("s1").url("https://rust-lang.org").title("Rust").into(),
        LlmCallStart::new("concierge", 3).model("gpt-4o").into(),
        TextStart::new("t1").into(),
        TextDelta::new("t1", "Rust is ").into(),
        TextDelta::new("t1", "a language.").into(),
        TextEnd::new("t1").final_text("Rust is a language.").into(),
        TokenUsage::new(10, 4, 14, 14).into(),
        LlmCallEnd::new(9).model("gpt-4o-2024-08-06").into(),
        ExecutionEnd::new(20).final_output("Rust is a language.").into(),
    ]
}

/// The names of the frames, in order.
pub(crate) fn names(stream: &str) -> Vec<&str> {
    stream.lines().filter_map(|line| line.strip_prefix("event: ")).collect()
}

pub(crate) fn cursor(offset: u64) -> Cursor {
    Cursor::new(0xabc, offset)
}
