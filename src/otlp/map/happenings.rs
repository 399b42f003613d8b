//! What happened in a span, as its events.

use super::{content::decoded, cut, failure::Failure, messages::json::Object, pen::Pen, subject::Subject};
use crate::{
    Timestamp,
    event::{Body, EvaluationScored, Kind},
    otlp::{
        sink::{SpanSink, Value},
        span::Fact,
    },
    semconv::{self, span_event},
};
use std::borrow::Cow;

/// OpenTelemetry's limit on the events of a span.
const MAX_EVENTS: usize = 128;
/// Of an event of a kind that another made up: its fields, and the length of a name.
const MAX_FIELDS: usize = 64;
const MAX_NAME_BYTES: usize = 128;
const OWN_NAMESPACE: &str = "spanwright.";

impl<S: SpanSink> Pen<'_, S> {
    pub(super) fn happenings(&mut self, subject: &Subject<'_>) {
        let (span, failure) = (subject.span, &subject.failure);
        let room = room(subject, failure.is_some());
        self.first_token(subject);
        self.verdict_of(subject);
        let told = span.facts.iter().enumerate().filter(|(at, fact)| is_event(subject, *at, fact));
        told.clone().take(room).for_each(|(_, fact)| self.happening(fact));
        if let Some(failure) = failure {
            self.exception(span.end, failure);
        }
        let untold = u32::try_from(told.count().saturating_sub(room)).unwrap_or(u32::MAX);
        let dropped = span.dropped_facts.saturating_add(untold);
        if dropped > 0 {
            self.sink().dropped_events(dropped);
        }
    }

    fn first_token(&mut self, subject: &Subject<'_>) {
        if let Some(time) = first_token(subject) {
            self.sink().event(span_event::FIRST_TOKEN, time, &[]);
        }
    }

    pub(super) fn happening(&mut self, fact: &Fact) {
        match &fact.body {
            Body::EvaluationScored(event) => self.evaluated(fact.time, event),
            Body::Error(event) => self.exception(fact.time, &Failure::of_error(&event.error)),
            body => self.own_event(fact.time, body),
        }
    }

    fn exception(&mut self, time: Timestamp, failure: &Failure<'_>) {
        let told = [
            (semconv::EXCEPTION_TYPE, Value::Text(&failure.error_type)),
            (semconv::EXCEPTION_MESSAGE, Value::Text(failure.message)),
        ];
        self.event(span_event::EXCEPTION, time, &told);
    }

    fn evaluated(&mut self, time: Timestamp, event: &EvaluationScored) {
        let score = event.score.filter(|score| score.is_finite());
        let told = [
            (semconv::EVALUATION_NAME, Value::Text(&event.name)),
            (semconv::EVALUATION_SCORE, score.map_or(Value::Text(""), Value::Double)),
            (semconv::EVALUATION_LABEL, Value::Text(event.label.as_deref().unwrap_or_default())),
            (semconv::EVALUATION_EXPLANATION, Value::Text(event.explanation.as_deref().unwrap_or_default())),
        ];
        self.event(span_event::EVALUATION_RESULT, time, &told);
    }

    /// The proposed event beside our own span: the verdict in the guardrail's word, nothing inferred from it.
    fn verdict_of(&mut self, subject: &Subject<'_>) {
        let Some(Body::GuardrailEvaluated(event)) = subject.told else { return };
        let told = [
            (semconv::GUARDRAIL_NAME, Value::Text(&event.guardrail_name)),
            (semconv::GUARDRAIL_SOURCE, Value::Text(event.stage.as_ref().map_or("", |stage| stage.as_str()))),
            (semconv::GUARDRAIL_RESULT, Value::Text(event.decision.as_str())),
            (semconv::GUARDRAIL_RESULT_REASON, Value::Text(event.reason.as_deref().unwrap_or_default())),
        ];
        let time = subject.told_at.map_or(subject.span.end, |at| subject.span.facts[at].time);
        self.event(span_event::GUARDRAIL_RESULT, time, &told);
    }

    /// `spanwright.<kind>` with an attribute `spanwright.<field>` for each field that the kind has in `docs/events.md`.
    fn own_event(&mut self, time: Timestamp, body: &Body) {
        let mut object = String::new();
        body.write_object(&mut object);
        let Some(object) = Object::read(&object) else { return };
        let known = object.members().iter().filter(|(name, _)| name.len() <= MAX_NAME_BYTES).take(MAX_FIELDS);
        let mut fields: Vec<(String, Flat)> = Vec::new();
        for (name, value) in known.map(|(name, json)| (own_name(name), self.flat(json))) {
            // Two names of an unknown kind may be one here.
            if let Some(value) = value.filter(|_| fields.iter().all(|(known, _)| *known != name)) {
                fields.push((name, value));
            }
        }
        let told: Vec<(&str, Value<'_>)> = fields.iter().map(|(key, flat)| (key.as_str(), flat.value())).collect();
        let tag = body.tag();
        self.event(&own_name(tag.strip_prefix("data-").unwrap_or(tag)), time, &told);
    }

    fn flat(&self, json: &str) -> Option<Flat> {
        match json.as_bytes().first()? {
            b'n' => None,
            b't' | b'f' => Some(Flat::Bool(json == "true")),
            b'"' => decoded(json).map(|text| Flat::Text(text.into_owned())),
            b'{' | b'[' => {
                let mut out = String::new();
                cut::json(json, self.max, &mut out);
                Some(Flat::Text(out))
            }
            _ => Some(Flat::of_number(json)),
        }
    }

    /// Texts that are too long are cut; those that say nothing are left out.
    fn event(&mut self, name: &str, time: Timestamp, attributes: &[(&str, Value<'_>)]) {
        let max = self.max;
        let texts: Vec<Cow<'_, str>> = attributes
            .iter()
            .map(|(_, value)| match value {
                Value::Text(text) => cut::text(text, max),
                _ => Cow::Borrowed(""),
            })
            .collect();
        let told = attributes.iter().zip(&texts).filter_map(|((key, value), text)| match value {
            Value::Text(_) => (!text.is_empty()).then_some((*key, Value::Text(text))),
            other => Some((*key, *other)),
        });
        let told: Vec<(&str, Value<'_>)> = told.collect();
        self.sink().event(name, time, &told);
    }
}

/// A field's value as an attribute can have it: structures are JSON texts.
enum Flat {
    Text(String),
    Int(i64),
    Double(f64),
    Bool(bool),
}

impl Flat {
    /// Past what a double holds it is a text: there are receivers of JSON that refuse a whole request for one infinity.
    fn of_number(json: &str) -> Self {
        match (json.parse(), json.parse::<f64>()) {
            (Ok(whole), _) => Self::Int(whole),
            (_, Ok(number)) if number.is_finite() => Self::Double(number),
            _ => Self::Text(json.to_owned()),
        }
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text),
            Self::Int(number) => Value::Int(*number),
            Self::Double(number) => Value::Double(*number),
            Self::Bool(flag) => Value::Bool(*flag),
        }
    }
}

/// Snake case, in our own namespace.
fn own_name(name: &str) -> String {
    let mut own = String::from(OWN_NAMESPACE);
    own.extend(name.chars().take(MAX_NAME_BYTES).map(|c| if c == '-' { '_' } else { c }));
    own
}

/// For facts, beside the events that are made of the span itself.
fn room(subject: &Subject<'_>, has_failed: bool) -> usize {
    let has_verdict = matches!(subject.told, Some(Body::GuardrailEvaluated(_)));
    let own = [first_token(subject).is_some(), has_verdict, has_failed];
    MAX_EVENTS - own.into_iter().filter(|is_told| *is_told).count()
}

/// What the attributes say already is no event.
fn is_event(subject: &Subject<'_>, at: usize, fact: &Fact) -> bool {
    let is_attribute = matches!(
        fact.body.kind(),
        Kind::ExecutionStart | Kind::TokenUsage | Kind::TextEnd | Kind::ReasoningEnd | Kind::Finish
    );
    !is_attribute && subject.told_at != Some(at)
}

/// When the first piece of the answer came.
pub(super) fn first_token(subject: &Subject<'_>) -> Option<Timestamp> {
    let millis = subject.model_end()?.time_to_first_chunk_ms?;
    let nanos = i64::try_from(millis).unwrap_or(i64::MAX).saturating_mul(1_000_000);
    Some(Timestamp::from_unix_nanos(subject.span.start.unix_nanos().saturating_add(nanos)).min(subject.span.end))
}
