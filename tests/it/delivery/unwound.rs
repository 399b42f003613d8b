//! Faults on the thread of a delivery of the user's log, which is asked there: panics, damage. (Panics of our own writing
//! are provoked beside the code, in `src/otlp/delivery/batch_tests.rs`.)

use super::{Collector, LIMIT, Run, destination, ended, flush, flush_at_last};
use crate::hands_on::hands_on;
use spanwright::{
    EventLog, Pending, Recorder,
    log::{MemoryLog, Page, Query, Scope},
    otlp::Signal,
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

/// A log of the user's with a way of its own to be read, which is told how often it was read before.
#[derive(Debug, Clone)]
struct Moody(Arc<(MemoryLog, AtomicU32)>, fn(&MemoryLog, Query, u32) -> Pending<Page>);

impl Moody {
    fn new(read: fn(&MemoryLog, Query, u32) -> Pending<Page>) -> Self {
        Self(Arc::new((MemoryLog::new(), AtomicU32::new(0))), read)
    }
}

impl EventLog for Moody {
    hands_on!(self to self.0.0 => opened_at unfinished append flush last_before resolve sessions executions execution place keep_place close);

    fn read(&self, query: Query) -> Pending<Page> {
        self.1(&self.0.0, query, self.0.1.fetch_add(1, Relaxed))
    }
}

#[test]
fn a_log_that_panics_ends_no_delivery_and_costs_nothing() {
    // Twice in a row: the one may be where the pump only looks how far the log is, which it can do without.
    let now_and_then = |log: &MemoryLog, query, before: u32| {
        assert!(before % 5 < 3, "a bad day");
        log.read(query)
    };
    let (collector, log) = (Collector::taking_all(), Moody::new(now_and_then));
    // Without a live side, all is read in the log.
    let recorder = Recorder::builder().without_hub().log(log.clone()).start().expect("recorder");
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

/// As where the file is damaged at the row of an execution.
fn damaged(log: &MemoryLog, query: Query, _: u32) -> Pending<Page> {
    if !matches!(query.scope, Scope::Execution(_)) {
        return log.read(query);
    }
    let mut event = log.read(query).wait(LIMIT).expect("page").events.remove(0);
    event.fields = "no JSON".into();
    Pending::ready(Err(event.decode().expect_err("damage")))
}

#[test]
fn an_execution_that_cannot_be_read_again_holds_up_no_other() {
    let (collector, log) = (Collector::taking_all(), Moody::new(damaged));
    let recorder = Recorder::builder().log(log).start().expect("recorder");
    let run = Run::begin(&recorder);
    let delivery = super::start(&destination(&collector), &recorder);
    flush(&recorder, &delivery);
    delivery.shutdown(LIMIT).expect("shutdown");
    // The next one has not seen how it began.
    let delivery = super::start(&destination(&collector), &recorder);
    run.end();
    Run::whole(&recorder, 3);
    flush(&recorder, &delivery);
    let stats = delivery.stats(Signal::Traces);
    assert_eq!((stats.accepted, stats.undecodable), (4, 1), "{stats:?}");
}
