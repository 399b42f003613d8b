//! What a span tells when it is over: its end, how it ended, and what it was about.

use super::{
    contract::{Slot, SpanKind},
    fields::Fields,
    listener::Listener,
    open::{OpenSpan, Role},
};
use crate::{
    Cancelled, Json, Text,
    event::{
        AgentEnd, Body, Embedding, ErrorCategory, EvaluationScored, ExecutionCancelled, ExecutionEnd, ExecutionError,
        ExecutionFailed, GuardrailEvaluated, LlmCallEnd, LlmCallFailed, MemoryOperation, MemoryRecalled, MemoryStored,
        MemoryType, MemoryUpdated, Outcome, Retrieval, StepEnd, StepFailed, TokenUsage, ToolFailure,
        ToolOutputAvailable, ToolOutputError, UsageReport,
    },
};
use std::any::type_name;

impl OpenSpan {
    /// Emits the end, with what the span said of how it ended.
    pub(super) fn end(mut self, listener: &impl Listener) {
        self.announce(listener);
        self.stop();
        self.settle_inner();
        let ending = Ending::of(&self);
        self.close_segment(listener, ending.outcome());
        match self.role {
            Role::Root => self.emit_execution_end(listener, &ending),
            Role::Inner(kind) => self.emit_end(listener, kind, &ending),
            Role::Alone(kind) => {
                self.emit_end(listener, kind, &ending);
                self.emit_execution_end(listener, &ending);
            }
        }
    }

    /// How the execution ended: one that was asked to end, and did not end well, ended because of that. A panic stays one.
    fn whole(&self, listener: &impl Listener, ending: &Ending) -> Ending {
        match (ending, listener.cancelled(&self.run.execution_id)) {
            (Ending::Bad { outcome, .. }, Some(message)) if *outcome != Outcome::Panicked => {
                Ending::Bad { outcome: Outcome::Cancelled, message, error_type: None }
            }
            _ => ending.clone(),
        }
    }

    fn emit_execution_end(&self, listener: &impl Listener, ending: &Ending) {
        self.close_calls(listener);
        self.emit(listener, self.execution_end(&self.whole(listener, ending)));
    }

    fn execution_end(&self, ending: &Ending) -> Body {
        match ending {
            Ending::Ok => {
                let mut end = ExecutionEnd::new(self.duration_ms());
                end.final_output = self.plain_output();
                end.into()
            }
            Ending::Bad { outcome: Outcome::Cancelled, message, .. } => {
                ExecutionCancelled::new(message.clone()).duration_ms(self.duration_ms()).into()
            }
            Ending::Bad { outcome, .. } => {
                let failed = ExecutionFailed::new(ending.error(self.kind()));
                failed.duration_ms(self.duration_ms()).outcome(outcome.clone()).into()
            }
        }
    }

    /// What came out, of whatever is no model call and no tool.
    fn plain_output(&self) -> Option<Text> {
        self.fields.plain(Slot::OutputValue).or_else(|| self.fields.plain(Slot::OutputMessages))
    }

    fn emit_end(&self, listener: &impl Listener, kind: SpanKind, ending: &Ending) {
        match kind {
            SpanKind::Agent => self.emit(listener, self.agent_end(ending)),
            SpanKind::Llm => self.emit_llm_end(listener, ending),
            SpanKind::Tool => self.emit(listener, self.tool_end(ending)),
            _ => {
                if let Some(fact) = self.fact(kind, ending) {
                    self.emit(listener, fact);
                }
                if let Some(usage) = (kind == SpanKind::Embedding).then(|| self.usage()).flatten() {
                    self.emit(listener, usage);
                }
                self.emit(listener, self.step_end(ending));
            }
        }
    }

    fn agent_end(&self, ending: &Ending) -> AgentEnd {
        let mut end = AgentEnd::new(self.duration_ms());
        end.output = self.plain_output();
        if let Ending::Bad { outcome, message, .. } = ending {
            end = end.outcome(outcome.clone()).error(message.clone());
        }
        end
    }

