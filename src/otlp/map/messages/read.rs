//! Messages out of what was recorded of a model call: the convention's own form, those of OpenAI, Anthropic and Gemini,
//! plain texts; what is none of these is one text.

use super::{
    Message, Part, Parts,
    json::{Object, elements},
    part::{given, part, tool_call},
    typed,
    words::Words,
};
use crate::{
    event::Body,
    otlp::{map::content::Content, span::Fact},
};
use std::borrow::Cow;

/// `role` is whose words they are where nothing else says it.
pub(in crate::otlp::map) fn conversation<'a>(content: Content<'a>, role: &'static str) -> Vec<Message<'a>> {
    let json = match content {
        Content::Text(text) => return vec![plain(text.into(), role)],
        Content::Json(json) => json,
    };
    if let Some(words) = Words::of(json) {
        return vec![plain(words, role)];
    }
    let messages = match json.as_bytes().first() {
        Some(b'[') => list(json, role),
        Some(b'{') => object(json, role),
        _ => None,
    };
    messages.unwrap_or_else(|| vec![plain(json.into(), role)])
}

/// What a model was seen to say, where its end does not have it.
pub(in crate::otlp::map) fn said(facts: &[Fact]) -> Vec<Message<'_>> {
    let parts: Vec<Part<'_>> = facts.iter().filter_map(|fact| said_part(&fact.body)).collect();
    if parts.is_empty() { Vec::new() } else { vec![Message::new("assistant", parts)] }
}

fn said_part(body: &Body) -> Option<Part<'_>> {
    let text = |text: &'_ crate::Text| !text.is_empty();
    match body {
        Body::TextEnd(end) => end.final_text.as_ref().filter(|t| text(t)).map(|t| Part::Text(t.as_str().into())),
        Body::ReasoningEnd(end) => {
            end.final_text.as_ref().filter(|t| text(t)).map(|t| Part::Reasoning(t.as_str().into()))
        }
        _ => None,
    }
}

fn plain<'a>(words: Words<'a>, role: &'static str) -> Message<'a> {
    Message::new(role, Part::Text(words))
}

fn list<'a>(json: &'a str, role: &'static str) -> Option<Vec<Message<'a>>> {
    typed::messages(json).or_else(|| any_list(json, role))
}

/// None where no element is like a message: then it is a list of something else.
pub(super) fn any_list<'a>(json: &'a str, role: &'static str) -> Option<Vec<Message<'a>>> {
    let elements = elements(json)?;
    let read: Vec<Option<Message<'a>>> = elements.iter().map(|element| element_of(element, role)).collect();
    let is_known = elements.is_empty() || read.iter().any(Option::is_some);
    let whole = |(message, element): (Option<Message<'a>>, &&'a str)| {
        message.unwrap_or_else(|| Message::new(role, part(element)))
    };
    is_known.then(|| read.into_iter().zip(&elements).map(whole).collect())
}

fn element_of<'a>(element: &'a str, role: &'static str) -> Option<Message<'a>> {
    if let Some(words) = Words::of(element) {
        return Some(plain(words, role));
    }
    let object = Object::read(element)?;
    message(&object, role).or_else(|| item(&object, element, role))
}

/// A part that stands where a message could: the Responses API says calls and their outputs so.
fn item<'a>(object: &Object<'a>, element: &'a str, role: &'static str) -> Option<Message<'a>> {
    object.get("type")?;
    let part = part(element);
    let role = match &part {
        Part::ToolCall { .. } | Part::Reasoning(_) => "assistant",
        Part::ToolResponse { .. } => "tool",
        _ => role,
    };
    Some(Message::new(role, part))
}

/// A message, or a request or an answer that holds some.
fn object<'a>(json: &'a str, role: &'static str) -> Option<Vec<Message<'a>>> {
    let object = Object::read(json)?;
    if let Some(one) = message(&object, role) {
        return Some(with_system(&object, vec![one]));
    }
    let choices = object.get("choices").or_else(|| object.get("candidates")).and_then(elements);
    let answers: Vec<_> = choices.into_iter().flatten().filter_map(|choice| of_choice(choice, role)).collect();
    if !answers.is_empty() {
        return Some(answers);
    }
    if let Some(one) = object.object("message") {
        return message(&one, role).map(|one| vec![one]);
    }
    let held = ["messages", "contents", "input", "output"]
        .iter()
        .find_map(|key| object.get(key).filter(|held| held.starts_with('[')));
    match (held, object.members()) {
        (Some(held), _) => list(held, role).map(|messages| with_system(&object, messages)),
        (None, [(_, only)]) => Words::of(only).map(|words| vec![plain(words, role)]),
        _ => None,
    }
}

