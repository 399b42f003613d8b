//! Lists of messages in the forms that are met most, read in one pass: the convention's own parts, OpenAI's chat messages,
//! Anthropic's content lists. What has anything else in it is not read here at all but by `read.rs`, which looks each
//! message through once for each level of it; both make the same of what both read.

use super::{
    Given, Message, Part, Parts,
    part::{given_text, given_value},
    read::{known_reason, known_role},
    reader::{Reader, Value},
    words::Words,
};
use std::borrow::Cow;

/// Of most conversations no list of messages has to grow.
const ABOUT_MESSAGES: usize = 6;

/// None where something in the list is of another form.
pub(super) fn messages(json: &str) -> Option<Vec<Message<'_>>> {
    let mut messages = Vec::with_capacity(ABOUT_MESSAGES);
    Reader::new(json).elements(|reader| {
        messages.push(Said::read(reader)?.message()?);
        Some(())
    })?;
    Some(messages)
}

/// A member that may be there once.
type Slot<'a> = Option<Value<'a>>;

/// Which of two members of one name counts is not known here.
fn fill<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

fn is_null(value: &Value<'_>) -> bool {
    matches!(value, Value::Other("null"))
}

/// The text that the first of these members holds.
fn words<'a, const N: usize>(members: [Slot<'a>; N]) -> Option<Words<'a>> {
    members.into_iter().flatten().find_map(|member| match member {
        Value::Text(quoted) => quoted.words(),
        Value::Other(_) => None,
    })
}

/// The same, to be looked at.
fn text(member: Slot<'_>) -> Option<Cow<'_, str>> {
    match member? {
        Value::Text(quoted) => quoted.decoded(),
        Value::Other(_) => None,
    }
}

/// A word of the form itself: nobody has to escape those.
fn word(member: Slot<'_>) -> Option<&str> {
    match member? {
        Value::Text(quoted) => quoted.unescaped(),
        Value::Other(_) => None,
    }
}

/// What the first of these members holds; null is as absent.
fn given<'a, const N: usize>(members: [Slot<'a>; N]) -> Option<Given<'a>> {
    members.into_iter().flatten().find(|member| !is_null(member)).map(given_value)
}

#[derive(Default)]
struct Said<'a> {
    role: Slot<'a>,
    name: Slot<'a>,
    parts: Option<Held<'a>>,
    content: Option<Held<'a>>,
    refusal: Slot<'a>,
    tool_call_id: Slot<'a>,
    tool_calls: Option<Parts<'a>>,
    finish_reason: Slot<'a>,
}

impl<'a> Said<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let mut said = Self::default();
        reader.members(|reader, name| match name.inside() {
            "role" => fill(&mut said.role, reader.value()?),
            "name" => fill(&mut said.name, reader.value()?),
            "parts" => fill(&mut said.parts, Held::read(reader)?),
            "content" => fill(&mut said.content, Held::read(reader)?),
            "refusal" => fill(&mut said.refusal, reader.value()?),
            "tool_call_id" => fill(&mut said.tool_call_id, reader.value()?),
            "tool_calls" => fill(&mut said.tool_calls, calls(reader)?),
            "finish_reason" => fill(&mut said.finish_reason, reader.value()?),
            _ => None,
        })?;
        Some(said)
    }

    fn message(self) -> Option<Message<'a>> {
        let role = known_role(word(self.role)?.into());
        let name = text(self.name).filter(|_| role != "tool");
        let finish_reason = text(self.finish_reason).map(known_reason);
        let held = self.parts.filter(|held| !matches!(held, Held::Nothing)).or(self.content);
        let mut parts = match (words([self.tool_call_id]), held) {
            (Some(id), Some(Held::Words(words))) => {
                Part::ToolResponse { id: Some(id), response: given_text(words) }.into()
            }
            // What a tool said is one part, as it stands; that is no longer known here.
            (Some(_), Some(Held::Parts(_))) => return None,
            (None, Some(Held::Words(words))) if !words.is_empty() => Part::Text(words).into(),
            (None, Some(Held::Parts(parts))) => parts,
            _ => Parts::default(),
        };
        parts.extend(words([self.refusal]).map(Part::Text));
        match self.tool_calls {
            Some(Parts::Many(calls)) => parts.extend(calls),
            Some(Parts::One(call)) => parts.extend(call),
            None => {}
        }
        // Whether an object that says nothing is a message at all is decided by what else it has.
        (!parts.is_empty()).then_some(Message { role, name, parts, finish_reason })
    }
}