    fn emit_llm_end(&self, listener: &impl Listener, ending: &Ending) {
        let usage = self.usage();
        match ending {
            Ending::Ok => self.emit(listener, self.llm_end(usage.is_some())),
            Ending::Bad { outcome, message, error_type } => {
                let mut failed = LlmCallFailed::new(message.clone());
                failed = failed.duration_ms(self.duration_ms()).outcome(outcome.clone());
                failed.error_type.clone_from(error_type);
                failed.model = self.fields.text(Slot::RequestModel);
                self.emit(listener, failed);
            }
        }
        // Also of a call that failed: what it used, it used.
        if let Some(usage) = usage {
            self.emit(listener, usage);
        }
    }

    fn llm_end(&self, reports_usage: bool) -> LlmCallEnd {
        let fields = &self.fields;
        let mut end = LlmCallEnd::new(self.duration_ms());
        end.prompt_tokens = fields.unsigned(Slot::InputTokens);
        end.completion_tokens = fields.unsigned(Slot::OutputTokens);
        end.total_tokens = end.prompt_tokens.zip(end.completion_tokens).map(|(a, b)| a.saturating_add(b));
        end.total_tokens = end.total_tokens.or_else(|| fields.unsigned(Slot::TotalTokens));
        end.model = self.answering_model();
        end.provider = fields.text(Slot::Provider);
        end.response_id = fields.text(Slot::ResponseId);
        end.finish_reasons = fields.words(Slot::FinishReasons);
        // The convention counts seconds.
        end.time_to_first_chunk_ms = fields.float(Slot::TimeToFirstChunk).map(|seconds| (seconds * 1e3) as u64);
        end.tokens_per_second = self.tokens_per_second();
        end.cached_tokens = fields.unsigned(Slot::CacheReadTokens);
        end.cache_creation_tokens = fields.unsigned(Slot::CacheCreationTokens);
        end.reasoning_tokens = fields.unsigned(Slot::ReasoningTokens);
        end.usage = Some(if reports_usage { UsageReport::Reported } else { UsageReport::Unknown });
        end.output = fields.json(Slot::OutputMessages).or_else(|| fields.json(Slot::OutputValue));
        end
    }

    fn answering_model(&self) -> Option<Text> {
        self.fields.text(Slot::ResponseModel).or_else(|| self.fields.text(Slot::RequestModel))
    }

    /// How fast the model wrote once it had begun. None where one of the figures is not known, or makes no sense.
    fn tokens_per_second(&self) -> Option<f64> {
        let tokens = self.fields.unsigned(Slot::OutputTokens)?;
        let waited = self.fields.float(Slot::TimeToFirstChunk)?;
        let wrote = self.ended?.duration_since(self.started).as_secs_f64() - waited;
        (waited >= 0.0 && wrote > 0.0).then(|| tokens as f64 / wrote)
    }

    /// What the call used; none where it is not known, and zeros say that nobody looked. The gate adds price and sums.
    fn usage(&self) -> Option<TokenUsage> {
        let fields = &self.fields;
        let count = |slot| fields.unsigned(slot).unwrap_or(0);
        let (prompt, completion) = (count(Slot::InputTokens), count(Slot::OutputTokens));
        let total = Some(prompt.saturating_add(completion)).filter(|total| *total > 0)?;
        let mut usage = TokenUsage::new(prompt, completion, total, 0);
        usage.model = self.answering_model();
        usage.provider = fields.text(Slot::Provider);
        usage.cached_tokens = fields.unsigned(Slot::CacheReadTokens);
        usage.cache_creation_tokens = fields.unsigned(Slot::CacheCreationTokens);
        usage.reasoning_tokens = fields.unsigned(Slot::ReasoningTokens);
        usage.audio_input_tokens = fields.unsigned(Slot::AudioInputTokens);
        usage.audio_output_tokens = fields.unsigned(Slot::AudioOutputTokens);
        usage.cost_usd = fields.float(Slot::Cost);
        usage.aggregate = self.inner.tells_own.then_some(false);
        Some(usage)
    }

