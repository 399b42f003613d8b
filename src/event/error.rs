//! What went wrong in an agent: category, code, and whether another try makes sense.

use super::declare::words;
use crate::{Json, StepId, Text, Timestamp, json::WriteJson};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where an error came from. On the wire in PascalCase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum ErrorCategory {
    /// The model or its provider.
    LlmError,
    /// A tool.
    ToolError,
    /// A policy said no.
    PolicyViolation,
    /// It took too long.
    Timeout,
    /// A quota is used up.
    QuotaExceeded,
    /// The agent's own machinery.
    KernelInternal,
    /// Input that does not fit.
    ValidationError,
    /// The network.
    NetworkError,
}

/// One row of the reference's table of categories.
struct Traits {
    fatal: bool,
    max_retries: u32,
    backoff: BackoffStrategy,
    base_ms: u64,
    cap_ms: u64,
    idempotency_key: bool,
    http_status: u16,
}

impl ErrorCategory {
    const fn traits(self) -> Traits {
        use BackoffStrategy::{Constant, Exponential};
        match self {
            Self::LlmError => Traits::retried(3, Exponential, 1_000, 30_000, false, 502),
            Self::ToolError => Traits::retried(2, Constant, 500, 5_000, true, 500),
            Self::Timeout => Traits::retried(1, Constant, 0, 0, true, 504),
            Self::NetworkError => Traits::retried(3, Exponential, 500, 15_000, true, 503),
            Self::PolicyViolation => Traits::fatal(403),
            Self::QuotaExceeded => Traits::fatal(429),
            Self::KernelInternal => Traits::fatal(500),
            Self::ValidationError => Traits::fatal(400),
        }
    }

    /// Whether an error of this category ends the execution.
    pub const fn is_fatal(self) -> bool {
        self.traits().fatal
    }

    /// How errors of this category are retried when their code says nothing else.
    pub const fn retry_policy(self) -> RetryPolicy {
        let traits = self.traits();
        RetryPolicy {
            retryable: !traits.fatal,
            max_retries: traits.max_retries,
            backoff_strategy: traits.backoff,
            base_delay: traits.base_ms,
            max_delay: traits.cap_ms,
            requires_idempotency_key: traits.idempotency_key,
        }
    }
}

impl Traits {
    const fn retried(
        max_retries: u32,
        backoff: BackoffStrategy,
        base_ms: u64,
        cap_ms: u64,
        idempotency_key: bool,
        http_status: u16,
    ) -> Self {
        Self { fatal: false, max_retries, backoff, base_ms, cap_ms, idempotency_key, http_status }
    }

    const fn fatal(http_status: u16) -> Self {
        let backoff = BackoffStrategy::None;
        Self { fatal: true, max_retries: 0, backoff, base_ms: 0, cap_ms: 0, idempotency_key: false, http_status }
    }
}

words! {
    /// What exactly went wrong at a model or a tool.
    ErrorCode {
        /// Too many requests.
        RateLimit = "rate_limit",
        /// More than the context window holds.
        ContextOverflow = "context_overflow",
        /// The provider's filter stepped in.
        ContentFiltered = "content_filtered",
        /// The provider did not understand the request.
        InvalidRequest = "invalid_request",
        /// The credentials were refused.
        AuthFailed = "auth_failed",
        /// The model is not to be had now.
        ModelUnavailable = "model_unavailable",
        /// The provider failed.
        ProviderError = "provider_error",
        /// No such tool.
        NotFound = "not_found",
        /// The tool may not run.
        PermissionDenied = "permission_denied",
        /// The tool did not understand its input.
        InvalidInput = "invalid_input",
        /// The tool ran and failed.
        ExecutionFailed = "execution_failed",
        /// The tool took too long.
        Timeout = "timeout",
        /// The tool's output is not what it promised.
        OutputInvalid = "output_invalid",
    }
}

impl ErrorCode {
    /// Whether another try can help; none for a code that this version does not know.
    pub const fn is_retryable(&self) -> Option<bool> {
        match self {
            Self::RateLimit | Self::ModelUnavailable | Self::ProviderError => Some(true),
            Self::ExecutionFailed | Self::Timeout => Some(true),
            Self::ContextOverflow | Self::ContentFiltered | Self::InvalidRequest | Self::AuthFailed => Some(false),
            Self::NotFound | Self::PermissionDenied | Self::InvalidInput | Self::OutputInvalid => Some(false),
            Self::Other(_) => None,
        }
    }
}

