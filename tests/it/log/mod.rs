//! The record: what every log promises, and what only a file can show.

mod back;
mod damage;
mod each;
mod file;
mod jsonl;
mod places;
mod roots;
mod whose;

use crate::scratch::Scratch;
use spanwright::{
    Cursor, EventLog, ExecutionId, StepId, StreamEvent, Timestamp,
    event::{Batch, Body, Recorded, StepStart, StepType},
    log::{LoggedEvent, MemoryLog, Page, Query, Scope, SqliteLog},
};
use std::{path::Path, sync::Arc, time::Duration};

const LIMIT: Duration = Duration::from_secs(60);

/// Numbers events as the recorder does, and appends them.
struct Gate<'a> {
    log: &'a dyn EventLog,
    next: Cursor,
    executions: Vec<(ExecutionId, u64, u64)>,
}

impl<'a> Gate<'a> {
    fn new(log: &'a dyn EventLog) -> Self {
        let at = log.opened_at();
        Self { log, next: Cursor::new(at.epoch, at.offset + 1), executions: Vec::new() }
    }

    fn number(&mut self, event: StreamEvent) -> Recorded {
        let id = event.execution_id.clone().expect("execution");
        let at = self.executions.iter().position(|(known, ..)| *known == id).unwrap_or_else(|| {
            let row = self.log.execution(id.clone()).wait(LIMIT).expect("row");
            let (sequence, pieces) = row.map_or((0, 0), |row| (row.events, row.pieces));
            self.executions.push((id.clone(), sequence, pieces));
            self.executions.len() - 1
        });
        let (_, sequence, pieces) = &mut self.executions[at];
        let mut recorded = Recorded::new(event, 0, 0, true);
        *(if recorded.is_piece() { &mut *pieces } else { &mut *sequence }) += 1;
        (recorded.sequence, recorded.pieces) = (*sequence, *pieces);
        if let Body::ExecutionStart(start) = &recorded.event.body {
            recorded.tenant_id.clone_from(&start.tenant_id);
        }
        recorded
    }

    fn batch(&mut self, events: impl IntoIterator<Item = StreamEvent>) -> Arc<Batch> {
        let events: Vec<_> = events.into_iter().map(|event| self.number(event)).collect();
        let batch = Batch::new(self.next, events);
        self.next = Cursor::new(self.next.epoch, batch.end());
        Arc::new(batch)
    }

    fn append(&mut self, events: impl IntoIterator<Item = StreamEvent>) {
        let batch = self.batch(events);
        self.log.append(batch).wait(LIMIT).expect("append");
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_763_692_800_000 + millis).expect("time")
}

fn event(id: &ExecutionId, body: impl Into<Body>) -> StreamEvent {
    StreamEvent::new(body).of_execution(id.clone()).at(at(0))
}

fn step(id: &ExecutionId, name: &str) -> StreamEvent {
    event(id, StepStart::new(StepType::FunctionNode, name)).of_step(StepId::new())
}

fn steps<'a>(id: &'a ExecutionId, names: std::ops::Range<u32>) -> impl Iterator<Item = StreamEvent> + 'a {
    names.map(move |name| step(id, &name.to_string()))
}

fn read(log: &dyn EventLog, query: Query) -> Page {
    log.read(query).wait(LIMIT).expect("page")
}

fn read_all(log: &dyn EventLog, scope: Scope) -> Vec<LoggedEvent> {
    read(log, Query::new(scope, 0, 1_000_000)).events
}

fn names(events: &[LoggedEvent]) -> Vec<String> {
    let name = |event: &LoggedEvent| match event.to_stream().expect("readable").body {
        Body::StepStart(start) => start.name.to_string(),
        other => other.tag().to_owned(),
    };
    events.iter().map(name).collect()
}

/// What a crash would leave behind: the files as they are, under another name.
fn crash_image(log: &SqliteLog, scratch: &Scratch, name: &str) -> std::path::PathBuf {
    let copy = scratch.file(name);
    for suffix in ["", "-wal"] {
        let with = |path: &Path| format!("{}{suffix}", path.display());
        std::fs::copy(with(log.path()), with(&copy)).expect("copy");
    }
    copy
}

/// The same promises, of each log.
fn of_each_log(promise: impl Fn(&dyn EventLog)) {
    promise(&MemoryLog::new());
    let scratch = Scratch::new();
    promise(&SqliteLog::open(scratch.file("log.db")).expect("open"));
}