    fn tool_end(&self, ending: &Ending) -> Body {
        let id = self.tool_call_id();
        match ending {
            Ending::Ok => {
                let output = self.fields.json(Slot::ToolResult).or_else(|| self.fields.json(Slot::OutputValue));
                ToolOutputAvailable::new(id, output.unwrap_or_else(Json::null))
                    .tool_name(self.display_name())
                    .duration_ms(self.duration_ms())
                    .into()
            }
            Ending::Bad { outcome, message, error_type } => {
                let failure = self.fields.str(Slot::ToolOutcome).unwrap_or_else(|| outcome.as_str());
                let mut end = ToolOutputError::new(id, message.clone(), ToolFailure::from(failure));
                end = end.tool_name(self.display_name()).duration_ms(self.duration_ms());
                end.error_type.clone_from(error_type);
                end.into()
            }
        }
    }

    /// What a step was about, where its kind has an event of its own for that.
    fn fact(&self, kind: SpanKind, ending: &Ending) -> Option<Body> {
        let fields = &self.fields;
        let (ms, ok) = (self.duration_ms(), matches!(ending, Ending::Ok));
        match kind {
            SpanKind::Guardrail => self.verdict().map(Body::from),
            SpanKind::Evaluator => self.evaluation().map(Body::from),
            SpanKind::MemoryRead if ok => Some(self.recalled(ms).into()),
            SpanKind::MemoryWrite if ok => Some(self.stored().into()),
            SpanKind::MemoryChange if ok => Some(self.updated().into()),
            SpanKind::Retriever if ok => {
                let query = fields.text(Slot::RetrievalQuery).or_else(|| fields.plain(Slot::InputValue));
                let count = fields.unsigned(Slot::MemoryCount).unwrap_or_else(|| fields.count(Slot::OutputValue));
                let mut event = Retrieval::new(query.unwrap_or_default(), count, ms);
                event.data_source_id = fields.text(Slot::DataSourceId);
                event.documents = fields.json(Slot::OutputValue);
                Some(event.into())
            }
            SpanKind::Embedding if ok => {
                let mut event = Embedding::new(fields.text(Slot::RequestModel).unwrap_or_default(), ms);
                event.prompt_tokens = fields.unsigned(Slot::InputTokens);
                Some(event.into())
            }
            _ => None,
        }
    }

    fn recalled(&self, ms: u64) -> MemoryRecalled {
        let query = self.fields.text(Slot::MemoryQuery).or_else(|| self.fields.text(Slot::InputValue));
        let count = self.fields.unsigned(Slot::MemoryCount).unwrap_or(0);
        let mut event = MemoryRecalled::new(query.unwrap_or_default(), count, ms);
        event.session_id = self.fields.text(Slot::SessionId);
        event.records = self.fields.json(Slot::OutputValue);
        event.store_id = self.fields.text(Slot::MemoryStoreId);
        event
    }

    fn stored(&self) -> MemoryStored {
        let memory_type = self.fields.str(Slot::MemoryType).map_or(MemoryType::Episodic, MemoryType::from);
        let mut event = MemoryStored::new(memory_type);
        event.session_id = self.fields.text(Slot::SessionId);
        event.record_id = self.fields.text(Slot::MemoryRecordId);
        event.record = self.fields.json(Slot::InputValue);
        event.store_id = self.fields.text(Slot::MemoryStoreId);
        event
    }

    fn updated(&self) -> MemoryUpdated {
        let deletes = self.fields.str(Slot::Operation) == Some(crate::semconv::operation::DELETE_MEMORY);
        let operation = if deletes { MemoryOperation::Forgotten } else { MemoryOperation::Updated };
        let mut event = MemoryUpdated::new(operation);
        event.record_id = self.fields.text(Slot::MemoryRecordId);
        event.session_id = self.fields.text(Slot::SessionId);
        event.count = self.fields.unsigned(Slot::MemoryCount);
        event.store_id = self.fields.text(Slot::MemoryStoreId);
        event
    }

    fn verdict(&self) -> Option<GuardrailEvaluated> {
        let decision = self.fields.str(Slot::GuardrailDecision)?;
        let mut event = GuardrailEvaluated::new(self.display_name(), decision);
        event.reason = self.fields.text(Slot::GuardrailReason);
        event.score = self.fields.float(Slot::GuardrailScore);
        event.stage = self.fields.str(Slot::GuardrailStage).map(Into::into);
        Some(event)
    }

