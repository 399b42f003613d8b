//! How a span ended, where not well: what is an error to a back end, and of which type.

use super::subject::Subject;
use crate::{
    Text,
    event::{Body, ErrorCategory, ExecutionError, Outcome, ToolFailure},
    otlp::span::Span,
};
use std::borrow::Cow;

/// "`error.type` SHOULD be `_OTHER` where nothing else is known" (general conventions, errors).
const OTHER: &str = "_OTHER";

/// What failed. The same type stands on span, metric and log event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure<'a> {
    /// Of low cardinality: a code, the name of a type, an HTTP status.
    pub(crate) error_type: Cow<'a, str>,
    /// In words; empty where there are none besides the type.
    pub(crate) message: &'a str,
}

impl<'a> Failure<'a> {
    /// None of what ended well, was given up, or says nothing of its end. What a crash left open failed.
    pub(crate) fn of(span: &'a Span) -> Option<Self> {
        Self::of_outcome(span, &span.outcome()?)
    }

    /// The same, of a span that ended so.
    pub(super) fn of_outcome(span: &'a Span, outcome: &Outcome) -> Option<Self> {
        if *outcome == Outcome::Cancelled {
            return None;
        }
        let (named, message) = told(span.closer.as_ref()?);
        let error_type = named.or_else(|| of_outcome(outcome)).unwrap_or(Cow::Borrowed(OTHER));
        let message = if *message == *error_type { "" } else { message };
        Some(Self { error_type, message })
    }

    pub(super) fn of_error(error: &'a ExecutionError) -> Self {
        Self { error_type: of_error(error), message: &error.message }
    }
}

/// Why something was given up, in words.
pub(super) fn reason<'a>(subject: &Subject<'a>) -> &'a str {
    match &subject.span.closer {
        Some(closer) if subject.outcome == Some(Outcome::Cancelled) => told(closer).1,
        _ => "",
    }
}

/// The type that the end says itself, and the words.
fn told(closer: &Body) -> (Option<Cow<'_, str>>, &str) {
    let named = |name: &'_ Option<Text>| {
        name.clone().filter(|name| !name.is_empty()).map(|name| name.as_str().to_owned().into())
    };
    match closer {
        Body::ExecutionFailed(end) => (by_error(&end.error, end.outcome.as_ref()), &end.error.message),
        Body::StepFailed(end) => (by_error(&end.error, end.outcome.as_ref()), &end.error.message),
        Body::LlmCallFailed(end) => (named(&end.error_type), &end.error),
        Body::ToolOutputError(end) => (named(&end.error_type).or_else(|| of_tool(&end.outcome)), &end.error),
        Body::ExecutionCancelled(end) => (None, &end.reason),
        Body::ExecutionLost(end) => (None, &end.reason),
        Body::AgentEnd(end) => (None, end.error.as_deref().unwrap_or_default()),
        _ => (None, ""),
    }
}

/// What has a word of its own for how it ended needs no category: that of a crash would be anything.
fn by_error<'a>(error: &'a ExecutionError, outcome: Option<&Outcome>) -> Option<Cow<'a, str>> {
    match outcome.and_then(of_outcome) {
        Some(_) if error.code.is_none() => None,
        _ => Some(of_error(error)),
    }
}

fn of_error(error: &ExecutionError) -> Cow<'_, str> {
    match (&error.code, error.http_status) {
        (Some(code), _) => Cow::Borrowed(code.as_str()),
        (None, Some(status)) => Cow::Owned(status.to_string()),
        (None, None) => Cow::Borrowed(of_category(error.category)),
    }
}

/// A tool that was not allowed to run gave no output, which is an error to whoever called it.
fn of_tool(failure: &ToolFailure) -> Option<Cow<'static, str>> {
    (*failure == ToolFailure::Denied).then_some(Cow::Borrowed("denied"))
}

fn of_outcome(outcome: &Outcome) -> Option<Cow<'static, str>> {
    Some(Cow::Borrowed(match outcome {
        Outcome::Panicked => "panic",
        Outcome::TimedOut => "timeout",
        Outcome::Lost => "lost",
        _ => return None,
    }))
}

const fn of_category(category: ErrorCategory) -> &'static str {
    match category {
        ErrorCategory::LlmError => "LlmError",
        ErrorCategory::ToolError => "ToolError",
        ErrorCategory::PolicyViolation => "PolicyViolation",
        ErrorCategory::Timeout => "timeout",
        ErrorCategory::QuotaExceeded => "QuotaExceeded",
        // Ours for "nothing else is known".
        ErrorCategory::KernelInternal => OTHER,
        ErrorCategory::ValidationError => "ValidationError",
        ErrorCategory::NetworkError => "NetworkError",
    }
}
