//! The executions that are open here, by id: a request that comes back to its own process, or a second one of the same
//! trace, is a part of what runs and not a second beginning, whose end would end it for all.

use super::open::{OpenSpan, Role, Run};
use crate::ExecutionId;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

/// As many as spans are open that stand for an execution.
#[derive(Default)]
pub(super) struct Runs(Mutex<HashMap<ExecutionId, Weak<Run>>>);

impl Runs {
    /// Before its start is told.
    pub(super) fn begin(&self, open: &OpenSpan) {
        if !open.announced && !matches!(open.role, Role::Inner(_)) {
            self.held().entry(open.run.execution_id.clone()).or_insert_with(|| Arc::downgrade(&open.run));
        }
    }

    /// Before its end is told: what comes then begins anew.
    pub(super) fn end(&self, open: &OpenSpan) {
        if matches!(open.role, Role::Inner(_)) {
            return;
        }
        let mut held = self.held();
        let id = &open.run.execution_id;
        if held.get(id).is_some_and(|run| run.as_ptr() == Arc::as_ptr(&open.run)) {
            held.remove(id);
        }
    }

    /// The execution of this id, if it runs here.
    pub(super) fn find(&self, id: &ExecutionId) -> Option<Arc<Run>> {
        self.held().get(id)?.upgrade()
    }

    fn held(&self) -> MutexGuard<'_, HashMap<ExecutionId, Weak<Run>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runs").field(&self.held().len()).finish()
    }
}