/// One of several answers: OpenAI's has the message in it, Gemini's the content.
fn of_choice<'a>(choice: &'a str, role: &'static str) -> Option<Message<'a>> {
    let object = Object::read(choice)?;
    let inner = object.object("message").or_else(|| object.object("content"));
    let mut one = match inner {
        Some(inner) => message(&inner, role)?,
        None => plain(object.words(&["text"])?, role),
    };
    one.finish_reason = finish_reason(&object).or(one.finish_reason);
    Some(one)
}

/// The system's words that stand beside the messages.
fn with_system<'a>(object: &Object<'a>, mut messages: Vec<Message<'a>>) -> Vec<Message<'a>> {
    let beside = ["system", "instructions", "system_instruction", "systemInstruction", "system_instructions"];
    if let Some(system) = beside.iter().find_map(|key| object.get(key)) {
        let parts = match Object::read(system) {
            Some(object) => parts(&object),
            None => elements(system).map_or_else(|| vec![part(system)], |list| list.into_iter().map(part).collect()),
        };
        messages.insert(0, Message::new("system", parts));
    }
    messages
}

/// By these an object with a role is a message, also where they hold nothing.
const MAY_BE_EMPTY: [&str; 4] = ["content", "parts", "tool_calls", "finish_reason"];

/// An object with a role, or with parts.
fn message<'a>(object: &Object<'a>, role: &'static str) -> Option<Message<'a>> {
    let told = object.text(&["role"]);
    if told.is_none() && !object.has("parts") {
        return None;
    }
    let parts = Parts::from(parts(object));
    // Not every object with a role is a message: a member of a team has one.
    let is_empty = parts.is_empty() && object.members().len() > 1;
    if is_empty && !object.members().iter().any(|(name, _)| MAY_BE_EMPTY.contains(&&**name)) {
        return None;
    }
    let role = told.map_or(Cow::Borrowed(role), known_role);
    let name = object.text(&["name"]).filter(|_| role != "tool");
    Some(Message { role, name, parts, finish_reason: finish_reason(object) })
}

pub(super) fn known_role(role: Cow<'_, str>) -> Cow<'_, str> {
    Cow::Borrowed(match &*role {
        "model" | "ai" => "assistant",
        "human" => "user",
        "developer" => "system",
        "function" => "tool",
        _ => return role,
    })
}

fn parts<'a>(object: &Object<'a>) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    parts.extend(
        object
            .words(&["reasoning_content", "reasoning", "thinking"])
            .filter(|words| !words.is_empty())
            .map(Part::Reasoning),
    );
    let held = object.get("parts").or_else(|| object.get("content"));
    match (object.words(&["tool_call_id", "tool_use_id"]), held) {
        // What a tool said is one part, of whatever form.
        (Some(id), Some(held)) => parts.push(Part::ToolResponse { id: Some(id), response: given(held) }),
        (_, Some(held)) => parts.extend(held_parts(held)),
        _ => {}
    }
    parts.extend(object.words(&["refusal"]).map(Part::Text));
    let calls = object.get("tool_calls").and_then(elements).unwrap_or_default();
    parts.extend(calls.into_iter().filter_map(|call| tool_call(&Object::read(call)?)));
    parts.extend(object.object("function_call").and_then(|call| tool_call(&call)));
    parts
}

fn held_parts(held: &str) -> Vec<Part<'_>> {
    match elements(held) {
        Some(list) => list.into_iter().map(part).collect(),
        None if held == "\"\"" => Vec::new(),
        None => vec![part(held)],
    }
}

/// In the convention's words, where it has one.
fn finish_reason<'a>(object: &Object<'a>) -> Option<Cow<'a, str>> {
    object.text(&["finish_reason", "finishReason", "stop_reason"]).map(known_reason)
}

pub(super) fn known_reason(reason: Cow<'_, str>) -> Cow<'_, str> {
    Cow::Borrowed(match &*reason {
        "stop" | "end_turn" | "stop_sequence" | "STOP" => "stop",
        "length" | "max_tokens" | "MAX_TOKENS" => "length",
        "tool_call" | "tool_calls" | "tool_use" | "function_call" => "tool_call",
        "content_filter" | "refusal" | "SAFETY" => "content_filter",
        _ => return reason,
    })
}
