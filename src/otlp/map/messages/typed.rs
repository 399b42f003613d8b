//! Lists of messages in the forms that are met most, read in one pass: the convention's own parts, OpenAI's chat messages,
//! Anthropic's content lists. What has anything else in it is not read here at all but by `read.rs`, which looks each
//! message through once for each level of it; both make the same of what both read.

use super::{
    Message, Part,
    part::{given, given_text},
    read::{known_reason, known_role},
};
use crate::otlp::map::content::decoded;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, marker::PhantomData};

/// None where something in the list is of another form.
pub(super) fn messages(json: &str) -> Option<Vec<Message<'_>>> {
    let read: Vec<Only<Said<'_>>> = serde_json::from_str(json).ok()?;
    read.into_iter().map(|said| said.0.message()).collect()
}

/// What a member holds, as it stands there; null is as absent.
type Raw<'a> = Option<&'a RawValue>;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Said<'a> {
    #[serde(borrow)]
    role: &'a RawValue,
    #[serde(borrow)]
    name: Raw<'a>,
    #[serde(borrow)]
    parts: Option<Held<'a>>,
    #[serde(borrow)]
    content: Option<Held<'a>>,
    #[serde(borrow)]
    refusal: Raw<'a>,
    #[serde(borrow)]
    tool_call_id: Raw<'a>,
    #[serde(borrow)]
    tool_calls: Option<Vec<Only<Call<'a>>>>,
    #[serde(borrow)]
    finish_reason: Raw<'a>,
}

impl<'a> Said<'a> {
    fn message(self) -> Option<Message<'a>> {
        let role = known_role(decoded(self.role.get())?);
        let name = text([self.name]).filter(|_| role != "tool");
        let finish_reason = text([self.finish_reason]).map(known_reason);
        let mut parts = match (text([self.tool_call_id]), self.parts.or(self.content)) {
            (Some(id), Some(Held::Text(text))) => vec![Part::ToolResponse { id: Some(id), response: given_text(text) }],
            // What a tool said is one part, as it stands; that is no longer known here.
            (Some(_), Some(Held::Parts(_))) => return None,
            (None, Some(Held::Text(text))) if !text.is_empty() => vec![Part::Text(text)],
            (None, Some(Held::Parts(parts))) => parts,
            _ => Vec::new(),
        };
        parts.extend(text([self.refusal]).map(Part::Text));
        for call in self.tool_calls.unwrap_or_default() {
            parts.push(call.0.part()?);
        }
        // Whether an object that says nothing is a message at all is decided by what else it has.
        (!parts.is_empty()).then_some(Message { role, name, parts, finish_reason })
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Call<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    #[serde(borrow, rename = "type")]
    _type: Raw<'a>,
    #[serde(borrow, rename = "index")]
    _index: Raw<'a>,
    #[serde(borrow)]
    function: Only<Function<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Function<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow)]
    arguments: Raw<'a>,
}

impl<'a> Call<'a> {
    fn part(self) -> Option<Part<'a>> {
        let Only(Function { name, arguments }) = self.function;
        let arguments = arguments.map(|arguments| given(arguments.get()));
        Some(Part::ToolCall { id: text([self.id]), name: decoded(name.get())?, arguments })
    }
}

/// What a message has in it: one text, or a list of parts.
enum Held<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<Part<'a>>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Held<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeldVisitor(PhantomData))
    }
}

struct HeldVisitor<'a>(PhantomData<&'a str>);

impl<'de: 'a, 'a> Visitor<'de> for HeldVisitor<'a> {
    type Value = Held<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of parts")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Held::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Held::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut parts = Vec::new();
        while let Some(piece) = list.next_element::<Only<Piece<'a>>>()? {
            parts.push(piece.0.part().ok_or_else(|| A::Error::custom("a part of another form"))?);
        }
        Ok(Held::Parts(parts))
    }
}

/// A part in the convention's form, or in Anthropic's or OpenAI's of a text.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece<'a> {
    #[serde(borrow, rename = "type")]
    kind: &'a RawValue,
    #[serde(borrow)]
    id: Raw<'a>,
    #[serde(borrow)]
    name: Raw<'a>,
    #[serde(borrow)]
    content: Raw<'a>,
    #[serde(borrow)]
    text: Raw<'a>,
    #[serde(borrow)]
    thinking: Raw<'a>,
    #[serde(borrow)]
    arguments: Raw<'a>,
    #[serde(borrow)]
    input: Raw<'a>,
    #[serde(borrow)]
    response: Raw<'a>,
    #[serde(borrow)]
    tool_use_id: Raw<'a>,
    // What Anthropic and OpenAI put beside, and the convention has no place for.
    #[serde(borrow, rename = "signature")]
    _signature: Raw<'a>,
    #[serde(borrow, rename = "cache_control")]
    _cache_control: Raw<'a>,
    #[serde(borrow, rename = "is_error")]
    _is_error: Raw<'a>,
    #[serde(borrow, rename = "annotations")]
    _annotations: Raw<'a>,
}

impl<'a> Piece<'a> {
    fn part(self) -> Option<Part<'a>> {
        match &*decoded(self.kind.get())? {
            "text" | "input_text" | "output_text" | "summary_text" => text([self.content, self.text]).map(Part::Text),
            "reasoning" | "thinking" => text([self.content, self.text, self.thinking]).map(Part::Reasoning),
            "tool_call" | "tool_use" => {
                let arguments = self.arguments.or(self.input).map(|arguments| given(arguments.get()));
                Some(Part::ToolCall { id: text([self.id]), name: text([self.name])?, arguments })
            }
            "tool_call_response" | "tool_result" => {
                let response = given(self.response.or(self.content)?.get());
                Some(Part::ToolResponse { id: text([self.tool_use_id, self.id]), response })
            }
            _ => None,
        }
    }
}

/// The text that the first of these members holds.
fn text<'a, const N: usize>(members: [Raw<'a>; N]) -> Option<Cow<'a, str>> {
    members.into_iter().flatten().find_map(|member| decoded(member.get()))
}

/// Of an object only: what serde derives takes an array for one, too.
struct Only<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Only<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OnlyVisitor(PhantomData))
    }
}

struct OnlyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyVisitor<T> {
    type Value = Only<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Only)
    }
}
