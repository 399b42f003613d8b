//! A log event as OTLP's message `LogRecord`, in either form: a log record that has a name.

use super::{
    fields::{log_record, of_scope},
    form::{Form, Scalar},
    nanos, structured,
};
use crate::{
    Timestamp,
    otlp::sink::{Head, SpanSink, Value},
    semconv,
};

/// What every log event has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordHead<'a> {
    pub(crate) name: &'a str,
    pub(crate) time: Timestamp,
    pub(crate) severity: Severity,
    pub(crate) trace_id: u128,
    /// The span that it is said of.
    pub(crate) span_id: Option<u64>,
}

/// How much it matters; the numbers are OTLP's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Unspecified = 0,
    Debug = 5,
    Warn = 13,
}

/// Writes one log event: its attributes come between its two ends.
pub(crate) struct RecordWriter<'a, F: Form> {
    form: &'a mut F,
    head: RecordHead<'a>,
    open: F::Open,
}

/// "trace flags as defined in W3C Trace Context": sampled.
const SAMPLED: u32 = 1;
/// Events with a verdict or an error and little else.
const ABOUT_BYTES: usize = 200;
/// Attributes that hold structures: they are JSON texts on spans.
const STRUCTURED: [&str; 4] =
    [semconv::SYSTEM_INSTRUCTIONS, semconv::INPUT_MESSAGES, semconv::OUTPUT_MESSAGES, semconv::TOOL_DEFINITIONS];

impl<'a, F: Form> RecordWriter<'a, F> {
    pub(crate) fn begin(form: &'a mut F, head: RecordHead<'a>) -> Self {
        let open = form.begin(of_scope::LOGS, ABOUT_BYTES);
        form.field(log_record::TIME, nanos(head.time));
        form.field(log_record::SEVERITY_NUMBER, Scalar::Number(head.severity as u32));
        form.field(log_record::SEVERITY_TEXT, Scalar::Text(head.severity.word()));
        Self { form, head, open }
    }

    pub(crate) fn attribute(&mut self, key: &str, value: Value<'_>) {
        self.form.attribute(log_record::ATTRIBUTES, key, value);
    }

    pub(crate) fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.attribute(key, Value::Text(text));
        }
    }

    pub(crate) fn end(self) {
        let Self { form, head, open } = self;
        form.field(log_record::FLAGS, Scalar::Fixed32(SAMPLED));
        form.field(log_record::TRACE_ID, Scalar::Id(&head.trace_id.to_be_bytes()));
        if let Some(span_id) = head.span_id {
            form.field(log_record::SPAN_ID, Scalar::Id(&span_id.to_be_bytes()));
        }
        // Who says it saw it when it happened.
        form.field(log_record::OBSERVED_TIME, nanos(head.time));
        form.field(log_record::EVENT_NAME, Scalar::Text(head.name));
        form.close(open);
    }
}

/// Everything that a mapped span says in its attributes: what it is, who did it, what it used, with the messages as
/// structures.
impl<F: Form> SpanSink for RecordWriter<'_, F> {
    fn begin(&mut self, _: &Head<'_>) {}

    fn attribute(&mut self, key: &str, value: Value<'_>) {
        match value {
            Value::Text(json) if STRUCTURED.contains(&key) => {
                structured::attribute(self.form, log_record::ATTRIBUTES, key, json);
            }
            value => RecordWriter::attribute(self, key, value),
        }
    }

    fn event(&mut self, _: &str, _: Timestamp, _: &[(&str, Value<'_>)]) {}

    fn dropped_events(&mut self, _: u32) {}

    fn link(&mut self, _: u128, _: u64, _: &[(&str, Value<'_>)]) {}

    fn error(&mut self, _: &str) {}

    fn end(&mut self) {}
}

impl Severity {
    const fn word(self) -> &'static str {
        match self {
            Self::Unspecified => "",
            Self::Debug => "DEBUG",
            Self::Warn => "WARN",
        }
    }
}
