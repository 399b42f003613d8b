//! `StreamEvent`: what a live reader sees, flat JSON, a superset of the reference's 39 forms.

use super::{Body, Class, Kind};
use crate::{Error, ExecutionId, StepId, Timestamp, json};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One thing that happened, and where and when.
///
/// On the wire it is one flat JSON object: `type`, `execution_id`, `step_id`, the fields of the kind, `timestamp` (Unix
/// time in ms). What is absent is left out. The gate fills in what an emitter left open.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StreamEvent {
    /// The execution it belongs to.
    pub execution_id: Option<ExecutionId>,
    /// The step it belongs to.
    pub step_id: Option<StepId>,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// What happened.
    pub body: Body,
}

/// Names of the fields that every event may carry, `type` aside.
pub(super) const ENVELOPE: &[&str] = &["execution_id", "step_id", "timestamp"];

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    tag: Cow<'a, str>,
    execution_id: Option<ExecutionId>,
    step_id: Option<StepId>,
    timestamp: Option<i64>,
}

impl StreamEvent {
    /// An event whose place and time the gate fills in.
    pub fn new(body: impl Into<Body>) -> Self {
        Self { execution_id: None, step_id: None, time: None, body: body.into() }
    }

    /// The same event, of this execution.
    pub fn of_execution(mut self, id: ExecutionId) -> Self {
        self.execution_id = Some(id);
        self
    }

    /// The same event, of this step.
    pub fn of_step(mut self, id: StepId) -> Self {
        self.step_id = Some(id);
        self
    }

    /// The same event, at this time.
    pub fn at(mut self, time: Timestamp) -> Self {
        self.time = Some(time);
        self
    }

    /// The event's kind.
    pub const fn kind(&self) -> Kind {
        self.body.kind()
    }

    /// The event's class.
    pub fn class(&self) -> Class {
        self.body.class()
    }

    /// Reads one event from its JSON form. A `type` of another version is read as [`Body::Unknown`].
    ///
    /// # Errors
    /// `is_invalid` when it is not a JSON object, a field that must be there is not, or a value does not fit: the
    /// message names the field.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|source| {
            Error::invalid(
                "event is no JSON object with a type (and execution_id, step_id, timestamp, where they are there)",
            )
            .with_source(source)
        })?;
        let time = envelope.timestamp.map(|millis| {
            Timestamp::from_unix_millis(millis)
                .ok_or_else(|| Error::invalid(format!("timestamp {millis} ms: years 1678 to 2262 are accepted")))
        });
        let body = Kind::from_tag(&envelope.tag).unwrap_or(Kind::Unknown).read(text).map_err(|source| {
            Error::invalid(format!("event of type {:?}", short(&envelope.tag))).with_source(source)
        })?;
        Ok(Self { execution_id: envelope.execution_id, step_id: envelope.step_id, time: time.transpose()?, body })
    }

    /// The event's JSON form, on one line.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(256);
        self.write_json(&mut out);
        out
    }

    pub(crate) fn write_json(&self, out: &mut String) {
        out.push_str("{\"type\":");
        json::write_str(self.body.tag(), out);
        if let Some(id) = &self.execution_id {
            out.push_str(",\"execution_id\":");
            id.write_json(out);
        }
        if let Some(id) = &self.step_id {
            out.push_str(",\"step_id\":");
            id.write_json(out);
        }
        self.body.write_fields(out);
        if let Some(time) = self.time {
            out.push_str(",\"timestamp\":");
            json::WriteJson::write_json(&time.unix_millis(), out);
        }
        out.push('}');
    }

    /// Bytes held outside the event itself, for the bound on what waits in queues.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.execution_id.as_ref().map_or(0, ExecutionId::heap_bytes)
            + self.step_id.as_ref().map_or(0, StepId::heap_bytes)
            + self.body.heap_bytes()
    }
}

fn short(tag: &str) -> String {
    tag.chars().take(64).collect()
}

impl From<Body> for StreamEvent {
    fn from(body: Body) -> Self {
        Self::new(body)
    }
}

impl Serialize for StreamEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.to_json();
        let raw: &RawValue = serde_json::from_str(&text).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// Only from JSON: the kinds differ, and their payloads are kept as the text they came as.
impl<'de> Deserialize<'de> for StreamEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_json(raw.get()).map_err(de::Error::custom)
    }
}
