//! Tokens and money, in each dialect under the names that it reads: one name for each count, never two.

use super::{concept::Concept, dialect::Dialect, pen::Pen, subject::Subject};
use crate::{
    Text,
    event::{Body, LlmCallEnd, TokenUsage, UsageReport},
    json::WriteJson,
    otlp::sink::SpanSink,
    semconv::{self, langfuse, openinference},
};

/// What a span used. Cached tokens are part of the input, reasoning is part of the output.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Usage<'a> {
    pub(crate) input: Option<u64>,
    pub(crate) output: Option<u64>,
    pub(crate) cache_read: Option<u64>,
    pub(crate) cache_write: Option<u64>,
    pub(crate) reasoning: Option<u64>,
    pub(crate) audio_input: Option<u64>,
    pub(crate) audio_output: Option<u64>,
    pub(crate) cost_usd: Option<f64>,
    pub(crate) cost_source: Option<&'a str>,
    /// Whether it sums up calls that have spans of their own.
    pub(crate) is_aggregate: bool,
    pub(crate) is_unknown: bool,
    pub(crate) model: Option<&'a Text>,
    pub(crate) provider: Option<&'a Text>,
}

impl<'a> Usage<'a> {
    /// What was told of the usage, else what the end of the call says. What sums up others counts only by itself.
    pub(super) fn of(subject: &Subject<'a>) -> Self {
        let mut told = subject.span.facts.iter().filter_map(|fact| match &fact.body {
            Body::TokenUsage(usage) => Some(&**usage),
            _ => None,
        });
        let own = told.clone().filter(|usage| usage.aggregate != Some(true)).fold(None, Self::with);
        own.or_else(|| told.next_back().map(|usage| Self::default().plus(usage)))
            .or_else(|| subject.model_end().map(Self::of_end))
            .or_else(|| Self::of_embedding(subject.told?))
            .map_or_else(Self::default, |usage| usage.of_concept(subject.concept))
    }

    /// Who embeds puts nothing out.
    fn of_concept(mut self, concept: Concept) -> Self {
        self.output = self.output.filter(|count| *count > 0 || concept != Concept::Embedding);
        self
    }

    fn with(sum: Option<Self>, usage: &'a TokenUsage) -> Option<Self> {
        Some(sum.unwrap_or_default().plus(usage))
    }

    fn plus(self, usage: &'a TokenUsage) -> Self {
        let add = |sum: Option<u64>, more: Option<u64>| match (sum, more) {
            (Some(sum), Some(more)) => Some(sum.saturating_add(more)),
            (one, other) => one.or(other),
        };
        Self {
            input: add(self.input, Some(usage.prompt_tokens)),
            output: add(self.output, Some(usage.completion_tokens)),
            cache_read: add(self.cache_read, usage.cached_tokens),
            cache_write: add(self.cache_write, usage.cache_creation_tokens),
            reasoning: add(self.reasoning, usage.reasoning_tokens),
            audio_input: add(self.audio_input, usage.audio_input_tokens),
            audio_output: add(self.audio_output, usage.audio_output_tokens),
            cost_usd: usage.cost_usd.map(|cost| cost + self.cost_usd.unwrap_or(0.0)).or(self.cost_usd),
            cost_source: usage.cost_source.as_ref().map(|source| source.as_str()).or(self.cost_source),
            is_aggregate: usage.aggregate == Some(true),
            is_unknown: false,
            model: usage.model.as_ref().or(self.model),
            provider: usage.provider.as_ref().or(self.provider),
        }
    }

    fn of_end(end: &'a LlmCallEnd) -> Self {
        if end.usage == Some(UsageReport::Unknown) {
            return Self { is_unknown: true, ..Self::default() };
        }
        Self {
            input: end.prompt_tokens,
            output: end.completion_tokens,
            cache_read: end.cached_tokens,
            cache_write: end.cache_creation_tokens,
            reasoning: end.reasoning_tokens,
            ..Self::default()
        }
    }

    fn of_embedding(told: &'a Body) -> Option<Self> {
        let Body::Embedding(embedding) = told else { return None };
        Some(Self { input: embedding.prompt_tokens, ..Self::default() })
    }

    fn total(&self) -> Option<u64> {
        match (self.input, self.output) {
            (None, None) => None,
            (input, output) => Some(input.unwrap_or(0).saturating_add(output.unwrap_or(0))),
        }
    }

