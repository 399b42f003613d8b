//! What an execution waits for: an answer, a pause, a limit of its provider.

use super::{Inert, tree::NAME_CHARS, tree::TEXT_CHARS};
use crate::{
    StreamEvent, Text,
    event::{Body, Concept, ErrorCode, ExecutionError, Kind, Life, Roots},
};
use serde::Serialize;
use std::collections::VecDeque;

/// What an execution waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "on", rename_all = "snake_case")]
#[non_exhaustive]
pub enum BlockedOn {
    /// A person's answer whether a tool may run.
    Permission {
        /// Id of the question, which the answer names; absent where it has none.
        #[serde(skip_serializing_if = "Option::is_none")]
        permission_id: Option<Text>,
        /// Name of the tool.
        tool_name: Inert,
    },
    /// That somebody lets it go on.
    Pause {
        /// Why it was paused.
        reason: Inert,
    },
    /// A provider that has had enough of it for now.
    RateLimit {
        /// What the provider said.
        reason: Inert,
    },
}

/// What an execution waits for, folded from its events. Holds the newest
/// [`QUESTIONS_MAX`](Self::QUESTIONS_MAX) open questions.
#[derive(Debug, Clone, Default)]
pub struct Blocked {
    questions: VecDeque<Question>,
    pause: Option<Inert>,
    limit: Option<Inert>,
    roots: Roots,
}

#[derive(Debug, Clone)]
struct Question {
    permission_id: Option<Text>,
    tool_call_id: Option<Text>,
    tool_name: Inert,
}

impl Blocked {
    /// The most open questions that are held: as many as may be open in an execution that is steered.
    pub const QUESTIONS_MAX: usize = 1024;

    /// Takes in the next event of the execution.
    pub fn apply(&mut self, event: &StreamEvent) {
        self.roots.apply(event);
        match &event.body {
            Body::PermissionRequest(asked) => self.ask(Question {
                permission_id: asked.permission_id.clone(),
                tool_call_id: asked.tool_call_id.clone(),
                tool_name: Inert::new(&asked.tool_name, NAME_CHARS),
            }),
            Body::PermissionDecision(answer) => {
                self.questions.retain(|open| open.permission_id.as_ref() != Some(&answer.permission_id));
            }
            // The call that was asked about is over, however that came.
            Body::ToolOutputAvailable(end) => self.called(&end.tool_call_id),
            Body::ToolOutputError(end) => self.called(&end.tool_call_id),
            Body::ExecutionPaused(pause) => self.pause = Some(Inert::new(&pause.reason, TEXT_CHARS)),
            Body::ExecutionResumed(_) => self.pause = None,
            Body::LlmCallFailed(call) if call.error_type.as_deref().is_some_and(is_limit) => self.limited(&call.error),
            Body::Error(error) => self.failed(&error.error),
            Body::StepFailed(step) => self.failed(&step.error),
            _ => self.goes_on(event.kind()),
        }
    }

    /// What it waits for; of several things what a person can do something about.
    pub fn on(&self) -> Option<BlockedOn> {
        let question = self.questions.front().map(|open| BlockedOn::Permission {
            permission_id: open.permission_id.clone(),
            tool_name: open.tool_name.clone(),
        });
        let pause = || self.pause.clone().map(|reason| BlockedOn::Pause { reason });
        let limit = || self.limit.clone().map(|reason| BlockedOn::RateLimit { reason });
        question.or_else(pause).or_else(limit)
    }

    fn ask(&mut self, question: Question) {
        if self.questions.len() >= Self::QUESTIONS_MAX {
            self.questions.pop_front();
        }
        self.questions.push_back(question);
    }

    fn called(&mut self, tool_call_id: &Text) {
        self.questions.retain(|open| open.tool_call_id.as_ref() != Some(tool_call_id));
    }

    fn failed(&mut self, error: &ExecutionError) {
        if error.code == Some(ErrorCode::RateLimit) {
            self.limited(&error.message);
        }
    }

    fn limited(&mut self, said: &str) {
        self.limit = Some(Inert::new(said, TEXT_CHARS));
    }

    /// A model that is called again, or that answers, limits nobody any more; what has ended waits for nothing.
    fn goes_on(&mut self, kind: Kind) {
        match kind.life() {
            Life::Closes(Concept::Execution) if self.roots.is_empty() => *self = Self::default(),
            Life::Opens(Concept::LlmCall) | Life::Closes(Concept::LlmCall) => self.limit = None,
            _ => {}
        }
    }
}

/// Words that providers and libraries have for it in `error.type`.
fn is_limit(error_type: &str) -> bool {
    let word = error_type.to_ascii_lowercase().replace(['-', '_', ' '], "");
    word.contains("ratelimit") || word == "429" || word == "toomanyrequests"
}
