//! What the log says of a destination's place, and does not say.

use super::{Collector, LIMIT, Run, destination, flush, flush_at_last, recorder_on, start};
use crate::{hands_on::hands_on, scratch::Scratch};
use rusqlite::Connection;
use spanwright::{
    EventLog, Pending, Recorder, Text,
    log::{MemoryLog, Page, Query},
    otlp::Signal,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// Some offset of another is worse than none.
#[test]
fn a_place_that_is_damaged_keeps_no_program_from_its_start() {
    let (scratch, collector) = (Scratch::new(), Collector::taking_all());
    let path = scratch.file("log.db");
    let before = recorder_on(&path);
    let delivery = start(&destination(&collector), &before);
    Run::begin(&before).end();
    flush(&before, &delivery);
    drop(delivery);
    // Nobody sends this.
    Run::begin(&before).end();
    before.shutdown(LIMIT).expect("shutdown");
    drop(before);
    let outside = Connection::open(&path).expect("open");
    assert_eq!(outside.execute("UPDATE places SET offset = 'far'", ()).expect("damage"), 1);
    let after = recorder_on(&path);
    let delivery = start(&destination(&collector), &after);
    let stats = delivery.stats(Signal::Traces);
    assert_eq!(stats.undecodable, 1);
    assert!(stats.last_error.expect("told").contains("damaged; it is delivered from this start on"));
    let run = Run::begin(&after);
    let id = run.id.trace_id();
    run.end();
    flush(&after, &delivery);
    assert_eq!(collector.spans().len(), 2, "the first, and what came after the start");
    assert_eq!(collector.spans().last().expect("a span").trace_id, id);
    let stored: i64 = outside.query_row("SELECT offset FROM places", (), |row| row.get(0)).expect("sound again");
    assert_eq!(stored as u64, delivery.stats(Signal::Traces).place);
}

/// As where the page is damaged that it stands on.
#[test]
fn a_place_that_cannot_be_kept_either_holds_up_no_spans() {
    let (scratch, collector) = (Scratch::new(), Collector::taking_all());
    let path = scratch.file("log.db");
    let before = recorder_on(&path);
    drop(start(&destination(&collector), &before));
    before.shutdown(LIMIT).expect("shutdown");
    drop(before);
    let outside = Connection::open(&path).expect("open");
    let damage = "CREATE TABLE gone AS SELECT * FROM places; DROP TABLE places; \
                  CREATE VIEW places AS SELECT name, 'far' AS offset FROM gone";
    outside.execute_batch(damage).expect("damage");
    let after = recorder_on(&path);
    let delivery = start(&destination(&collector), &after);
    for spans in 1..4 {
        Run::begin(&after).end();
        after.flush().wait(LIMIT).expect("logged");
        assert!(delivery.flush().wait(LIMIT).expect_err("not kept").to_string().contains("place of a reader"));
        assert_eq!(collector.spans().len(), spans, "each once");
    }
    assert!(delivery.stats(Signal::Traces).last_error.expect("told").contains("place of a reader"));
    outside.execute_batch("PRAGMA busy_timeout = 5000; DROP VIEW places").expect("mended");
    flush_at_last(&after, &delivery);
    let stats = delivery.stats(Signal::Traces);
    assert_eq!((stats.accepted, stats.place), (3, stats.read_to));
}

/// A log that fails as long as it is told to.
#[derive(Debug, Clone)]
struct Failing(Arc<(MemoryLog, AtomicBool)>);

impl EventLog for Failing {
    hands_on!(self to self.0.0 => opened_at unfinished append flush last_before resolve sessions executions execution place close);

    fn read(&self, query: Query) -> Pending<Page> {
        match self.0.1.load(Relaxed) {
            true => Pending::ready(Err(spanwright::StreamEvent::from_json("the disk is away").expect_err("no event"))),
            false => self.0.0.read(query),
        }
    }

    fn keep_place(&self, name: Text, offset: u64) -> Pending<()> {
        self.0.0.keep_place(name, offset)
    }
}

#[test]
fn what_the_log_said_last_is_told_without_a_flush() {
    let (collector, log) = (Collector::taking_all(), Failing(Arc::new((MemoryLog::new(), AtomicBool::new(false)))));
    let recorder = Recorder::builder().log(log.clone()).start().expect("recorder");
    let delivery = destination(&collector).start(recorder.log().expect("log").clone()).expect("delivery");
    assert_eq!(delivery.stats(Signal::Traces).last_error, None);
    log.0.1.store(true, Relaxed);
    Run::begin(&recorder).end();
    recorder.flush().wait(LIMIT).expect("logged");
    let told = delivery.flush().wait(LIMIT).expect_err("it cannot be read");
    let last = delivery.stats(Signal::Traces).last_error.expect("told");
    assert!(told.to_string().contains(&last), "{told}: {last}");
    log.0.1.store(false, Relaxed);
    flush_at_last(&recorder, &delivery);
    assert_eq!(collector.spans().len(), 1);
}