/// What a message has in it: one text, or a list of parts.
enum Held<'a> {
    Nothing,
    Words(Words<'a>),
    Parts(Parts<'a>),
}

impl<'a> Held<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        if reader.peek()? == b'[' {
            let mut parts = Parts::default();
            reader.elements(|reader| {
                parts.push(Piece::read(reader)?.part()?);
                Some(())
            })?;
            return Some(Self::Parts(parts));
        }
        match reader.value()? {
            Value::Text(quoted) => quoted.words().map(Self::Words),
            value => is_null(&value).then_some(Self::Nothing),
        }
    }
}

/// OpenAI's list of what the model asks for.
fn calls<'a>(reader: &mut Reader<'a>) -> Option<Parts<'a>> {
    let mut calls = Parts::default();
    if reader.peek()? != b'[' {
        return is_null(&reader.value()?).then_some(calls);
    }
    reader.elements(|reader| {
        calls.push(call(reader)?);
        Some(())
    })?;
    Some(calls)
}

fn call<'a>(reader: &mut Reader<'a>) -> Option<Part<'a>> {
    let (mut id, mut function) = (None, None);
    reader.members(|reader, name| match name.inside() {
        "id" => fill(&mut id, reader.value()?),
        "function" => fill(&mut function, self::function(reader)?),
        "type" | "index" => reader.value().map(drop),
        _ => None,
    })?;
    let (name, arguments) = function?;
    Some(Part::ToolCall { id: words([id]), name, arguments })
}

fn function<'a>(reader: &mut Reader<'a>) -> Option<(Words<'a>, Option<Given<'a>>)> {
    let (mut called, mut arguments) = (None, None);
    reader.members(|reader, name| match name.inside() {
        "name" => fill(&mut called, reader.value()?),
        "arguments" => fill(&mut arguments, reader.value()?),
        _ => None,
    })?;
    Some((words([called])?, given([arguments])))
}

/// A part in the convention's form, or in Anthropic's or OpenAI's of a text.
#[derive(Default)]
struct Piece<'a> {
    kind: Slot<'a>,
    id: Slot<'a>,
    name: Slot<'a>,
    content: Slot<'a>,
    text: Slot<'a>,
    thinking: Slot<'a>,
    arguments: Slot<'a>,
    input: Slot<'a>,
    response: Slot<'a>,
    tool_use_id: Slot<'a>,
}

impl<'a> Piece<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let mut piece = Self::default();
        reader.members(|reader, name| {
            let slot = match name.inside() {
                "type" => &mut piece.kind,
                "id" => &mut piece.id,
                "name" => &mut piece.name,
                "content" => &mut piece.content,
                "text" => &mut piece.text,
                "thinking" => &mut piece.thinking,
                "arguments" => &mut piece.arguments,
                "input" => &mut piece.input,
                "response" => &mut piece.response,
                "tool_use_id" => &mut piece.tool_use_id,
                // What Anthropic and OpenAI put beside, and the convention has no place for.
                "signature" | "cache_control" | "is_error" | "annotations" => return reader.value().map(drop),
                _ => return None,
            };
            fill(slot, reader.value()?)
        })?;
        Some(piece)
    }

    fn part(self) -> Option<Part<'a>> {
        match word(self.kind)? {
            "text" | "input_text" | "output_text" | "summary_text" => words([self.content, self.text]).map(Part::Text),
            "reasoning" | "thinking" => words([self.content, self.text, self.thinking]).map(Part::Reasoning),
            "tool_call" | "tool_use" => Some(Part::ToolCall {
                id: words([self.id]),
                name: words([self.name])?,
                arguments: given([self.arguments, self.input]),
            }),
            "tool_call_response" | "tool_result" => Some(Part::ToolResponse {
                id: words([self.tool_use_id, self.id]),
                response: given([self.response, self.content])?,
            }),
            _ => None,
        }
    }
}
