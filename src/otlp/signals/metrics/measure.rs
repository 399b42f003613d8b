//! What a finished span adds to the metrics.

use super::{
    instruments::{self as all, Instrument},
    series::{Attributes, Label, Series},
};
use crate::{
    Timestamp,
    otlp::{
        map::{self, Concept, Dialect, Usage},
        settings::{Naming, OpenInference},
        sink::{Head, SpanSink, Value},
        span::Span,
    },
    semconv,
};

/// Measures spans into series.
pub(super) struct Measure<'a> {
    span: &'a Span,
    naming: Naming,
    names: Names,
    series: &'a mut Series,
}

/// What the span itself says under the names of attributes: so metric and span never differ.
#[derive(Debug, Default)]
struct Names {
    told: Attributes,
    first_chunk: Option<f64>,
}

/// Names of attributes that tell series apart.
const WANTED: [&str; 11] = [
    semconv::OPERATION_NAME,
    semconv::PROVIDER_NAME,
    semconv::REQUEST_MODEL,
    semconv::RESPONSE_MODEL,
    semconv::AGENT_NAME,
    semconv::WORKFLOW_NAME,
    semconv::TOOL_NAME,
    semconv::TOOL_TYPE,
    semconv::SERVER_ADDRESS,
    semconv::SERVER_PORT,
    semconv::ERROR_TYPE,
];
/// What a metric of a call has, …
const CALL: &[&str] = &[
    semconv::OPERATION_NAME,
    semconv::PROVIDER_NAME,
    semconv::REQUEST_MODEL,
    semconv::RESPONSE_MODEL,
    semconv::SERVER_ADDRESS,
    semconv::SERVER_PORT,
];
/// … and where it is told of failed ones too.
const CALL_OR_FAILURE: &[&str] = &[
    semconv::OPERATION_NAME,
    semconv::PROVIDER_NAME,
    semconv::REQUEST_MODEL,
    semconv::RESPONSE_MODEL,
    semconv::SERVER_ADDRESS,
    semconv::SERVER_PORT,
    semconv::ERROR_TYPE,
];
/// A longer name is cut: it is held as long as the process lives.
const MAX_NAME_BYTES: usize = 256;

impl<'a> Measure<'a> {
    pub(super) fn new(span: &'a Span, naming: Naming, series: &'a mut Series) -> Self {
        let dialect = Dialect { naming, openinference: OpenInference::Off, langfuse: false };
        let mut names = Names::default();
        map::write(span, &dialect, MAX_NAME_BYTES, &mut names);
        Self { span, naming, names, series }
    }

    pub(super) fn record(mut self) {
        match map::concept_of(self.span) {
            Concept::Model => self.model(),
            Concept::Embedding => self.embedding(),
            Concept::Agent => self.agent(),
            Concept::Workflow => {
                self.duration(&all::WORKFLOW_DURATION, &[semconv::WORKFLOW_NAME, semconv::ERROR_TYPE]);
            }
            Concept::Tool => {
                let names = [semconv::TOOL_NAME, semconv::TOOL_TYPE, semconv::AGENT_NAME, semconv::ERROR_TYPE];
                self.duration(&all::TOOL_DURATION, &names);
            }
            Concept::Retrieval
            | Concept::MemorySearch
            | Concept::MemoryCreate
            | Concept::MemoryUpdate
            | Concept::MemoryDelete => self.duration(&all::OPERATION_DURATION, CALL_OR_FAILURE),
            Concept::Step | Concept::Guardrail | Concept::Evaluation => {}
        }
    }

    fn model(&mut self) {
        let usage = map::usage_of(self.span);
        let (duration, first_chunk) = match self.naming {
            Naming::Compat => (&all::OPERATION_DURATION, &all::OPERATION_FIRST_CHUNK),
            Naming::Latest => (&all::INFERENCE_DURATION, &all::INFERENCE_FIRST_CHUNK),
        };
        self.duration(duration, CALL_OR_FAILURE);
        if let Some(seconds) = self.names.first_chunk {
            self.add(first_chunk, CALL, &[], seconds);
        }
        match self.naming {
            _ if usage.is_aggregate => {}
            Naming::Compat => self.tokens_by_type(&usage),
            Naming::Latest => self.tokens(&usage),
        }
    }

    fn embedding(&mut self) {
        self.duration(&all::OPERATION_DURATION, CALL_OR_FAILURE);
        if self.naming == Naming::Compat {
            self.tokens_by_type(&map::usage_of(self.span));
        }
    }

