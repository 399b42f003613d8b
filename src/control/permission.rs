//! A question to a person, and its answer.

use crate::{Json, Text, event::PermissionVerdict};
use std::fmt;

/// A question that waits for an answer: may this tool run?
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct PermissionAsked {
    pub(crate) permission_id: Text,
    pub(crate) tool_name: Text,
    pub(crate) arguments: Json,
}

impl PermissionAsked {
    /// Id of the question; the answer names it.
    pub fn permission_id(&self) -> &str {
        &self.permission_id
    }

    /// Name of the tool.
    pub fn tool_name(&self) -> &str {
        &self.tool_name
    }

    /// What it would be called with, as it is: no content policy has hidden anything of it.
    pub fn arguments(&self) -> &Json {
        &self.arguments
    }
}

/// Without the arguments, which nothing has been hidden of.
impl fmt::Debug for PermissionAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermissionAsked")
            .field("permission_id", &self.permission_id)
            .field("tool_name", &self.tool_name)
            .finish_non_exhaustive()
    }
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "whether the tool may run is what was asked"]
#[non_exhaustive]
pub struct Permission {
    /// Granted, denied, or why there is no answer.
    pub verdict: PermissionVerdict,
    /// Who answered, if anybody did.
    pub decided_by: Option<Text>,
    /// Why.
    pub reason: Option<Text>,
}

impl Permission {
    /// Yes.
    pub fn granted() -> Self {
        Self::of(PermissionVerdict::Granted)
    }

    /// No.
    pub fn denied() -> Self {
        Self::of(PermissionVerdict::Denied)
    }

    pub(crate) fn of(verdict: PermissionVerdict) -> Self {
        Self { verdict, decided_by: None, reason: None }
    }

    /// The same, by this person or policy.
    pub fn by(mut self, who: impl Into<Text>) -> Self {
        self.decided_by = Some(who.into());
        self
    }

    /// The same, for this reason.
    pub fn because(mut self, reason: impl Into<Text>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Whether the tool may run. Everything but a grant is a no.
    pub fn is_granted(&self) -> bool {
        self.verdict == PermissionVerdict::Granted
    }
}
