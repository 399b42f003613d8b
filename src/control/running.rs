//! The executions that run now, by id.

use super::Control;
use crate::ExecutionId;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    controls: HashMap<ExecutionId, Entry>,
    /// The same in the order in which they began: neither has what the other has not.
    began: BTreeMap<u64, ExecutionId>,
    /// How many have begun so far.
    count: u64,
}

#[derive(Debug)]
struct Entry {
    control: Arc<Control>,
    began: u64,
}

/// Executions that can be steered at a time: beyond it the oldest runs on and cannot be reached any more.
const MAX_RUNNING: usize = 65_536;

impl Running {
    /// An execution began. Of two with one id the second is the first: the end of either is the end of both.
    pub(crate) fn begin(&self, id: &ExecutionId) {
        let forgotten = self.table().begin(id);
        if let Some(control) = forgotten {
            control.end();
        }
    }

    pub(crate) fn find(&self, id: &ExecutionId) -> Option<Arc<Control>> {
        self.table().controls.get(id).map(|entry| entry.control.clone())
    }

    pub(crate) fn end(&self, id: &ExecutionId) {
        let ended = self.table().remove(id);
        if let Some(control) = ended {
            control.end();
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// What is forgotten for it. Nobody can reach that any more, so that whoever waits in it must be let go.
    fn begin(&mut self, id: &ExecutionId) -> Option<Arc<Control>> {
        if self.controls.contains_key(id) {
            return None;
        }
        self.count += 1;
        self.controls.insert(id.clone(), Entry { control: Arc::default(), began: self.count });
        self.began.insert(self.count, id.clone());
        if self.controls.len() <= MAX_RUNNING {
            return None;
        }
        let (_, oldest) = self.began.pop_first()?;
        self.controls.remove(&oldest).map(|entry| entry.control)
    }

    fn remove(&mut self, id: &ExecutionId) -> Option<Arc<Control>> {
        let Entry { control, began } = self.controls.remove(id)?;
        self.began.remove(&began);
        Some(control)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_RUNNING, Running};
    use crate::ExecutionId;

    fn lengths(running: &Running) -> (usize, usize) {
        let table = running.table();
        (table.controls.len(), table.began.len())
    }

    #[test]
    fn an_id_that_begins_again_and_again_is_remembered_once() {
        let (running, [open, again]) = (Running::default(), [ExecutionId::new(), ExecutionId::new()]);
        running.begin(&open);
        for _ in 0..1_000 {
            running.begin(&again);
            running.end(&again);
        }
        running.begin(&again);
        assert_eq!(lengths(&running), (2, 2));
    }

    #[test]
    fn past_the_bound_the_oldest_is_forgotten_and_nobody_is_left_waiting_in_it() {
        let (running, oldest) = (Running::default(), ExecutionId::new());
        running.begin(&oldest);
        let control = running.find(&oldest).expect("it runs");
        control.pause(|| ());
        for _ in 0..MAX_RUNNING {
            running.begin(&ExecutionId::new());
        }
        assert!(running.find(&oldest).is_none());
        assert_eq!(control.go_on_blocking(), Ok(()));
        assert_eq!(lengths(&running), (MAX_RUNNING, MAX_RUNNING));
    }
}
