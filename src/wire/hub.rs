//! The hub's envelope: `{id, type, session, payload}`, with what was lost as an event.

use super::frame;
use crate::{Cursor, Json, StreamEvent, event::Body};
use serde::Serialize;
use std::borrow::Cow;

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    r#type: &'a str,
    /// The execution; of everybody's where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    payload: Json,
}

/// Writes one event. The payload is the event in its native form.
pub(crate) fn write(cursor: Option<Cursor>, event: &StreamEvent, out: &mut String) {
    let name = name(event);
    let session = event.execution_id.as_ref().map(ToString::to_string);
    let payload = Json::written(event.to_json());
    let id = cursor.map(|cursor| cursor.to_string());
    frame::write(cursor, Some(&name), &Envelope { id, r#type: &name, session: session.as_deref(), payload }, out);
}

/// `tool_input_available` for `data-tool-input-available`; `lost` for whatever says that something was.
fn name(event: &StreamEvent) -> Cow<'_, str> {
    match &event.body {
        Body::StreamLagged(_) | Body::StreamGap(_) => Cow::Borrowed("lost"),
        Body::Unknown(unknown) => Cow::Owned(word(&unknown.tag)),
        known => Cow::Owned(word(known.tag())),
    }
}

fn word(tag: &str) -> String {
    tag.strip_prefix("data-").unwrap_or(tag).replace('-', "_")
}
