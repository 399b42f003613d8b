//! Panics on the thread of a delivery: of the user's log, which is asked there. (Those of our own writing are provoked
//! beside the code, in `src/otlp/batch_tests.rs`.)

use super::{Collector, Run, destination, ended, flush_at_last};
use spanwright::{
    Cursor, ExecutionId, Pending, Recorder, Text,
    event::{Batch, OpenThings},
    log::{
        EventLog, ExecutionRow, ExecutionsQuery, LoggedEvent, MemoryLog, Page, Query, Resolved, SessionRow,
        SessionsQuery,
    },
    otlp::Signal,
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

/// A log of the user's that panics every third time that it is read.
#[derive(Debug, Clone)]
struct Moody(Arc<(MemoryLog, AtomicU32)>);

impl EventLog for Moody {
    fn opened_at(&self) -> Cursor {
        self.0.0.opened_at()
    }

    fn unfinished(&self) -> Pending<Vec<OpenThings>> {
        self.0.0.unfinished()
    }

    fn append(&self, batch: Arc<Batch>) -> Pending<()> {
        self.0.0.append(batch)
    }

    fn flush(&self) -> Pending<()> {
        self.0.0.flush()
    }

    fn read(&self, query: Query) -> Pending<Page> {
        assert!(self.0.1.fetch_add(1, Relaxed) % 3 != 2, "a bad day");
        self.0.0.read(query)
    }

    fn last_before(&self, id: ExecutionId, offset: u64) -> Pending<Option<LoggedEvent>> {
        self.0.0.last_before(id, offset)
    }

    fn resolve(&self, cursor: Cursor) -> Pending<Resolved> {
        self.0.0.resolve(cursor)
    }

    fn executions(&self, query: ExecutionsQuery) -> Pending<Vec<ExecutionRow>> {
        self.0.0.executions(query)
    }

    fn execution(&self, id: ExecutionId) -> Pending<Option<ExecutionRow>> {
        self.0.0.execution(id)
    }

    fn sessions(&self, query: SessionsQuery) -> Pending<Vec<SessionRow>> {
        self.0.0.sessions(query)
    }

    fn place(&self, name: Text) -> Pending<Option<u64>> {
        self.0.0.place(name)
    }

    fn keep_place(&self, name: Text, offset: u64) -> Pending<()> {
        self.0.0.keep_place(name, offset)
    }

    fn close(&self) -> Pending<()> {
        self.0.0.close()
    }
}

#[test]
fn a_log_that_panics_ends_no_delivery_and_costs_nothing() {
    let (collector, log) = (Collector::taking_all(), Moody(Arc::new((MemoryLog::new(), AtomicU32::new(0)))));
    let recorder = Recorder::builder().log(log.clone()).start().expect("recorder");
    let delivery = super::start(&destination(&collector).batch_spans(5), &recorder);
    for _ in 0..10 {
        let run = Run::begin(&recorder);
        run.step();
        flush_at_last(&recorder, &delivery);
        run.step();
        run.end();
        flush_at_last(&recorder, &delivery);
    }
    assert_eq!(collector.by_trace(), ended(&log.0.0));
    let stats = delivery.stats(Signal::Traces);
    assert!(stats.failures > 0 && stats.last_error.expect("told").contains("panic"));
}
