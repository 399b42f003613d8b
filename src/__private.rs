//! What the macros expand to. Not for people: it changes without notice.

use std::fmt::Display;

use futures_core::Stream;
use serde_json::Value;

pub use crate::semconv::operation;
pub use crate::span::autoref::{Arg, Out};
use crate::span::autoref::{Decided, Scored};
pub use crate::span::made::{Chunks, Made};
pub use crate::span::{AgentSpan, agent, evaluator, guardrail, retriever, step, tool, workflow};
use crate::span::{ChunkReader, Failure, Run, Told, open_embedding, open_llm, open_memory};

/// The questions of [`autoref`](crate::span::autoref), without their names: an import of them all hides nothing.
pub mod ask {
    pub use crate::span::autoref::{
        ArgDebug as _, ArgNamed as _, ArgSerialize as _, CountNoResult as _, CountNone as _, CountOk as _,
        CountSome as _, FailureBoxed as _, FailureDebug as _, FailureMute as _, FailureNone as _, FailureSaid as _,
        FailureSources as _, LabelDisplay as _, LabelNone as _, LabelText as _, OkAny as _, OkDebug as _,
        OkSerialize as _, OutAny as _, OutDebug as _, OutSerialize as _, ScoreNone as _, ScoreOk as _, ScoreSome as _,
        TellChunk as _, TellNoResult as _, TellNothing as _, TellOkChunk as _, TellOkText as _, TellText as _,
        TextNone as _, TextSome as _, VerdictNone as _, VerdictOk as _, VerdictSome as _,
    };
    pub use crate::span::made::{MadeOther as _, MadeStream as _};
}

/// A model call whose model is asked for only if somebody is interested.
pub fn llm(model: impl FnOnce() -> Option<String>) -> AgentSpan {
    open_llm(model)
}

/// An embedding call whose model is asked for only if somebody is interested.
pub fn embedding(model: impl FnOnce() -> Option<String>) -> AgentSpan {
    open_embedding(model)
}

/// One of the operations on memory.
pub fn memory(operation: &'static str) -> AgentSpan {
    open_memory(operation)
}

/// A model named by an expression: unlike an argument, that is one because the author said so.
pub fn label<T: Display + ?Sized>(value: &T) -> Option<String> {
    Some(value.to_string())
}

/// Runs the body of a function in its span; [`Called::read`] ends it.
pub fn call<R>(span: AgentSpan, body: impl FnOnce() -> R) -> Called<R> {
    let output = span.watch(body);
    Called { span, output }
}

/// Runs the part of a function that makes a future.
pub fn make<F>(span: &AgentSpan, body: impl FnOnce() -> F) -> F {
    span.watch(body)
}

/// Runs a future in its span; [`Running::read`] makes the future of it. The output is named apart, so that the macro can
/// say it: what the body leaves open, the signature tells.
pub fn run<T, F: Future<Output = T>>(span: AgentSpan, future: F) -> Running<F> {
    Running { span, future }
}

/// A function that returned, its span still open.
#[derive(Debug)]
pub struct Called<R> {
    span: AgentSpan,
    output: R,
}

impl<R> Called<R> {
    /// Two calls and not one, so that the type of the output is known where `read` is compiled.
    pub fn read(self, read: impl FnOnce(&AgentSpan, &R)) -> R {
        self.span.settle(&self.output, read);
        self.output
    }
}

/// A future that waits for its reader.
#[derive(Debug)]
pub struct Running<F> {
    span: AgentSpan,
    future: F,
}

impl<F: Future> Running<F> {
    /// Two calls and not one, so that the type of the output is known where `read` is compiled.
    pub fn read<J: FnOnce(&AgentSpan, &F::Output)>(self, read: J) -> Run<F, J> {
        Run::new(self.span, self.future, read)
    }
}

/// Runs a stream in its span; [`Streaming::read`] makes the stream of it. The item is named apart for the same reason.
pub fn stream<T, S: Stream<Item = T>>(span: AgentSpan, stream: S) -> Streaming<S> {
    Streaming { span, stream }
}

