//! The verbs of [`Current`](crate::Current): one line for each thing that may be said.

use super::Current;
use crate::{
    Json, Text,
    event::{
        AgentHandoff, ArtifactCreated, CheckpointSaved, ContextSnapshot, EvaluationScored, FeedbackReceived,
        FeedbackType, GoalEvaluated, GoalStatus, GuardrailDecision, GuardrailEvaluated, MemoryOperation,
        MemoryRecalled, MemoryStored, MemoryType, MemoryUpdated, OperationProgress, PolicyDecision, PolicyVerdict,
        ProgressStatus, ReasoningTrace, ReasoningType, StateSnapshot, StepDiscovered, StepSourceType, TokenUsage,
    },
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// One line a verb: what it takes, and the event that it says. What else the event can hold is said by
/// [`emit`](Current::emit) with the event itself.
macro_rules! verbs {
    ($($(#[$doc:meta])* $verb:ident($($value:ident: $type:ty),*) => $event:expr;)*) => {
        impl Current {
            $($(#[$doc])* pub fn $verb(&self, $($value: $type),*) {
                if self.is_enabled() {
                    self.emit($event);
                }
            })*
        }
    };
}

verbs! {
    /// Something was made: its id, and what it is.
    artifact(id: impl Into<Text>, artifact_type: impl Into<Text>) => ArtifactCreated::new(id, artifact_type);
    /// How far a piece of work is: how much is done in its own unit, and of how much where that is known.
    progress(operation: impl Into<Text>, done: u64, total: Option<u64>) => progress(operation.into(), done, total);
    /// Someone said how good it was.
    feedback(feedback_type: FeedbackType, comment: impl Into<Text>) => FeedbackReceived::new(feedback_type).comment(comment);
    /// Reasoning that should be kept.
    reasoning(reasoning_type: ReasoningType, content: impl Into<Text>) => ReasoningTrace::new(reasoning_type, content);
    /// How full the context window is, in messages and tokens.
    context_window(messages: u64, tokens: u64, max_tokens: u64) => window(messages, tokens, max_tokens);
    /// How far a goal is.
    goal(id: impl Into<Text>, status: GoalStatus) => GoalEvaluated::new(id, status);
    /// The work goes on in another agent, and does not come back.
    handoff(to_agent: impl Into<Text>) => AgentHandoff::new(to_agent);
    /// Work turned up that was not planned; `depth` is how far from the first plan.
    discovered_step(source: StepSourceType, reason: impl Into<Text>, depth: u64) => StepDiscovered::new(source, reason, depth);
    /// A policy decided about a tool.
    policy_decision(tool: impl Into<Text>, verdict: PolicyVerdict) => PolicyDecision::new(tool, verdict);
    /// A guardrail gave its verdict.
    guardrail_verdict(name: impl Into<Text>, decision: GuardrailDecision) => GuardrailEvaluated::new(name, decision);
    /// An evaluation gave a score.
    evaluation(name: impl Into<Text>, score: f64) => EvaluationScored::new(name).score(score);
    /// Something was looked up in memory: what was looked for, how many were found, how long it took in ms.
    memory_recalled(query: impl Into<Text>, count: u64, duration_ms: u64) => MemoryRecalled::new(query, count, duration_ms);
    /// Something was stored in memory.
    memory_stored(memory_type: MemoryType) => MemoryStored::new(memory_type);
    /// Something remembered was changed.
    memory_updated(operation: MemoryOperation) => MemoryUpdated::new(operation);
}

impl Current {
    /// Tokens that were used here, as the provider counted them: cached ones are part of the input, reasoning of the
    /// output. In a model call they are the call's; elsewhere they are counted by themselves.
    pub fn usage(&self, input: u64, output: u64) {
        let span = self.span();
        match span.declares(crate::semconv::INPUT_TOKENS) {
            true => drop(span.usage(input, output)),
            // Also in an agent it is no sum of what its calls used.
            false => self.emit(TokenUsage::new(input, output, input.saturating_add(output), 0).aggregate(false)),
        }
    }

    /// The agent's state, whole.
    pub fn snapshot<T: Serialize + ?Sized>(&self, state: &T) {
        if self.is_enabled() {
            self.emit(StateSnapshot::new(Json::of(state)));
        }
    }

    /// A place to go back to was saved under this id. The event has the state's SHA-256, not the state.
    pub fn checkpoint_saved<T: Serialize + ?Sized>(&self, id: impl Into<Text>, state: &T) {
        if self.is_enabled() {
            let hash = Sha256::digest(Json::of(state).as_str());
            self.emit(CheckpointSaved::new(id, format!("{hash:x}")));
        }
    }
}

fn progress(operation: Text, done: u64, total: Option<u64>) -> OperationProgress {
    let status = if total == Some(done) { ProgressStatus::Completed } else { ProgressStatus::Running };
    let mut event = OperationProgress::new(operation.clone(), operation, done, status);
    event.total = total;
    event
}

fn window(messages: u64, tokens: u64, max_tokens: u64) -> ContextSnapshot {
    let percent = if max_tokens == 0 { 0.0 } else { tokens as f64 / max_tokens as f64 * 100.0 };
    ContextSnapshot::new(messages, tokens, percent).max_tokens(max_tokens)
}
