//! The executions that run now, by id.

use super::Control;
use crate::ExecutionId;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    controls: HashMap<ExecutionId, Arc<Control>>,
    /// In the order in which they began; some may be over.
    began: VecDeque<ExecutionId>,
}

/// Executions that can be steered at a time: beyond it the oldest runs on and cannot be reached any more.
const MAX_RUNNING: usize = 65_536;

impl Running {
    /// The execution that began, or that is spoken of from inside.
    pub(crate) fn begin(&self, id: &ExecutionId) -> Arc<Control> {
        let mut table = self.table();
        if let Some(control) = table.controls.get(id) {
            return control.clone();
        }
        let control = Arc::<Control>::default();
        table.controls.insert(id.clone(), control.clone());
        table.began.push_back(id.clone());
        table.bound();
        control
    }

    pub(crate) fn find(&self, id: &ExecutionId) -> Option<Arc<Control>> {
        self.table().controls.get(id).cloned()
    }

    pub(crate) fn end(&self, id: &ExecutionId) {
        let ended = self.table().controls.remove(id);
        if let Some(control) = ended {
            control.end();
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn bound(&mut self) {
        if self.began.len() > 2 * self.controls.len().max(64) {
            let controls = &self.controls;
            self.began.retain(|id| controls.contains_key(id));
        }
        while self.controls.len() > MAX_RUNNING
            && let Some(oldest) = self.began.pop_front()
        {
            self.controls.remove(&oldest);
        }
    }
}
