//! Data parts: what the AI SDK has no word for, under our own.

use super::super::object::{ObjectFrame, write_said};
use crate::{StreamEvent, Text, event::Body, json};
use serde_json::Value;

/// The event as a data part. One that tells how things stand has an id: it stays in the message, and the next of its id
/// takes its place. Any other is transient: `onData` gets it, the message does not.
pub(super) fn part(event: &StreamEvent, out: &mut String) {
    let frame = ObjectFrame::new(&name(event.body.tag()), out);
    let frame = match stays_as(&event.body) {
        Some(id) => frame.field("id", id.as_str()),
        None => frame.field("transient", &true),
    };
    frame
        .written("data", |out| {
            let start = out.len();
            write_said(event, out);
            make_harmless(start, out);
        })
        .end();
}

fn name(tag: &str) -> String {
    if tag.starts_with("data-") { tag.to_owned() } else { format!("data-{tag}") }
}

fn stays_as(body: &Body) -> Option<Text> {
    match body {
        Body::TokenUsage(_) => Some(Text::from_static("usage")),
        Body::StateSnapshot(_) => Some(Text::from_static("state")),
        Body::OperationProgress(progress) => Some(progress.operation_id.clone()),
        Body::ArtifactCreated(artifact) => Some(artifact.artifact_id.clone()),
        Body::Citation(citation) => Some(citation.source_id.clone()),
        Body::PermissionRequest(request) => request.permission_id.clone(),
        Body::PermissionDecision(decision) => Some(decision.permission_id.clone()),
        _ => None,
    }
}

/// Its clients refuse a whole stream over an object with a key `__proto__`, or `prototype` in a `constructor`. A payload
/// that has one is written as the text of its JSON.
pub(super) fn make_harmless(start: usize, out: &mut String) {
    let payload = &out[start..];
    // An escape may spell either.
    let is_suspect = ["__proto__", "prototype", "\\u00"].iter().any(|part| payload.contains(part));
    if is_suspect && serde_json::from_str(payload).map_or(true, |value| is_refused(&value)) {
        let payload = out.split_off(start);
        json::write_str(&payload, out);
    }
}

fn is_refused(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_refused),
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            name == "__proto__" || name == "constructor" && value.get("prototype").is_some() || is_refused(value)
        }),
        _ => false,
    }
}
