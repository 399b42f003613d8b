//! Messages as the JSON that the GenAI convention asks for. Back ends drop a whole list for one bad part, so what is
//! written here is always of the schema.

use super::{Given, Message, Part, read::known_reason, system, words::Words};
use crate::{
    Text, json,
    otlp::{
        map::{content::Content, cut, pen::Pen, subject::Subject},
        sink::SpanSink,
    },
    semconv,
};

/// Messages are a bit longer when they are written than they were: more is said of them.
const ROOM_TO_GROW: usize = 256;

impl<S: SpanSink> Pen<'_, S> {
    /// What was said to it, and what it said.
    pub(in crate::otlp::map) fn messages_in_and_out(&mut self, subject: &Subject<'_>) {
        let (input, output) = (subject.input(), subject.output());
        if let Some(longest) = [input, output].iter().flatten().map(|content| content.text().len()).max() {
            self.make_room(longest + ROOM_TO_GROW);
        }
        let input = in_of(input);
        let (system, input) = system::split(&input);
        if !system.is_empty() {
            let parts = || system.iter().flat_map(|message| message.parts.iter());
            self.fitted(semconv::SYSTEM_INSTRUCTIONS, |longest, out| {
                write_list(parts(), out, |part, out| write_part(part, longest, out))
            });
        }
        self.messages(semconv::INPUT_MESSAGES, input, None);
        let output = out_of(output, subject);
        if !output.is_empty() {
            let finish = (!self.dialect.is_latest()).then(|| finish_reason(subject));
            self.messages(semconv::OUTPUT_MESSAGES, &output, finish);
        }
    }

    /// Strings are shortened first; then the oldest messages go, and it is said how many.
    fn messages(&mut self, key: &str, messages: &[Message<'_>], finish: Option<&str>) {
        let mut kept = messages.len();
        while kept > 0 {
            let (gone, rest) = messages.split_at(messages.len() - kept);
            if self.fitted(key, |longest, out| write_messages(gone.len(), rest, finish, longest, out)) {
                return;
            }
            kept /= 2;
        }
        if let Some(last) = messages.last() {
            let only = Message::new(&*last.role, Part::Text(" … [cut]".into()));
            self.fitted(key, |longest, out| {
                write_messages(messages.len() - 1, std::slice::from_ref(&only), finish, longest, out)
            });
        }
    }
}

/// The reason that the call gives, for answers that give none: the convention required one up to 1.41.
fn finish_reason<'a>(subject: &Subject<'a>) -> &'a str {
    let told = subject.model_end().and_then(|end| end.finish_reasons.as_ref()?.first()).map(Text::as_str);
    told.unwrap_or(if subject.outcome.is_none() { "stop" } else { "error" })
}

fn write_messages(gone: usize, messages: &[Message<'_>], finish: Option<&str>, longest: usize, out: &mut String) {
    let note = (gone > 0).then(|| {
        let words = Words::Plain(format!("[cut: {gone} messages]").into());
        Message::new("system", Part::Text(words))
    });
    write_list(note.iter().chain(messages), out, |message, out| write_message(message, finish, longest, out));
}

fn write_list<T>(items: impl Iterator<Item = T>, out: &mut String, mut write: impl FnMut(T, &mut String)) {
    out.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

fn write_message(message: &Message<'_>, finish: Option<&str>, longest: usize, out: &mut String) {
    text("{\"role\":", &message.role, longest, out);
    message.name.iter().for_each(|name| text(",\"name\":", name, longest, out));
    out.push_str(",\"parts\":");
    write_list(message.parts.iter(), out, |part, out| write_part(part, longest, out));
    if let Some(finish) = finish {
        let asks = matches!(message.parts.last(), Some(Part::ToolCall { .. })) && finish == "stop";
        let reason = message.finish_reason.as_deref().unwrap_or(if asks { "tool_call" } else { finish });
        text(",\"finish_reason\":", &known_reason(reason.into()), longest, out);
    }
    out.push('}');
}

fn write_part(part: &Part<'_>, longest: usize, out: &mut String) {
    match part {
        Part::Text(said) => words("{\"type\":\"text\",\"content\":", said, longest, out),
        Part::Reasoning(said) => words("{\"type\":\"reasoning\",\"content\":", said, longest, out),
        Part::ToolCall { id, name, arguments } => {
            words("{\"type\":\"tool_call\",\"name\":", name, longest, out);
            id.iter().for_each(|id| words(",\"id\":", id, longest, out));
            arguments.iter().for_each(|arguments| given(",\"arguments\":", arguments, longest, out));
        }
        Part::ToolResponse { id, response } => {
            out.push_str("{\"type\":\"tool_call_response\"");
            id.iter().for_each(|id| words(",\"id\":", id, longest, out));
            given(",\"response\":", response, longest, out);
        }
        Part::Blob { modality, mime_type, content } => {
            text("{\"type\":\"blob\",\"modality\":", modality, longest, out);
            mime_type.iter().for_each(|mime_type| text(",\"mime_type\":", mime_type, longest, out));
            words(",\"content\":", content, longest, out);
        }
        Part::Uri { modality, uri } => {
            text("{\"type\":\"uri\",\"modality\":", modality, longest, out);
            text(",\"uri\":", uri, longest, out);
        }
        Part::Other(json) => return write_json(json, longest, out),
    }
    out.push('}');
}

fn words(before: &str, words: &Words<'_>, longest: usize, out: &mut String) {
    out.push_str(before);
    words.write(longest, out);
}

fn text(before: &str, text: &str, longest: usize, out: &mut String) {
    out.push_str(before);
    json::write_str(&cut::text(text, longest), out);
}

fn given(before: &str, value: &Given<'_>, longest: usize, out: &mut String) {
    out.push_str(before);
    match value {
        Given::Text(words) => words.write(longest, out),
        Given::Json(json) => write_json(json, longest, out),
    }
}

/// No string in it is longer than the whole: mostly there is nothing to look for.
fn write_json(json: &str, longest: usize, out: &mut String) {
    match json.len() > longest {
        true => cut::shorten(json, longest, out),
        false => out.push_str(json),
    }
}

impl<'a> Subject<'a> {
    pub(in crate::otlp::map) fn messages_in(&self) -> Vec<Message<'a>> {
        in_of(self.input())
    }

    pub(in crate::otlp::map) fn messages_out(&self) -> Vec<Message<'a>> {
        out_of(self.output(), self)
    }
}

fn in_of(input: Option<Content<'_>>) -> Vec<Message<'_>> {
    input.map_or_else(Vec::new, |content| super::conversation(content, "user"))
}

/// What was seen to be said counts where the end has no answer: also of a call that failed on the way.
fn out_of<'a>(output: Option<Content<'a>>, subject: &Subject<'a>) -> Vec<Message<'a>> {
    match output {
        Some(content) => super::conversation(content, "assistant"),
        None => super::said(&subject.span.facts),
    }
}
