//! One span as it was read: its place, and what it says in the words of the layer's contract.

use super::json;
use crate::{
    ExecutionId, Json, Text, Timestamp,
    event::{Body, Kind, Note, ParentType, StepType},
    layer::FinishedSpan,
    semconv::{self, span_event},
};
use serde_json::{Map, Value as Tree};

pub(super) struct Span {
    pub(super) trace_id: u128,
    pub(super) span_id: u64,
    pub(super) parent: Option<u64>,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) said: FinishedSpan,
    pub(super) own: Own,
    /// What happened in it, in its order.
    pub(super) moments: Vec<(Timestamp, Body)>,
}

/// What only our own spans say, and the layer has no need to read.
#[derive(Default)]
pub(super) struct Own {
    pub(super) step_type: Option<StepType>,
    pub(super) attempt: Option<u64>,
    pub(super) parent: Option<(Text, ParentType)>,
    /// Nobody said how it ended.
    pub(super) is_unended: bool,
}

const OWN_NAMESPACE: &str = "spanwright.";

impl Span {
    pub(super) fn of(span: json::Span) -> Result<Self, String> {
        let id = |what: &str, text: &str, digits: usize| {
            let known = (text.len() == digits).then(|| u128::from_str_radix(text, 16).ok()).flatten();
            known.filter(|id| *id != 0).ok_or_else(|| format!("{what} {text:?}: {digits} hex digits are accepted"))
        };
        let time = |number: &json::Number| {
            number.nanos().map(Timestamp::from_unix_nanos).ok_or_else(|| format!("time of span {:?}", span.span_id))
        };
        let parent = match span.parent_span_id.as_str() {
            "" | "0000000000000000" => None,
            text => Some(id("parent span id", text, 16)? as u64),
        };
        let start = time(&span.start_time_unix_nano)?;
        let mut this = Self {
            trace_id: id("trace id", &span.trace_id, 32)?,
            span_id: id("span id", &span.span_id, 16)? as u64,
            parent,
            start,
            end: time(&span.end_time_unix_nano)?.max(start),
            said: said(&span),
            own: Own::of(&span),
            moments: Vec::new(),
        };
        let is_error = span.status.is_error();
        if is_error {
            let exception = span.events.iter().rfind(|event| event.name == span_event::EXCEPTION);
            let told = |key: &str| exception.and_then(|event| text(&event.attributes, key));
            let description = span.status.description().filter(|words| !words.is_empty());
            this.said.failed(description.or_else(|| told(semconv::EXCEPTION_MESSAGE)), told(semconv::EXCEPTION_TYPE));
        }
        span.events.iter().for_each(|event| this.hear(event, is_error));
        Ok(this)
    }

    pub(super) fn execution_id(&self) -> Option<ExecutionId> {
        self.said.execution_id()
    }

    /// `failed`: an exception is why. In a span that went on after it, it is something that happened.
    fn hear(&mut self, event: &json::Event, failed: bool) {
        let mut is_understood =
            event.name == span_event::FIRST_TOKEN || (failed && event.name == span_event::EXCEPTION);
        for pair in &event.attributes {
            is_understood |= self.said.learn(&pair.key, pair.value.field());
        }
        // The verdict stands on the span itself too.
        if !is_understood && event.name != span_event::GUARDRAIL_RESULT {
            let time = event.time_unix_nano.nanos().map_or(self.start, Timestamp::from_unix_nanos);
            self.moments.push((time.clamp(self.start, self.end), moment(event)));
        }
    }
}

fn text<'a>(attributes: &'a [json::KeyValue], key: &str) -> Option<&'a str> {
    attributes.iter().find(|pair| pair.key == key)?.value.text()
}

fn said(span: &json::Span) -> FinishedSpan {
    let target = FinishedSpan::TARGETS.into_iter().find_map(|key| text(&span.attributes, key)).unwrap_or(&span.scope);
    let attributes = span.attributes.iter().map(|pair| (pair.key.as_str(), pair.value.field()));
    let mut said = FinishedSpan::new(&span.name, target, attributes);
    said.describe(text(&span.attributes, semconv::OUTCOME_REASON), None);
    said
}

impl Own {
    fn of(span: &json::Span) -> Self {
        let value = |key: &str| span.attributes.iter().find(|pair| pair.key == key).map(|pair| &pair.value);
        let text = |key: &str| text(&span.attributes, key);
        let parent = text(semconv::PARENT_ID).zip(text(semconv::PARENT_TYPE));
        Self {
            step_type: text(semconv::STEP_TYPE).map(Into::into),
            attempt: value(semconv::ATTEMPT).and_then(|value| value.tree().as_u64()),
            parent: parent.map(|(id, kind)| (id.into(), kind.into())),
            is_unended: value(semconv::UNENDED).is_some_and(json::AnyValue::is_true),
        }
    }
}

/// One of our own kinds under its own name, else a note.
fn moment(event: &json::Event) -> Body {
    let own = event.name.strip_prefix(OWN_NAMESPACE).map(|name| format!("data-{}", name.replace('_', "-")));
    let kind = own.and_then(|tag| Kind::from_tag(&tag)).filter(|kind| kind.event_type().is_some());
    let body = kind.and_then(|kind| own_body(kind, event));
    body.unwrap_or_else(|| {
        let fields: Map<String, Tree> =
            event.attributes.iter().map(|pair| (pair.key.clone(), pair.value.tree())).collect();
        Note::new(event.name.as_str(), Json::of(&fields)).into()
    })
}

/// Structures were written as JSON texts; which texts were none, the kind knows.
fn own_body(kind: Kind, event: &json::Event) -> Option<Body> {
    let fields = |unpack: fn(Tree) -> Tree| -> Map<String, Tree> {
        let own = event.attributes.iter().filter_map(|pair| Some((pair.key.strip_prefix(OWN_NAMESPACE)?, pair)));
        own.map(|(name, pair)| (name.to_owned(), unpack(pair.value.tree()))).collect()
    };
    [unpacked as fn(Tree) -> Tree, |tree| tree]
        .into_iter()
        .find_map(|unpack| kind.read(&Tree::Object(fields(unpack)).to_string()).ok())
}

fn unpacked(tree: Tree) -> Tree {
    let structure = tree.as_str().filter(|text| text.starts_with(['{', '[']));
    structure.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(tree)
}
