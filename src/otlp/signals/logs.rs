//! Log events made of finished spans, as the GenAI conventions have them: verdicts, failed model calls, and, where that is
//! asked for, everything about a model call.

use crate::otlp::{
    delivery::Elements,
    encode::{Envelope, Form, Item, RecordHead, RecordWriter, Severity},
    map::{self, Concept, Dialect, Failure},
    settings::{Encoding, Naming, OpenInference},
    sink::{Head, SpanSink, Value},
    span::{Fact, Output, Run, Span},
    transport::Signal,
};
use crate::{
    Timestamp,
    event::{Body, EvaluationScored, FeedbackReceived},
    semconv::{self, log_event, span_event},
};
use std::sync::Arc;

/// Log events as what requests are made of.
pub(crate) struct LogEvents {
    dialect: Dialect,
    with_details: bool,
    envelope: Envelope,
}

/// What a log event is made of.
#[derive(Debug)]
pub(crate) enum LogEvent {
    /// Somebody judged a span.
    Verdict { run: Arc<Run>, span_id: Option<u64>, fact: Fact },
    /// Something was said after everything that it could belong to had ended.
    Late { run: Arc<Run>, span_id: Option<u64>, fact: Fact },
    /// A model call failed.
    Exception(Arc<Span>),
    /// A model call ended.
    Details(Arc<Span>),
}

/// What a person says is an evaluation too, by this name; its label says which kind of feedback it is.
const FEEDBACK: &str = "feedback";

impl LogEvents {
    /// `with_details`: whether each model call is told with all its attributes, messages among them where content is on.
    pub(crate) fn new(encoding: Encoding, naming: Naming, with_details: bool, resource: &[(String, String)]) -> Self {
        let dialect = Dialect { naming, openinference: OpenInference::Off, langfuse: false };
        Self { dialect, with_details, envelope: Envelope::new(encoding, Signal::Logs, resource) }
    }

    fn of_span(&self, span: Box<Span>, items: &mut Vec<LogEvent>) {
        let judged = judged(&span);
        let verdicts = span.facts.iter().filter(|fact| is_verdict(&fact.body)).cloned();
        items.extend(verdicts.map(|fact| LogEvent::Verdict { run: span.run.clone(), span_id: judged, fact }));
        let concept = map::concept_of(&span);
        let failed = matches!(concept, Concept::Model | Concept::Embedding) && Failure::of(&span).is_some();
        let details = concept == Concept::Model && self.with_details;
        if failed || details {
            let span: Arc<Span> = span.into();
            items.extend(failed.then(|| LogEvent::Exception(span.clone())));
            items.extend(details.then_some(LogEvent::Details(span)));
        }
    }
}

/// The span that a verdict is about: "the GenAI operation span being evaluated" is where the evaluator ran.
fn judged(span: &Span) -> Option<u64> {
    match map::concept_of(span) {
        Concept::Evaluation => span.parent.or(Some(span.span_id)),
        _ => Some(span.span_id),
    }
}

fn is_verdict(body: &Body) -> bool {
    matches!(body, Body::EvaluationScored(_) | Body::FeedbackReceived(_))
}

impl Elements for LogEvents {
    type Item = LogEvent;

    const SIGNAL: Signal = Signal::Logs;

    fn items(&mut self, output: Output, items: &mut Vec<LogEvent>) {
        match output {
            Output::Finished(span) => self.of_span(span, items),
            Output::Late { run, parent, fact } if is_verdict(&fact.body) => {
                items.push(LogEvent::Verdict { run, span_id: parent, fact });
            }
            Output::Late { run, parent, fact } => items.push(LogEvent::Late { run, span_id: parent, fact }),
        }
    }

    fn encode(&mut self, event: &LogEvent, max_value_bytes: usize, out: &mut Vec<u8>) {
        let spoken = Spoken { event, dialect: &self.dialect, max_value_bytes };
        self.envelope.encode(&spoken, out);
    }

    fn wrap(&self, items: &[&[u8]], out: &mut Vec<u8>) {
        self.envelope.wrap(items, out);
    }
}

/// A log event in a dialect.
struct Spoken<'a> {
    event: &'a LogEvent,
    dialect: &'a Dialect,
    max_value_bytes: usize,
}

