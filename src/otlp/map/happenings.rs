//! What happened in a span, as its events.

use super::{cut, failure::Failure, pen::Pen, subject::Subject};
use crate::{
    Timestamp,
    event::{Body, EvaluationScored, GuardrailEvaluated, Kind},
    otlp::{
        sink::{SpanSink, Value},
        span::Fact,
    },
    semconv::{self, span_event},
};
use serde_json::Value as Tree;

/// OpenTelemetry's limit on the events of a span.
const MAX_EVENTS: usize = 128;
const OWN_NAMESPACE: &str = "spanwright.";

impl<S: SpanSink> Pen<'_, S> {
    pub(super) fn happenings(&mut self, subject: &Subject<'_>) {
        let span = subject.span;
        self.first_token(subject);
        self.verdict_of(subject);
        let told = span.facts.iter().enumerate().filter(|(at, fact)| is_event(subject, *at, fact));
        told.clone().take(MAX_EVENTS).for_each(|(_, fact)| self.happening(fact));
        if let Some(failure) = Failure::of(span) {
            self.exception(span.end, &failure);
        }
        let untold = u32::try_from(told.count().saturating_sub(MAX_EVENTS)).unwrap_or(u32::MAX);
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

    fn happening(&mut self, fact: &Fact) {
        match &fact.body {
            Body::EvaluationScored(event) => self.evaluated(fact.time, event),
            Body::Error(event) => self.exception(fact.time, &Failure::of_error(&event.error)),
            body => self.own_event(fact.time, body),
        }
    }

    fn exception(&mut self, time: Timestamp, failure: &Failure<'_>) {
        let message = cut::text(failure.message, self.max);
        let both = [
            (semconv::EXCEPTION_TYPE, Value::Text(&failure.error_type)),
            (semconv::EXCEPTION_MESSAGE, Value::Text(&message)),
        ];
        let told = if message.is_empty() { &both[..1] } else { &both };
        self.sink().event(span_event::EXCEPTION, time, told);
    }

    fn evaluated(&mut self, time: Timestamp, event: &EvaluationScored) {
        let explanation = cut::text(event.explanation.as_deref().unwrap_or_default(), self.max);
        let mut told = vec![(semconv::EVALUATION_NAME, Value::Text(&event.name))];
        told.extend(event.score.map(|score| (semconv::EVALUATION_SCORE, Value::Double(score))));
        told.extend(event.label.as_deref().map(|label| (semconv::EVALUATION_LABEL, Value::Text(label))));
        if !explanation.is_empty() {
            told.push((semconv::EVALUATION_EXPLANATION, Value::Text(&explanation)));
        }
        self.sink().event(span_event::EVALUATION_RESULT, time, &told);
    }

    /// The proposed event beside our own span: the verdict in the guardrail's word, nothing inferred from it.
    fn verdict_of(&mut self, subject: &Subject<'_>) {
        let Some(Body::GuardrailEvaluated(event)) = subject.told else { return };
        let event: &GuardrailEvaluated = event;
        let reason = cut::text(event.reason.as_deref().unwrap_or_default(), self.max);
        let mut told = vec![
            (semconv::GUARDRAIL_NAME, Value::Text(&event.guardrail_name)),
            (semconv::GUARDRAIL_RESULT, Value::Text(event.decision.as_str())),
        ];
        told.extend(event.stage.as_ref().map(|stage| (semconv::GUARDRAIL_SOURCE, Value::Text(stage.as_str()))));
        if !reason.is_empty() {
            told.push((semconv::GUARDRAIL_RESULT_REASON, Value::Text(&reason)));
        }
        let time = subject.told_at.map_or(subject.span.end, |at| subject.span.facts[at].time);
        self.sink().event(span_event::GUARDRAIL_RESULT, time, &told);
    }

    /// `spanwright.<kind>` with an attribute `spanwright.<field>` for each field that the kind has in `docs/events.md`.
    fn own_event(&mut self, time: Timestamp, body: &Body) {
        let mut object = String::new();
        body.write_object(&mut object);
        let Ok(Tree::Object(fields)) = serde_json::from_str(&object) else { return };
        let fields: Vec<(String, Tree)> =
            fields.into_iter().filter_map(|(name, value)| Some((own_name(&name), self.flat(value)?))).collect();
        let told: Vec<(&str, Value<'_>)> =
            fields.iter().filter_map(|(key, value)| Some((key.as_str(), scalar(value)?))).collect();
        let tag = body.tag();
        self.sink().event(&own_name(tag.strip_prefix("data-").unwrap_or(tag)), time, &told);
    }

    /// A value as an attribute can have it; none of what is empty.
    fn flat(&self, value: Tree) -> Option<Tree> {
        match value {
            Tree::Null => None,
            Tree::String(text) if text.is_empty() => None,
            Tree::String(text) if text.len() > self.max => Some(cut::text(&text, self.max).into()),
            Tree::Array(_) | Tree::Object(_) => {
                let mut out = String::new();
                cut::json(&value.to_string(), self.max, &mut out);
                Some(out.into())
            }
            scalar => Some(scalar),
        }
    }
}

/// Snake case, in our own namespace.
fn own_name(name: &str) -> String {
    let mut own = String::with_capacity(OWN_NAMESPACE.len() + name.len());
    own.push_str(OWN_NAMESPACE);
    own.extend(name.chars().map(|c| if c == '-' { '_' } else { c }));
    own
}

fn scalar(value: &Tree) -> Option<Value<'_>> {
    match value {
        Tree::String(text) => Some(Value::Text(text)),
        Tree::Bool(flag) => Some(Value::Bool(*flag)),
        Tree::Number(number) => number.as_i64().map(Value::Int).or_else(|| number.as_f64().map(Value::Double)),
        _ => None,
    }
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