    pub(super) fn write<S: SpanSink>(&self, concept: Concept, pen: &mut Pen<'_, S>) {
        // Back ends add up what model calls and steps used, and leave out only what agents say.
        if !self.is_aggregate || concept == Concept::Agent {
            self.write_tokens(pen);
        }
        pen.yes(semconv::USAGE_AGGREGATE, self.is_aggregate);
        if self.is_unknown {
            pen.text(semconv::USAGE_REPORT, UsageReport::Unknown.as_str());
        }
        // What sums up others says so for tokens; money and the other dialects have no word for that, and it would be
        // counted twice.
        if !self.is_aggregate {
            self.write_cost(pen);
            self.write_for(pen);
        }
    }

    fn write_tokens<S: SpanSink>(&self, pen: &mut Pen<'_, S>) {
        let latest = pen.dialect.is_latest();
        let either = |new, old| if latest { new } else { old };
        pen.count(semconv::INPUT_TOKENS, self.input);
        pen.count(semconv::OUTPUT_TOKENS, self.output);
        pen.count(semconv::CACHE_READ_TOKENS, self.cache_read);
        pen.count(either(semconv::CACHE_WRITE_TOKENS, semconv::CACHE_CREATION_TOKENS), self.cache_write);
        pen.count(semconv::REASONING_TOKENS, self.reasoning);
        // Back ends in use take each count that begins with `gen_ai.usage.` for tokens of its own, and add it.
        pen.count(either(semconv::AUDIO_INPUT_TOKENS, semconv::USAGE_AUDIO_INPUT), self.audio_input);
        pen.count(either(semconv::AUDIO_OUTPUT_TOKENS, semconv::USAGE_AUDIO_OUTPUT), self.audio_output);
    }

    /// There is no convention yet: the names that each of the consumers reads.
    fn write_cost<S: SpanSink>(&self, pen: &mut Pen<'_, S>) {
        pen.float(semconv::USAGE_COST, self.cost_usd);
        pen.float(semconv::OPERATION_COST, self.cost_usd);
        pen.text(semconv::COST_SOURCE, self.cost_source.unwrap_or_default());
    }

    fn write_for<S: SpanSink>(&self, pen: &mut Pen<'_, S>) {
        let dialect: &Dialect = pen.dialect;
        if dialect.is_full_openinference() {
            pen.count(openinference::TOKENS_PROMPT, self.input);
            pen.count(openinference::TOKENS_COMPLETION, self.output);
            pen.count(openinference::TOKENS_TOTAL, self.total());
            pen.count(openinference::TOKENS_CACHE_READ, self.cache_read);
            pen.count(openinference::TOKENS_CACHE_WRITE, self.cache_write);
            pen.count(openinference::TOKENS_AUDIO_INPUT, self.audio_input);
            pen.count(openinference::TOKENS_REASONING, self.reasoning);
            pen.count(openinference::TOKENS_AUDIO_OUTPUT, self.audio_output);
            pen.float(openinference::COST_TOTAL, self.cost_usd);
        }
        if dialect.langfuse {
            self.write_langfuse(pen);
        }
    }

    /// Langfuse wants parts that do not overlap: it adds them up.
    fn write_langfuse<S: SpanSink>(&self, pen: &mut Pen<'_, S>) {
        if let Some(total) = self.total() {
            let parts =
                |parts: &[Option<u64>]| parts.iter().flatten().fold(0, |sum: u64, part| sum.saturating_add(*part));
            let input = self.input.map(|whole| whole.saturating_sub(parts(&[self.cache_read, self.cache_write])));
            let output = self.output.map(|whole| whole.saturating_sub(parts(&[self.reasoning])));
            let counts = [
                ("input", input),
                ("output", output),
                ("input_cached_tokens", self.cache_read),
                ("input_cache_creation", self.cache_write),
                ("output_reasoning_tokens", self.reasoning),
                ("total", Some(total)),
            ];
            pen.fitted(langfuse::USAGE_DETAILS, |_, out| write_object(&counts, out));
        }
        if self.cost_usd.is_some() {
            pen.fitted(langfuse::COST_DETAILS, |_, out| write_object(&[("total", self.cost_usd)], out));
        }
    }
}

fn write_object<T: WriteJson>(members: &[(&str, Option<T>)], out: &mut String) {
    out.push('{');
    for (name, value) in members {
        let Some(value) = value else { continue };
        if !out.ends_with('{') {
            out.push(',');
        }
        crate::json::write_str(name, out);
        out.push(':');
        value.write_json(out);
    }
    out.push('}');
}
