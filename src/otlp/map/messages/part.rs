//! One part of a message, in any of the known forms.

use super::{
    Given, Part,
    json::{Object, elements},
    reader::{Reader, Value},
    words::Words,
};
use crate::otlp::map::content::is_structure;
use std::borrow::Cow;

/// Never none of it: what is not understood is a text.
pub(super) fn part(json: &str) -> Part<'_> {
    if let Some(words) = Words::of(json) {
        return Part::Text(words);
    }
    Object::read(json).and_then(|object| of_object(&object, json)).unwrap_or(Part::Text(json.into()))
}

fn of_object<'a>(object: &Object<'a>, json: &'a str) -> Option<Part<'a>> {
    let kind = object.text(&["type"]);
    match kind.as_deref() {
        Some("text" | "input_text" | "output_text" | "summary_text") => {
            object.words(&["content", "text"]).map(Part::Text)
        }
        Some("refusal") => object.words(&["refusal"]).map(Part::Text),
        Some("reasoning" | "thinking") => reasoning(object).map(Part::Reasoning),
        Some("tool_call" | "tool_use" | "function_call" | "function") => tool_call(object),
        Some("tool_call_response" | "tool_result" | "function_call_output") => tool_response(object),
        Some("image_url" | "input_image") => image_url(object),
        Some("image" | "document") if object.has("source") => source(&object.object("source")?, kind.as_deref()?),
        Some("blob") if !object.has("content") => blob(object),
        Some(_) => Some(Part::Other(json)),
        None => of_gemini(object),
    }
}

fn reasoning<'a>(object: &Object<'a>) -> Option<Words<'a>> {
    let plain = object.words(&["content", "text", "thinking"]);
    plain.or_else(|| {
        let pieces = elements(object.get("summary").or_else(|| object.get("content"))?)?;
        let texts: Vec<Cow<'a, str>> =
            pieces.iter().filter_map(|piece| Object::read(piece)?.text(&["text", "content"])).collect();
        Some(Words::Plain(texts.join("\n").into()))
    })
}

/// The model asks for a tool. OpenAI nests name and arguments in `function`, and writes the arguments as a text.
pub(super) fn tool_call<'a>(object: &Object<'a>) -> Option<Part<'a>> {
    let id = object.words(&["call_id", "id"]);
    let nested = object.object("function");
    let holder = nested.as_ref().unwrap_or(object);
    let name = holder.words(&["name"])?;
    let arguments = ["arguments", "args", "input"].iter().find_map(|key| holder.get(key)).map(given);
    Some(Part::ToolCall { id, name, arguments })
}

fn tool_response<'a>(object: &Object<'a>) -> Option<Part<'a>> {
    let id = object.words(&["call_id", "tool_use_id", "tool_call_id", "id"]);
    let response = ["response", "result", "output", "content"].iter().find_map(|key| object.get(key))?;
    Some(Part::ToolResponse { id, response: given(response) })
}

/// JSON in a text is JSON.
pub(super) fn given(json: &str) -> Given<'_> {
    Reader::new(json).value().map_or(Given::Json(Cow::Borrowed(json)), given_value)
}

pub(super) fn given_value(value: Value<'_>) -> Given<'_> {
    match value {
        Value::Text(quoted) => quoted.words().map_or(Given::Json(Cow::Borrowed(quoted.json())), given_text),
        Value::Other(json) => Given::Json(Cow::Borrowed(json)),
    }
}

pub(super) fn given_text(words: Words<'_>) -> Given<'_> {
    if words.begins_like_a_structure() {
        let text = words.into_plain();
        if is_structure(&text) {
            return Given::Json(text);
        }
        return Given::Text(Words::Plain(text));
    }
    Given::Text(words)
}

fn image_url<'a>(object: &Object<'a>) -> Option<Part<'a>> {
    let nested = object.object("image_url");
    let url = object.text(&["image_url"]).or_else(|| nested?.text(&["url"]))?;
    Some(of_url("image", url))
}

/// `data:image/png;base64,iVBO…` is no place but the thing itself (RFC 2397).
fn of_url<'a>(modality: &'static str, url: Cow<'a, str>) -> Part<'a> {
    let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match data {
        Some((mime, content)) => Part::Blob {
            modality,
            mime_type: Some(mime.to_owned().into()),
            content: Words::Plain(content.to_owned().into()),
        },
        None => Part::Uri { modality, uri: url },
    }
}

/// Anthropic's.
fn source<'a>(source: &Object<'a>, kind: &str) -> Option<Part<'a>> {
    let modality = if kind == "image" { "image" } else { "document" };
    if let Some(uri) = source.text(&["url"]) {
        return Some(Part::Uri { modality, uri });
    }
    Some(Part::Blob { modality, mime_type: source.text(&["media_type"]), content: source.words(&["data"])? })
}

fn blob<'a>(object: &Object<'a>) -> Option<Part<'a>> {
    let mime_type = object.text(&["mime_type", "mimeType", "media_type"]);
    let told = object.text(&["modality"]);
    let of = told.as_deref().or_else(|| mime_type.as_deref()?.split('/').next());
    let modality = modality(of.unwrap_or_default());
    Some(Part::Blob { modality, mime_type, content: object.words(&["data"])? })
}

fn modality(word: &str) -> &'static str {
    match word {
        "image" => "image",
        "video" => "video",
        "audio" => "audio",
        _ => "document",
    }
}

/// Gemini's parts have no type: the member says what they are.
fn of_gemini<'a>(object: &Object<'a>) -> Option<Part<'a>> {
    if let Some(call) = object.object("functionCall").or_else(|| object.object("function_call")) {
        return tool_call(&call);
    }
    if let Some(answer) = object.object("functionResponse").or_else(|| object.object("function_response")) {
        return tool_response(&answer);
    }
    if let Some(data) = object.object("inlineData").or_else(|| object.object("inline_data")) {
        return blob(&data);
    }
    let text = object.words(&["text", "content"]).filter(|_| object.members().len() <= 3)?;
    Some(if object.get("thought") == Some("true") { Part::Reasoning(text) } else { Part::Text(text) })
}
