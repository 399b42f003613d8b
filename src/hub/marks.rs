//! `Marks`: whose events a segment may hold, so that readers pass over most segments without a look inside.

use super::known::slot;
use crate::{ExecutionId, Text, event::Batch};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A bit for each slot of executions, and of tenants. Of what is wanted none means all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    executions: u64,
    tenants: u64,
}

impl Marks {
    /// Events of no execution are for everyone.
    pub(super) fn of(batch: &Batch) -> Self {
        let mut marks = Self::default();
        let mut last = None;
        for recorded in &batch.events {
            let Some(id) = &recorded.event.execution_id else {
                return Self { executions: u64::MAX, tenants: u64::MAX };
            };
            marks.executions |= execution(id);
            if last != Some(&recorded.tenant_id) {
                marks.tenants |= recorded.tenant_id.as_ref().map_or(0, tenant);
                last = Some(&recorded.tenant_id);
            }
        }
        marks
    }

    /// Of a reader of this execution alone, of this tenant alone.
    pub(super) fn wanted(execution_id: Option<&ExecutionId>, tenant_id: Option<&Text>) -> Self {
        Self { executions: execution_id.map_or(0, execution), tenants: tenant_id.map_or(0, tenant) }
    }

    /// False when nothing that is wanted is here; true when something may be.
    pub(super) fn may_hold(self, wanted: Self) -> bool {
        let holds = |held: u64, wanted: u64| wanted == 0 || held & wanted != 0;
        holds(self.executions, wanted.executions) && holds(self.tenants, wanted.tenants)
    }
}

fn execution(id: &ExecutionId) -> u64 {
    1 << slot(id)
}

fn tenant(tenant_id: &Text) -> u64 {
    let mut hasher = DefaultHasher::new();
    tenant_id.hash(&mut hasher);
    1 << (hasher.finish() >> 58)
}
