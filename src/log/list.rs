//! Which executions and conversations there are: what is asked, and how it is answered row by row.

use super::{ExecutionRow, Status};
use crate::{ExecutionId, Text, Timestamp};
use serde::Serialize;

/// Which executions to list, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ExecutionsQuery {
    /// This many at most.
    pub limit: usize,
    /// Those that stand after this one in the list, which must be in it.
    pub before: Option<ExecutionId>,
    /// Only of this conversation.
    pub session_id: Option<Text>,
    /// Only of this tenant.
    pub tenant_id: Option<Text>,
    /// Only those that are this far.
    pub status: Option<Status>,
}

impl ExecutionsQuery {
    /// The newest executions, `limit` at most.
    pub fn newest(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// The same, after this one in the list: the next page. It must be of the same tenant, where one is asked for; how far
    /// it is does not matter.
    pub fn before(mut self, id: ExecutionId) -> Self {
        self.before = Some(id);
        self
    }

    /// The same, only of this conversation.
    pub fn of_session(mut self, session_id: impl Into<Text>) -> Self {
        self.session_id = Some(session_id.into());
        self
    }

    /// The same, only of this tenant.
    pub fn of_tenant(mut self, tenant_id: impl Into<Text>) -> Self {
        self.tenant_id = Some(tenant_id.into());
        self
    }

    /// The same, only those that are this far.
    pub fn with_status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// Whether a row may be known to who asks: whether it is of the tenant.
    pub(super) fn may_know(&self, row: &ExecutionRow) -> bool {
        self.tenant_id.is_none() || row.tenant_id == self.tenant_id
    }

    /// Whether a row is in the list.
    pub(super) fn lists(&self, row: &ExecutionRow) -> bool {
        self.may_know(row)
            && (self.session_id.is_none() || row.session_id == self.session_id)
            && self.status.is_none_or(|status| row.status == status)
    }
}

/// Which conversations to list: those with the newest events first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SessionsQuery {
    /// This many at most.
    pub limit: usize,
    /// Only of this tenant.
    pub tenant_id: Option<Text>,
}

impl SessionsQuery {
    /// The conversations that something happened in last, `limit` at most.
    pub fn newest(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// The same, only of this tenant.
    pub fn of_tenant(mut self, tenant_id: impl Into<Text>) -> Self {
        self.tenant_id = Some(tenant_id.into());
        self
    }
}

/// A conversation: executions with one session id. Two tenants' conversations of one name are two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SessionRow {
    /// Its id.
    pub session_id: Text,
    /// Whose it is.
    pub tenant_id: Option<Text>,
    /// How many executions it has.
    pub executions: u64,
    /// When its first execution began.
    pub started_at: Timestamp,
    /// When the last of its kept events happened.
    pub last_at: Timestamp,
}
