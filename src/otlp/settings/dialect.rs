//! What is written into spans, of several ways to say the same: plain words, read by whoever writes them.

/// How requests are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Encoding {
    /// Binary protobuf: what every back end takes.
    #[default]
    Protobuf,
    /// JSON. Some take no other, some (Phoenix) do not take it.
    Json,
}

/// Which version of the GenAI convention names follow, where names have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Naming {
    /// The names that back ends in use read.
    #[default]
    Compat,
    /// The newest ones: `gen_ai_latest_experimental` in `OTEL_SEMCONV_STABILITY_OPT_IN`.
    Latest,
}

/// How much of OpenInference goes with the names of the convention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OpenInference {
    /// Nothing.
    Off,
    /// Kinds, inputs, outputs, session and user: without it guardrails, memory and retrieval show in no viewer.
    #[default]
    Small,
    /// Its whole vocabulary: messages, tools, documents, counts.
    Full,
}

/// What the numbers of a metric are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Temporality {
    /// Everything since a start that goes with them: one that was lost is made up for by the next.
    #[default]
    Cumulative,
    /// What is new since they were sent last.
    Delta,
}

/// Where content (prompts, answers, arguments, results) may go. What the log does not have goes nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Capture {
    /// Nowhere.
    #[default]
    Off,
    /// Into attributes of spans.
    Spans,
    /// Into log events, where those are sent.
    Events,
    /// Into both.
    SpansAndEvents,
}

impl Capture {
    /// Whether content goes into attributes of spans.
    pub const fn on_spans(self) -> bool {
        matches!(self, Self::Spans | Self::SpansAndEvents)
    }

    /// Whether content goes into log events.
    pub const fn on_events(self) -> bool {
        matches!(self, Self::Events | Self::SpansAndEvents)
    }
}
