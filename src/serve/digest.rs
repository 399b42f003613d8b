//! What is told of executions in few words: folded from the newest events of each, and remembered until it changes.

use super::{
    App,
    failure::Failure,
    record::{Place, Record, Wanted},
};
use crate::{
    Cursor, ExecutionId, Text,
    event::{Kind, KindSet},
    log::{ExecutionRow, LoggedEvent, Scope},
    view::{Inert, Run, Summary, Task},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed},
};

/// An execution is folded from so many of its newest events: usage carries sums over the whole execution, and what runs
/// or waits was told lately.
const EVENTS: usize = 4_000;
/// Tasks told of one execution: itself and the agents inside it that were seen first.
const TASKS: usize = 256;
/// Executions that are remembered. Each is some hundred bytes, or some ten thousand where it has many agents.
const REMEMBERED: usize = 1_024;

/// What is told of an execution.
#[derive(Debug, Clone)]
pub(super) struct Digest {
    pub(super) summary: Summary,
    pub(super) tasks: Vec<Task>,
    /// Not all of them fit.
    pub(super) more_tasks: bool,
    pub(super) title: Option<Inert>,
    pub(super) parent_id: Option<Text>,
}

/// Digests, each with the cursor of the last event that went into it.
#[derive(Debug, Default)]
pub(super) struct Digests(Mutex<HashMap<ExecutionId, (Cursor, Arc<Digest>)>>);

impl Digests {
    fn get(&self, row: &ExecutionRow) -> Option<Arc<Digest>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&row.execution_id).filter(|(cursor, _)| *cursor == row.cursor).map(|(_, digest)| digest.clone())
    }

    /// Past the bound all are forgotten: they can be made again.
    fn put(&self, row: &ExecutionRow, digest: Arc<Digest>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(row.execution_id.clone(), (row.cursor, digest));
    }
}

impl Record<'_> {
    /// What is told of an execution; none where it would have to be made, and enough was made for this answer already.
    pub(super) async fn digest(&self, app: &App, row: &ExecutionRow) -> Result<Option<Arc<Digest>>, Failure> {
        if let Some(known) = app.digests.get(row) {
            return Ok(Some(known));
        }
        if self.budget.load(Relaxed) == 0 {
            return Ok(None);
        }
        let (run, complete) = self.run(row).await?;
        let mut tasks = run.tasks(&Text::from(row.execution_id.to_string()));
        let more_tasks = tasks.len() > TASKS;
        tasks.truncate(TASKS);
        let summary = run.summary(complete);
        let (title, parent_id) = (run.title().cloned(), run.parent_id().cloned());
        let digest = Arc::new(Digest { summary, tasks, more_tasks, title, parent_id });
        app.digests.put(row, digest.clone());
        Ok(Some(digest))
    }

    /// The newest events of an execution, folded, after its first one, which says what it is, and after the last one that
    /// has its sums, should that be older; and whether these are all.
    pub(super) async fn run(&self, row: &ExecutionRow) -> Result<(Run, bool), Failure> {
        let wanted = |from, kinds: KindSet, limit| Wanted {
            scope: Scope::Execution(row.execution_id.clone()),
            from,
            tenant: None,
            kinds,
            limit,
        };
        // Up to what the row speaks of, so that both say the same.
        let newest = self.page(&wanted(Place::Before(row.cursor.offset + 1), KindSet::ALL, EVENTS)).await?;
        // One answer is made by one task.
        self.budget.store(self.budget.load(Relaxed).saturating_sub(newest.events.len()), Relaxed);
        let mut run = Run::new();
        if !newest.complete {
            let first = self.page(&wanted(Place::After(0), KindSet::ALL, 1)).await?;
            fold(&mut run, &first.events);
            if !newest.events.iter().any(|event| event.kind == Kind::TokenUsage) {
                let before = Place::Before(newest.rest.offset);
                fold(&mut run, &self.page(&wanted(before, Kind::TokenUsage.into(), 1)).await?.events);
            }
        }
        fold(&mut run, newest.events.iter().rev());
        Ok((run, newest.complete))
    }
}

/// What cannot be read back is left out.
fn fold<'a>(run: &mut Run, events: impl IntoIterator<Item = &'a LoggedEvent>) {
    events.into_iter().filter_map(|event| event.to_stream().ok()).for_each(|event| run.apply(&event));
}