    /// None where nothing was found, as when the evaluation itself failed.
    fn evaluation(&self) -> Option<EvaluationScored> {
        let mut event = EvaluationScored::new(self.display_name());
        event.score = self.fields.float(Slot::EvaluationScore).filter(|score| score.is_finite());
        event.label = self.fields.text(Slot::EvaluationLabel);
        event.explanation = self.fields.text(Slot::EvaluationExplanation);
        (event.score.is_some() || event.label.is_some() || event.explanation.is_some()).then_some(event)
    }

    fn step_end(&self, ending: &Ending) -> Body {
        match ending {
            Ending::Ok => {
                let mut end = StepEnd::new(self.duration_ms());
                end.output = self.plain_output();
                end.into()
            }
            Ending::Bad { outcome, .. } => {
                let failed = StepFailed::new(ending.error(self.kind()));
                failed.duration_ms(self.duration_ms()).outcome(outcome.clone()).into()
            }
        }
    }
}

/// How a span ended.
#[derive(Clone)]
enum Ending {
    Ok,
    Bad { outcome: Outcome, message: Text, error_type: Option<Text> },
}

impl Ending {
    /// Our own guard says it; a foreign span is taken as ended well unless it carries an error.
    fn of(span: &OpenSpan) -> Self {
        let fields = &span.fields;
        let outcome = match fields.str(Slot::Outcome) {
            // Whoever told an error from inside knows more than a guard that saw a value come back.
            Some("ok") | None if says_error(fields) => Outcome::Error,
            // Whoever follows a request to end returns an error that says so.
            Some("error") if fields.str(Slot::ErrorType) == Some(type_name::<Cancelled>()) => Outcome::Cancelled,
            Some(word) => Outcome::from(word),
            None if matches!(fields.str(Slot::ToolOutcome), Some("error" | "denied" | "skipped")) => Outcome::Error,
            None if span.silent_on_failure && span.kind() == SpanKind::Llm && !answered(fields) => {
                return Self::unanswered();
            }
            None => Outcome::Ok,
        };
        if outcome == Outcome::Ok {
            return Self::Ok;
        }
        let error_type = fields.text(Slot::ErrorType);
        let message = fields.text(Slot::StatusDescription).or_else(|| fields.error_text());
        let message = message.or_else(|| error_type.clone());
        Self::Bad { message: message.unwrap_or_else(|| Text::from(outcome.as_str())), outcome, error_type }
    }

    /// rig records nothing on a call whose request failed or whose stream was dropped; both end without an answer.
    fn unanswered() -> Self {
        let message = Text::from_static("ended without an answer: the request failed or was given up");
        Self::Bad { outcome: Outcome::Error, message, error_type: None }
    }

    fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Ok => None,
            Self::Bad { outcome, .. } => Some(outcome.clone()),
        }
    }

    fn error(&self, kind: SpanKind) -> ExecutionError {
        let Self::Bad { outcome, message, error_type } = self else {
            return ExecutionError::new(ErrorCategory::KernelInternal, "");
        };
        let category = match (outcome, kind) {
            (Outcome::TimedOut, _) => ErrorCategory::Timeout,
            (_, SpanKind::Llm | SpanKind::Embedding) => ErrorCategory::LlmError,
            (_, SpanKind::Tool) => ErrorCategory::ToolError,
            (_, SpanKind::Guardrail) => ErrorCategory::PolicyViolation,
            _ => ErrorCategory::KernelInternal,
        };
        let error = ExecutionError::new(category, message.clone());
        match error_type {
            Some(code) => error.with_code(code.as_str().into()),
            None => error,
        }
    }
}

/// As tracing-opentelemetry reads it: the code in any case, and a description by itself implies an error.
fn says_error(fields: &Fields) -> bool {
    let code = fields.str(Slot::StatusCode).is_some_and(|code| code.eq_ignore_ascii_case("error"));
    let described = fields.has(Slot::StatusDescription) && !fields.has(Slot::Outcome);
    code || described || fields.has(Slot::ErrorType) || fields.error_text().is_some()
}

fn answered(fields: &Fields) -> bool {
    [Slot::ResponseId, Slot::OutputTokens, Slot::InputTokens].iter().any(|slot| fields.has(*slot))
}
