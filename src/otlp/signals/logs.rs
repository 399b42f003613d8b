//! Log events made of finished spans, as the GenAI conventions have them: verdicts, failed model calls, and, where that is
//! asked for, everything about a model call.

use crate::otlp::{
    delivery::Elements,
    encode::{Envelope, Form, Item, RecordHead, RecordWriter, Severity},
    map::{self, Concept, Dialect, Failure},
    settings::{Encoding, Naming, OpenInference},
    sink::Value,
    span::{Fact, Output, Run, Span},
    transport::Signal,
};
use crate::{
    event::{Body, EvaluationScored, FeedbackReceived},
    semconv::{self, log_event},
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
            Output::Late { .. } => {}
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
