//! Whose spans are what: the crates that are known by their targets, and what a user adds to that.

use super::contract::{FIELDS, Slot, SpanKind};
use crate::{Error, semconv};
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU32, Ordering},
};
use tracing::{Level, Metadata};

/// The rank of a user's own names: after every name that is understood anyway.
const RANK_OF_USERS: u8 = 64;

/// What spans of your own mean, beside what is understood already: names of fields, and names of spans.
///
/// Rules are given to [`AgentLayer::rules`](crate::AgentLayer::rules) or [`Builder::rules`](crate::Builder::rules).
///
/// ```
/// use spanwright::{Rules, semconv};
///
/// let rules = Rules::new()
///     .field("acme.tokens.in", semconv::INPUT_TOKENS)?
///     .span("acme_agent", "think", semconv::operation::CHAT)?
///     .plain("acme_agent::debug", "dump");
/// # drop(rules);
/// # Ok::<_, spanwright::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Rules {
    fields: Vec<(String, Slot)>,
    spans: Vec<SpanRule>,
}

#[derive(Debug, Clone)]
struct SpanRule {
    target: String,
    name: String,
    kind: Option<SpanKind>,
}

impl Rules {
    /// No rule: what is understood anyway.
    pub const fn new() -> Self {
        Self { fields: Vec::new(), spans: Vec::new() }
    }

    /// Reads the field `name` as if it were `meaning`, a name of [`semconv`]: on every span, whoever opens it. Where a span
    /// has both, `meaning` counts.
    ///
    /// # Errors
    /// `is_config` when `meaning` is no name that is read, or when `name` has another meaning already.
    pub fn field(mut self, name: impl Into<String>, meaning: &str) -> Result<Self, Error> {
        let name = name.into();
        let Some((slot, _)) = Slot::of(meaning) else {
            return Err(Error::config(format!(
                "the meaning {meaning:?} of the field {name:?}: no field that is read; `Rules::understood` lists them"
            )));
        };
        match self.meaning(&name) {
            Some(known) if known == slot => Ok(self),
            Some(known) => Err(Error::config(format!("the field {name:?} is read as {:?} already", known.name()))),
            None => {
                self.fields.push((name, slot));
                Ok(self)
            }
        }
    }

    fn meaning(&self, field: &str) -> Option<Slot> {
        let ours = || self.fields.iter().find(|(name, _)| name == field).map(|(_, slot)| *slot);
        Slot::of(field).map(|(slot, _)| slot).or_else(ours)
    }

    /// Takes spans of this name for this operation, a value of `gen_ai.operation.name` such as those in
    /// [`semconv::operation`]: those whose target is `target` or a module in it. This counts before anything that the
    /// span says itself; of two rules for a span, the first.
    ///
    /// # Errors
    /// `is_config` when the operation is none that is shown.
    pub fn span(mut self, target: impl Into<String>, name: impl Into<String>, operation: &str) -> Result<Self, Error> {
        let Some(kind) = SpanKind::of_operation(operation) else {
            return Err(Error::config(format!(
                "the operation {operation:?}: none that is shown; `spanwright::semconv::operation` lists them"
            )));
        };
        self.spans.push(SpanRule { target: target.into(), name: name.into(), kind: Some(kind) });
        Ok(self)
    }

    /// Takes spans of this name for plain ones, whatever they say: they are not shown, and what is in them belongs to
    /// what is around them.
    pub fn plain(mut self, target: impl Into<String>, name: impl Into<String>) -> Self {
        self.spans.push(SpanRule { target: target.into(), name: name.into(), kind: None });
        self
    }

    /// Every field name that is understood without rules: one row for each meaning, the name that counts most first.
    pub fn understood() -> impl Iterator<Item = &'static [&'static str]> {
        FIELDS.iter().map(|(_, names)| *names)
    }
}

/// What is understood by one layer: the tables, and its user's rules.
#[derive(Debug, Clone)]
pub(crate) struct Contract {
    rules: Option<Arc<Rules>>,
    /// Tells apart what call sites mean to different layers.
    pub(super) id: u32,
}

/// What is known of a span by its call site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing: its fields may tell.
    Nothing,
    /// A user's rule; none is a plain span.
    ByRule(Option<SpanKind>),
    /// The table of crates.
    ByCrate(SpanKind),
}

impl Known {
    pub(super) fn is_nothing(self) -> bool {
        self == Self::Nothing
    }
}

impl Contract {
    /// The tables alone.
    pub(super) const STANDARD: Self = Self { rules: None, id: 0 };