impl Item for Spoken<'_> {
    fn write(&self, form: &mut impl Form) {
        match self.event {
            LogEvent::Verdict { run, span_id, fact } => self.verdict(run, *span_id, fact, form),
            LogEvent::Late { run, span_id, fact } => {
                let mut record = LateRecord { form, run, span_id: *span_id };
                map::write_fact(fact, self.dialect, self.max_value_bytes, &mut record);
            }
            LogEvent::Exception(span) => self.exception(span, form),
            LogEvent::Details(span) => {
                let head = head(log_event::INFERENCE_DETAILS, span, Severity::Debug);
                let mut writer = RecordWriter::begin(form, head);
                map::write(span, self.dialect, self.max_value_bytes, &mut writer);
                writer.end();
            }
        }
    }
}

/// What would be an event of a span is a log event of the same name, since there is no span that could have it any more.
struct LateRecord<'a, F: Form> {
    form: &'a mut F,
    run: &'a Run,
    span_id: Option<u64>,
}

impl<F: Form> SpanSink for LateRecord<'_, F> {
    fn event(&mut self, name: &str, time: Timestamp, attributes: &[(&str, Value<'_>)]) {
        let (trace_id, span_id, severity) = (self.run.trace_id, self.span_id, severity_of(name));
        let mut writer = RecordWriter::begin(self.form, RecordHead { name, time, severity, trace_id, span_id });
        attributes.iter().for_each(|(key, value)| writer.attribute(key, *value));
        writer.end();
    }

    fn begin(&mut self, _: &Head<'_>) {}

    fn attribute(&mut self, _: &str, _: Value<'_>) {}

    fn dropped_events(&mut self, _: u32) {}

    fn link(&mut self, _: u128, _: u64, _: &[(&str, Value<'_>)]) {}

    fn error(&mut self, _: &str) {}

    fn end(&mut self) {}
}

fn severity_of(name: &str) -> Severity {
    if name == span_event::EXCEPTION { Severity::Warn } else { Severity::Unspecified }
}

impl Spoken<'_> {
    fn verdict(&self, run: &Run, span_id: Option<u64>, fact: &Fact, form: &mut impl Form) {
        let head = RecordHead {
            name: log_event::EVALUATION_RESULT,
            time: fact.time,
            // The conventions ask for none.
            severity: Severity::Unspecified,
            trace_id: run.trace_id,
            span_id,
        };
        let mut writer = RecordWriter::begin(form, head);
        match &fact.body {
            Body::EvaluationScored(event) => self.evaluation(event, &mut writer),
            Body::FeedbackReceived(event) => self.feedback(event, &mut writer),
            _ => {}
        }
        writer.end();
    }

    fn evaluation(&self, event: &EvaluationScored, writer: &mut RecordWriter<'_, impl Form>) {
        self.text(semconv::EVALUATION_NAME, Some(&event.name), writer);
        score(event.score, writer);
        self.text(semconv::EVALUATION_LABEL, event.label.as_deref(), writer);
        self.text(semconv::EVALUATION_EXPLANATION, event.explanation.as_deref(), writer);
    }

    fn feedback(&self, event: &FeedbackReceived, writer: &mut RecordWriter<'_, impl Form>) {
        writer.text(semconv::EVALUATION_NAME, FEEDBACK);
        score(event.score, writer);
        self.text(semconv::EVALUATION_LABEL, Some(event.feedback_type.as_str()), writer);
        self.text(semconv::EVALUATION_EXPLANATION, event.comment.as_deref(), writer);
        self.text(semconv::USER_ID, event.user_id.as_deref(), writer);
    }

    fn exception(&self, span: &Span, form: &mut impl Form) {
        let Some(failure) = Failure::of(span) else { return };
        let mut writer = RecordWriter::begin(form, head(log_event::OPERATION_EXCEPTION, span, Severity::Warn));
        self.text(semconv::EXCEPTION_TYPE, Some(&failure.error_type), &mut writer);
        self.text(semconv::EXCEPTION_MESSAGE, Some(failure.message), &mut writer);
        writer.end();
    }

    fn text(&self, key: &str, text: Option<&str>, writer: &mut RecordWriter<'_, impl Form>) {
        writer.text(key, &map::shortened(text.unwrap_or_default(), self.max_value_bytes));
    }
}

fn head<'a>(name: &'a str, span: &Span, severity: Severity) -> RecordHead<'a> {
    RecordHead { name, time: span.end, severity, trace_id: span.run.trace_id, span_id: Some(span.span_id) }
}

fn score(score: Option<f64>, writer: &mut RecordWriter<'_, impl Form>) {
    if let Some(score) = score.filter(|score| score.is_finite()) {
        writer.attribute(semconv::EVALUATION_SCORE, Value::Double(score));
    }
}
