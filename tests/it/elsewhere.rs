//! A log that answers from a thread of its own, a little later, as real ones do.

use spanwright::{
    Cursor, ExecutionId, Pending, Text,
    event::{Batch, OpenThings},
    log::{
        EventLog, ExecutionRow, ExecutionsQuery, LoggedEvent, MemoryLog, Page, Query, Resolved, SessionRow,
        SessionsQuery,
    },
};
use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

const LIMIT: Duration = Duration::from_secs(60);

type Question = Box<dyn FnOnce(&MemoryLog) + Send>;

#[derive(Debug)]
pub(crate) struct Elsewhere {
    log: Arc<MemoryLog>,
    questions: mpsc::Sender<Question>,
}

impl Elsewhere {
    pub(crate) fn new() -> Self {
        let (questions, asked) = mpsc::channel::<Question>();
        let log = Arc::new(MemoryLog::new());
        let own = log.clone();
        thread::spawn(move || asked.iter().for_each(|question| question(&own)));
        Self { log, questions }
    }

    fn ask<T: Send + 'static>(&self, question: impl FnOnce(&MemoryLog) -> Pending<T> + Send + 'static) -> Pending<T> {
        let (answer, pending) = Pending::asked();
        let asked = Box::new(move |log: &MemoryLog| {
            thread::yield_now();
            answer.give(question(log).wait(LIMIT));
        });
        self.questions.send(asked).expect("it answers");
        pending
    }
}

impl EventLog for Elsewhere {
    fn opened_at(&self) -> Cursor {
        self.log.opened_at()
    }

    fn unfinished(&self) -> Pending<Vec<OpenThings>> {
        self.ask(MemoryLog::unfinished)
    }

    fn append(&self, batch: Arc<Batch>) -> Pending<()> {
        self.ask(|log| log.append(batch))
    }

    fn flush(&self) -> Pending<()> {
        self.ask(MemoryLog::flush)
    }

    fn read(&self, query: Query) -> Pending<Page> {
        self.ask(|log| log.read(query))
    }

    fn last_before(&self, id: ExecutionId, offset: u64) -> Pending<Option<LoggedEvent>> {
        self.ask(move |log| log.last_before(id, offset))
    }

    fn resolve(&self, cursor: Cursor) -> Pending<Resolved> {
        self.ask(move |log| log.resolve(cursor))
    }

    fn executions(&self, query: ExecutionsQuery) -> Pending<Vec<ExecutionRow>> {
        self.ask(|log| log.executions(query))
    }

    fn sessions(&self, query: SessionsQuery) -> Pending<Vec<SessionRow>> {
        self.ask(|log| log.sessions(query))
    }

    fn execution(&self, id: ExecutionId) -> Pending<Option<ExecutionRow>> {
        self.ask(|log| log.execution(id))
    }

    fn place(&self, name: Text) -> Pending<Option<u64>> {
        self.ask(|log| log.place(name))
    }

    fn keep_place(&self, name: Text, offset: u64) -> Pending<()> {
        self.ask(move |log| log.keep_place(name, offset))
    }

    fn close(&self) -> Pending<()> {
        self.ask(MemoryLog::close)
    }
}