/// A stream that waits for its reader.
#[derive(Debug)]
pub struct Streaming<S> {
    span: AgentSpan,
    stream: S,
}

impl<S: Stream> Streaming<S> {
    /// Two calls and not one, so that the type of the items is known where `read` is compiled.
    pub fn read<J>(self, read: J) -> Told<S, Chunks<J>>
    where
        J: FnMut(&mut ChunkReader, &AgentSpan, &S::Item),
    {
        Chunks::told(self.span, self.stream, read)
    }
}

/// Stands after `if false { return`, to tell the compiler the type of a block that cannot be annotated.
pub fn never<T>() -> T {
    unreachable!()
}

/// What a tool returned.
pub fn result(span: &AgentSpan, json: Option<String>) {
    if let Some(json) = json {
        span.result(&json);
    }
}

/// What another kind returned.
pub fn output(span: &AgentSpan, json: Option<String>) {
    if let Some(json) = json {
        span.output(&json);
    }
}

/// What the function says of its own end.
pub fn end(span: &AgentSpan, failure: Option<Failure>) {
    if let Some(failure) = failure {
        span.fail_with(&failure);
    }
}

/// The same where the message is not to be kept.
pub fn end_without_message(span: &AgentSpan, failure: Option<Failure>) {
    end(span, failure.map(Failure::without_message));
}

/// An argument that is named and not shown, as JSON.
pub fn redacted() -> String {
    r#""[redacted]""#.to_owned()
}

/// How many records a memory returned.
pub fn records(span: &AgentSpan, count: Option<usize>) {
    if let Some(count) = count {
        span.records(count);
    }
}

/// What a guardrail decided.
pub fn verdict(span: &AgentSpan, decided: Option<Decided>) {
    let Some(Decided { decision, reason, score }) = decided else { return };
    span.verdict(decision, reason.as_deref());
    if let Some(score) = score {
        span.score(score);
    }
}

/// What an evaluator found.
pub fn score(span: &AgentSpan, found: Option<Scored>) {
    let Some(Scored { score, label, explanation }) = found else { return };
    if let Some(score) = score {
        span.score(score);
    }
    if let Some(label) = label {
        span.label(&label);
    }
    if let Some(explanation) = explanation {
        span.explanation(&explanation);
    }
}

/// The first argument that is a text.
pub fn query<const N: usize>(span: &AgentSpan, texts: [Option<String>; N]) {
    if let Some(text) = texts.into_iter().flatten().next() {
        span.query(&text);
    }
}

/// The arguments of a call as one JSON object.
pub fn object<const N: usize>(members: [(&str, String); N]) -> String {
    let members: Vec<String> = members.into_iter().map(|(key, json)| format!("{}:{json}", Value::from(key))).collect();
    format!("{{{}}}", members.join(","))
}

/// Facts named by the author: under their own name where the span declares it, the others together.
pub fn fields<const N: usize>(span: &AgentSpan, members: [(&str, String); N]) {
    let (declared, others): (Vec<_>, Vec<_>) = members.into_iter().partition(|(key, _)| span.declares(key));
    for (key, json) in declared {
        record(span, key, &json);
    }
    if !others.is_empty() {
        let others: serde_json::Map<_, _> =
            others.into_iter().map(|(key, json)| (key.to_owned(), parsed(&json))).collect();
        span.fields(&Value::Object(others).to_string());
    }
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

fn record(span: &AgentSpan, key: &str, json: &str) {
    match parsed(json) {
        Value::Null => {}
        Value::Bool(yes) => span.record_named(key, yes),
        Value::String(text) => span.record_named(key, text.as_str()),
        Value::Number(number) => record_number(span, key, &number),
        Value::Array(_) | Value::Object(_) => span.record_named(key, json),
    }
}

fn record_number(span: &AgentSpan, key: &str, number: &serde_json::Number) {
    match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => span.record_named(key, whole),
        (None, Some(real)) => span.record_named(key, real),
        (None, None) => {}
    }
}