    fn agent(&mut self) {
        let calls = self.span.calls;
        self.duration(&all::AGENT_DURATION, &[semconv::AGENT_NAME, semconv::ERROR_TYPE]);
        self.add(&all::AGENT_INFERENCE_CALLS, &[semconv::AGENT_NAME], &[], calls.inference as f64);
        self.add(&all::AGENT_TOOL_CALLS, &[semconv::AGENT_NAME], &[], calls.tool as f64);
    }

    /// "It is RECOMMENDED to record the span's duration": both are the same number. What is made of one event and does not
    /// say how long it took has none.
    fn duration(&mut self, instrument: &'static Instrument, names: &[&'static str]) {
        let duration = self.span.end.since(self.span.start);
        if self.span.closer.is_some() || !duration.is_zero() {
            self.add(instrument, names, &[], duration.as_secs_f64());
        }
    }

    fn tokens_by_type(&mut self, usage: &Usage<'_>) {
        for (word, count) in [("input", usage.input), ("output", usage.output)] {
            if let Some(count) = count {
                self.add(&all::TOKEN_USAGE, CALL, &[(semconv::TOKEN_TYPE, word)], count as f64);
            }
        }
    }

    /// A call that failed counts with 0 tokens where nobody said how many it used.
    fn tokens(&mut self, usage: &Usage<'_>) {
        let none = self.names.of(semconv::ERROR_TYPE).map(|_| 0);
        self.by_modality(&all::INPUT_TOKENS, usage.input.or(none), usage.audio_input);
        self.by_modality(&all::OUTPUT_TOKENS, usage.output.or(none), usage.audio_output);
        self.by_modality(&all::CACHE_READ_TOKENS, usage.cache_read, None);
        self.by_modality(&all::CACHE_WRITE_TOKENS, usage.cache_write, None);
        self.by_modality(&all::REASONING_TOKENS, usage.reasoning, None);
        for (instrument, count) in
            [(&all::INPUT_TOKENS_OF_CALL, usage.input), (&all::OUTPUT_TOKENS_OF_CALL, usage.output)]
        {
            if let Some(count) = count {
                self.add(instrument, CALL_OR_FAILURE, &[], count as f64);
            }
        }
        if let Some(cost) = usage.cost_usd {
            let source = usage.cost_source.unwrap_or_default();
            let told = [(semconv::COST_CURRENCY, "USD"), (semconv::USAGE_COST_SOURCE, source)];
            self.add(&all::COST_OF_CALL, CALL, &told, cost);
        }
    }

    /// What of the tokens is no audio may be text, or an image: nobody said.
    fn by_modality(&mut self, instrument: &'static Instrument, count: Option<u64>, audio: Option<u64>) {
        let Some(count) = count else { return };
        let audio = audio.unwrap_or(0).min(count);
        if audio > 0 {
            self.add(instrument, CALL, &[(semconv::TOKEN_MODALITY, "audio")], audio as f64);
        }
        if audio < count || count == 0 {
            self.add(instrument, CALL, &[(semconv::TOKEN_MODALITY, "unknown")], (count - audio) as f64);
        }
    }

    fn add(&mut self, to: &'static Instrument, names: &[&'static str], told: &[(&'static str, &str)], value: f64) {
        let named = names.iter().filter_map(|name| Some((*name, self.names.of(name)?.clone())));
        let told = told.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (*name, Label::from(*value)));
        self.series.record(to, named.chain(told).collect(), value);
    }
}

impl Names {
    fn want(&mut self, key: &str, label: impl FnOnce() -> Label) {
        if let Some(name) = WANTED.iter().find(|name| **name == key) {
            self.told.push((name, label()));
        }
    }

    fn of(&self, name: &str) -> Option<&Label> {
        self.told.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

impl SpanSink for Names {
    fn begin(&mut self, _: &Head<'_>) {}

    fn attribute(&mut self, key: &str, value: Value<'_>) {
        match value {
            Value::Text(text) => self.want(key, || text.into()),
            Value::Int(number) => self.want(key, || Label::Int(number)),
            Value::Double(seconds) if key == semconv::TIME_TO_FIRST_CHUNK => self.first_chunk = Some(seconds),
            _ => {}
        }
    }

    fn event(&mut self, _: &str, _: Timestamp, _: &[(&str, Value<'_>)]) {}

    fn dropped_events(&mut self, _: u32) {}

    fn link(&mut self, _: u128, _: u64, _: &[(&str, Value<'_>)]) {}

    fn error(&mut self, _: &str) {}

    fn end(&mut self) {}
}