/// How the wait between two tries grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BackoffStrategy {
    /// No wait.
    None,
    /// Always the same.
    Constant,
    /// The base times the number of the try.
    Linear,
    /// Doubled with each try.
    Exponential,
}

/// Whether and how to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Whether another try makes sense.
    pub retryable: bool,
    /// How many more tries at most.
    pub max_retries: u32,
    /// How the wait grows.
    pub backoff_strategy: BackoffStrategy,
    /// The first wait, in ms.
    pub base_delay: u64,
    /// The longest wait, in ms.
    pub max_delay: u64,
    /// Whether a try may only be repeated under an idempotency key.
    pub requires_idempotency_key: bool,
}

impl RetryPolicy {
    /// No further try.
    pub const fn none() -> Self {
        ErrorCategory::ValidationError.retry_policy()
    }

    /// The wait before the try after `attempt` (from 1), never above the cap: the arithmetic saturates.
    pub const fn delay(&self, attempt: u32) -> Duration {
        let before = attempt.saturating_sub(1);
        let factor = match self.backoff_strategy {
            BackoffStrategy::None => 0,
            BackoffStrategy::Constant => 1,
            BackoffStrategy::Linear => before as u64 + 1,
            BackoffStrategy::Exponential if before < u64::BITS => 1 << before,
            BackoffStrategy::Exponential => u64::MAX,
        };
        let millis = self.base_delay.saturating_mul(factor);
        Duration::from_millis(if millis < self.max_delay { millis } else { self.max_delay })
    }
}

/// An error as it stands in events. Absent fields are `null` on the wire, as in the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ExecutionError {
    /// Where it came from.
    pub category: ErrorCategory,
    /// What happened, in words.
    pub message: Text,
    /// Whether and how to try again: that of the category, unless the code says that no try can help.
    pub retry_policy: RetryPolicy,
    /// What exactly went wrong.
    pub code: Option<ErrorCode>,
    /// Which try this was, from 1.
    #[serde(default = "first")]
    pub attempt: u32,
    /// The step it happened in.
    pub step_id: Option<StepId>,
    /// The provider it came from.
    pub provider: Option<Text>,
    /// The provider's HTTP status.
    pub http_status: Option<u16>,
    /// Whatever else is known.
    pub details: Option<Json>,
    /// When it happened: Unix time in ms.
    pub occurred_at: i64,
}

const fn first() -> u32 {
    1
}

impl ExecutionError {
    /// An error of this category, now, at the first try.
    pub fn new(category: ErrorCategory, message: impl Into<Text>) -> Self {
        Self {
            category,
            message: message.into(),
            retry_policy: category.retry_policy(),
            code: None,
            attempt: 1,
            step_id: None,
            provider: None,
            http_status: None,
            details: None,
            occurred_at: Timestamp::now().unix_millis(),
        }
    }

    /// With this code; a code that no further try can help ends the retries that the category would allow.
    pub fn with_code(mut self, code: ErrorCode) -> Self {
        if code.is_retryable() == Some(false) {
            self.retry_policy = RetryPolicy::none();
        }
        self.code = Some(code);
        self
    }

    /// With the number of this try, from 1.
    pub fn with_attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// With the provider and its HTTP status.
    pub fn with_provider(mut self, provider: impl Into<Text>, http_status: Option<u16>) -> Self {
        self.provider = Some(provider.into());
        self.http_status = http_status;
        self
    }

    /// With the time of the event it stands in.
    pub(crate) fn occurred(mut self, at: Timestamp) -> Self {
        self.occurred_at = at.unix_millis();
        self
    }

    /// Whether another try is allowed and left.
    pub const fn should_retry(&self) -> bool {
        self.retry_policy.retryable && self.attempt <= self.retry_policy.max_retries
    }

    /// The HTTP status that says it best: the provider's own, else the category's.
    pub fn status(&self) -> u16 {
        self.http_status.unwrap_or(self.category.traits().http_status)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.message.heap_bytes()
            + self.provider.as_ref().map_or(0, Text::heap_bytes)
            + self.details.as_ref().map_or(0, Json::heap_bytes)
    }
}

impl WriteJson for ExecutionError {
    /// Rare enough to go the general way. It cannot fail: there are no maps, and `details` is JSON already.
    fn write_json(&self, out: &mut String) {
        out.push_str(&serde_json::to_string(self).unwrap_or_else(|_| String::from("null")));
    }
}
