//! Messages as OpenInference has them: an attribute for each thing, with its place in the key.

use super::{Given, Message, Part, words::Words};
use crate::otlp::{map::pen::Pen, sink::SpanSink};
use std::borrow::Cow;

/// Messages that are flattened, the last ones; each is several attributes.
const MAX_MESSAGES: usize = 256;

impl<S: SpanSink> Pen<'_, S> {
    pub(in crate::otlp::map) fn flat_messages(&mut self, prefix: &str, messages: &[Message<'_>]) {
        let from = messages.len().saturating_sub(MAX_MESSAGES);
        let mut index = 0;
        for message in &messages[from..] {
            let (responses, others): (Vec<&Part<'_>>, Vec<&Part<'_>>) =
                message.parts.iter().partition(|part| matches!(part, Part::ToolResponse { .. }));
            // There, what a tool said is a message of its own.
            for response in &responses {
                self.flat_response(prefix, index, response);
                index += 1;
            }
            if !others.is_empty() || responses.is_empty() {
                self.flat_message(prefix, index, message, &others);
                index += 1;
            }
        }
    }

    fn flat_response(&mut self, prefix: &str, index: usize, part: &Part<'_>) {
        let Part::ToolResponse { id, response } = part else { return };
        self.indexed(prefix, index, ".message.role", "tool");
        self.indexed(prefix, index, ".message.tool_call_id", &plain(id));
        self.flat_given(prefix, index, ".message.content", response);
    }

    fn flat_message(&mut self, prefix: &str, index: usize, message: &Message<'_>, parts: &[&Part<'_>]) {
        self.indexed(prefix, index, ".message.role", &message.role);
        self.indexed(prefix, index, ".message.name", message.name.as_deref().unwrap_or_default());
        let (calls, contents): (Vec<&&Part<'_>>, Vec<&&Part<'_>>) =
            parts.iter().partition(|part| matches!(part, Part::ToolCall { .. }));
        match contents.as_slice() {
            [Part::Text(words)] => self.indexed(prefix, index, ".message.content", &words.plain()),
            several => self.flat_contents(prefix, index, several),
        }
        for (place, call) in calls.iter().enumerate() {
            let Part::ToolCall { id, name, arguments } = call else { continue };
            let key = |rest: &str| format!(".message.tool_calls.{place}.tool_call.{rest}");
            self.indexed(prefix, index, &key("id"), &plain(id));
            self.indexed(prefix, index, &key("function.name"), &name.plain());
            if let Some(arguments) = arguments {
                self.flat_given(prefix, index, &key("function.arguments"), arguments);
            }
        }
    }

    fn flat_contents(&mut self, prefix: &str, index: usize, parts: &[&&Part<'_>]) {
        for (place, part) in parts.iter().enumerate() {
            let (kind, rest, value): (&str, &str, Cow<'_, str>) = match part {
                Part::Text(words) => ("text", "text", words.plain()),
                Part::Reasoning(words) => ("reasoning", "text", words.plain()),
                Part::Uri { modality, uri } => (modality, "image.image.url", Cow::Borrowed(uri)),
                Part::Blob { modality, mime_type, content } => {
                    let url = format!("data:{};base64,{}", mime_type.as_deref().unwrap_or_default(), content.plain());
                    (modality, "image.image.url", Cow::Owned(url))
                }
                Part::Other(json) => ("text", "text", Cow::Borrowed(*json)),
                Part::ToolCall { .. } | Part::ToolResponse { .. } => continue,
            };
            let key = |rest: &str| format!(".message.contents.{place}.message_content.{rest}");
            self.indexed(prefix, index, &key("type"), kind);
            self.indexed(prefix, index, &key(rest), &value);
        }
    }

    fn flat_given(&mut self, prefix: &str, index: usize, rest: &str, given: &Given<'_>) {
        match given {
            Given::Json(json) => self.indexed_json(prefix, index, rest, json),
            Given::Text(words) => self.indexed(prefix, index, rest, &words.plain()),
        }
    }
}

fn plain<'a>(words: &'a Option<Words<'_>>) -> Cow<'a, str> {
    words.as_ref().map(Words::plain).unwrap_or_default()
}
