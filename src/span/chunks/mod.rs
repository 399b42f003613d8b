//! Reading a model's streamed answer, whoever's it is: what its chunks say becomes pieces and facts of a span.

mod answer;
mod anthropic;
mod chat;
mod failure;
mod gemini;
mod responses;
mod rig;
mod shape;

use std::time::Instant;

use serde::Serialize;
use serde_json::Value;

use super::{AgentSpan, Failure};
use answer::{Answer, Known};
use shape::Shape;

/// Reads the chunks of one streamed answer, and tells a span what they say.
///
/// Understood are the chunks of OpenAI's Chat Completions and Responses, of Anthropic's Messages and of Gemini's
/// `generateContent`, as JSON or as values that serialize to it, and the items of rig's streams. Which of them it is, is
/// seen at the first chunk that tells it; other chunks are passed over.
///
/// Told are the text, the reasoning and the input of tools as they come; the model, the answer's id and the usage as
/// the provider counted it (what it does not say stays unknown); why it stopped, in the provider's word, `refusal` where
/// the model refused; and an error in mid-stream, with which the span fails. Of several choices the first one's text is
/// told, and of each why it stopped. Calls of tools that the provider itself runs are not told.
///
/// A loop of your own, over the lines of an HTTP answer:
///
/// ```
/// use spanwright::span::{self, ChunkReader};
/// use std::time::Instant;
///
/// # fn send() -> Vec<&'static str> {
/// #     vec![r#"data: {"id":"c1","object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}"#, "data: [DONE]"]
/// # }
/// let llm = span::llm("gpt-4o");
/// llm.provider("openai");
/// let mut reader = ChunkReader::new().sent_at(Instant::now());
/// llm.in_scope(|| {
///     for line in send() {
///         reader.json(&llm, line);
///     }
///     reader.end(&llm);
/// });
/// ```
#[derive(Debug, Default)]
pub struct ChunkReader {
    shape: Option<Shape>,
    known: Known,
    /// When the request left, until the first chunk comes.
    sent: Option<Instant>,
    begun: bool,
}

impl ChunkReader {
    /// A reader for one answer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// When the request was sent: the time to the first chunk is then recorded as counted from here.
    #[must_use]
    pub fn sent_at(mut self, sent: Instant) -> Self {
        self.sent = Some(sent);
        self
    }

    /// An item that is a piece of the answer's text and nothing else.
    pub fn text(&mut self, span: &AgentSpan, text: &str) {
        if let Some(mut answer) = self.begin(span) {
            answer.text(text);
        }
    }

    /// An item that serializes to a provider's chunk, or to a list of them. One that cannot be serialized is passed over.
    pub fn item<T: Serialize + ?Sized>(&mut self, span: &AgentSpan, item: &T) {
        if span.is_enabled()
            && let Ok(chunk) = serde_json::to_value(item)
        {
            self.chunk(span, &chunk);
        }
    }

    /// A chunk, or a list of them.
    pub fn chunk(&mut self, span: &AgentSpan, chunk: &Value) {
        if self.begin(span).is_none() {
            return;
        }
        match chunk {
            Value::Array(chunks) => chunks.iter().for_each(|chunk| self.read(span, chunk)),
            chunk => self.read(span, chunk),
        }
    }

    /// A line of an answer's body: a chunk as JSON, with or without `data:` before it, or `[DONE]`. Other lines, and
    /// those that are no JSON, are passed over.
    pub fn json(&mut self, span: &AgentSpan, line: &str) {
        let data = line.trim_start().strip_prefix("data:").unwrap_or(line).trim();
        if data == "[DONE]" {
            self.shape.iter_mut().for_each(Shape::done);
        } else if span.is_enabled()
            && let Ok(chunk) = serde_json::from_str(data)
        {
            self.chunk(span, &chunk);
        }
    }

    /// The stream is over: the text that was being written is whole. Where the provider always says that an answer is
    /// over and this one does not, it was cut, and the span fails as `incomplete_stream`. Afterwards the reader is as new.
    pub fn end(&mut self, span: &AgentSpan) {
        if let Some(events) = span.tracing() {
            Answer::new(span, events, &mut self.known).text_ends();
        }
        if let Some(missing) = self.shape.as_ref().and_then(Shape::missing) {
            let message = format_args!("incomplete stream: it ended without {missing}");
            span.fail_with(&Failure::new("incomplete_stream", message));
        }
        *self = Self::new();
    }

    /// The span to tell, if anyone listens.
    fn begin<'a>(&'a mut self, span: &'a AgentSpan) -> Option<Answer<'a>> {
        let events = span.tracing()?;
        if !std::mem::replace(&mut self.begun, true) {
            span.begins_stream();
            if let Some(sent) = self.sent {
                span.time_to_first_chunk(sent.elapsed());
            }
        }
        Some(Answer::new(span, events, &mut self.known))
    }

    fn read(&mut self, span: &AgentSpan, chunk: &Value) {
        if let Some(failure) = failure::of(chunk) {
            span.fail_with(&failure);
        }
        let Some(shape) = self.shape.take().or_else(|| Shape::of(chunk)) else { return };
        let shape = self.shape.insert(shape);
        if let Some(events) = span.tracing() {
            shape.read(chunk, &mut Answer::new(span, events, &mut self.known));
        }
    }
}