    pub(super) fn new(rules: Rules) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        Self { rules: Some(Arc::new(rules)), id: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// The slot of a field name, and its rank.
    pub(super) fn slot(&self, field: &str) -> Option<(Slot, u8)> {
        let of_user = || self.rules.as_ref()?.fields.iter().find(|(name, _)| name == field);
        Slot::of(field).or_else(|| of_user().map(|(_, slot)| (*slot, RANK_OF_USERS)))
    }

    pub(super) fn known(&self, metadata: &Metadata<'_>) -> Known {
        self.known_as(metadata.target(), metadata.name())
    }

    pub(super) fn known_as(&self, target: &str, name: &str) -> Known {
        let rules = self.rules.iter().flat_map(|rules| &rules.spans);
        if let Some(rule) = rules.into_iter().find(|rule| rule.name == name && is_in(target, &rule.target)) {
            return Known::ByRule(rule.kind);
        }
        let rows = CRATES.iter().filter(|(root, _)| is_in(target, root)).flat_map(|(_, rows)| *rows);
        rows.into_iter().find(|(row, _)| *row == name).map_or(Known::Nothing, |(_, kind)| Known::ByCrate(*kind))
    }

    /// What the layer can use: spans of every level that say or are known for what they are, plain spans from INFO up,
    /// which may be around them, pieces of text, and events with values for the span around them. A filter for this layer
    /// alone; without one, every TRACE span and event of the process is switched on for it.
    pub(crate) fn concerns(&self, metadata: &Metadata<'_>) -> bool {
        match metadata.is_span() {
            true => {
                *metadata.level() <= Level::INFO
                    || metadata
                        .fields()
                        .iter()
                        .any(|field| self.slot(field.name()).is_some_and(|(s, _)| s.is_telling()))
                    || self.known(metadata) != Known::Nothing
            }
            false => {
                metadata.target() == semconv::DELTA_TARGET
                    || metadata.fields().iter().any(|field| self.slot_of_event(metadata, field.name()).is_some())
            }
        }
    }

    /// As [`slot`](Self::slot), for a field of an event: no bare names, which any log line may have. Except for the
    /// `error` of an ERROR event, by which tracing-opentelemetry too knows that the span around it failed.
    pub(super) fn slot_of_event(&self, metadata: &Metadata<'_>, field: &str) -> Option<(Slot, u8)> {
        let (slot, rank) = self.slot(field)?;
        let of_span = slot.comes_in_events() && field.contains('.');
        let failure = slot == Slot::ErrorText && *metadata.level() == Level::ERROR;
        let delta = metadata.target() == semconv::DELTA_TARGET;
        (of_span || failure || delta).then_some((slot, rank))
    }
}

/// Crates whose spans do not say what they are, by target and name.
const CRATES: &[(&str, &[(&str, SpanKind)])] = &[
    ("adk_runner", &[("agent.execute", SpanKind::Agent)]),
    ("adk_agent", &[("call_llm", SpanKind::Llm)]),
    ("adk_model", &[("model.generate_content", SpanKind::Llm)]),
    (
        "adk_telemetry",
        &[
            ("agent.run", SpanKind::Agent),
            ("team.run", SpanKind::Agent),
            ("team.member.run", SpanKind::Agent),
            ("model.call", SpanKind::Llm),
            ("gen_ai.call", SpanKind::Llm),
            ("gen_ai.generate", SpanKind::Llm),
            ("tool.execute", SpanKind::Tool),
        ],
    ),
    (
        "swiftide_agents",
        &[
            ("agent.query", SpanKind::Agent),
            ("agent.query_once", SpanKind::Agent),
            ("agent.run", SpanKind::Agent),
            ("agent.run_once", SpanKind::Agent),
            ("run_completions", SpanKind::Step),
            ("tool", SpanKind::Tool),
        ],
    ),
    (
        "swiftide_integrations",
        &[("complete", SpanKind::Llm), ("prompt", SpanKind::Llm), ("structured_prompt_dyn", SpanKind::Llm)],
    ),
    (
        "langchain_rust",
        &[
            ("agent.run", SpanKind::Agent),
            ("agent.plan", SpanKind::Step),
            ("tool.call", SpanKind::Tool),
            ("llm.generate", SpanKind::Llm),
            ("embed.documents", SpanKind::Embedding),
            ("embed.query", SpanKind::Embedding),
        ],
    ),
    // Its spans are of level DEBUG and know neither model nor tokens.
    (
        "aws_sdk_bedrockruntime",
        &[
            ("Bedrock Runtime.Converse", SpanKind::Llm),
            ("Bedrock Runtime.ConverseStream", SpanKind::Llm),
            ("Bedrock Runtime.InvokeModel", SpanKind::Llm),
            ("Bedrock Runtime.InvokeModelWithResponseStream", SpanKind::Llm),
        ],
    ),
];

/// Crates that record nothing on a model call whose request failed or whose stream was dropped.
const SILENT_ON_FAILURE: &[&str] = &["rig", "rig_core", "rig_agent"];

pub(super) fn is_silent_on_failure(target: &str) -> bool {
    SILENT_ON_FAILURE.iter().any(|module| is_in(target, module))
}

/// Whether this crate records no messages in this process, though its spans have fields for them. genai never enters
/// its spans, so a start that waited for messages would be told when the call is over.
pub(super) fn withholds_content(target: &str) -> bool {
    static CAPTURED: OnceLock<bool> = OnceLock::new();
    let captured = || {
        let switch = std::env::var("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT").unwrap_or_default();
        matches!(switch.trim().to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on")
    };
    is_in(target, "genai") && !*CAPTURED.get_or_init(captured)
}

/// The crate of a target.
pub(super) fn emitter(target: &str) -> &str {
    target.split("::").next().unwrap_or(target)
}

/// Whether the table of crates has the one of this target.
#[cfg(feature = "otlp")]
pub(super) fn is_of_known_crate(target: &str) -> bool {
    CRATES.iter().any(|(root, _)| is_in(target, root))
}

/// Our own spans.
pub(super) const OURS: &str = "spanwright";

fn is_in(target: &str, module: &str) -> bool {
    target.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}
