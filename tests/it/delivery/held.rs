//! What memory still has once it is in the log is not read there; of everything else the log has the word.

use super::{Collector, LIMIT, Run, count, destination, ended, flush, start};
use crate::hands_on::hands_on;
use spanwright::{
    EventLog, Pending, Recorder,
    event::Batch,
    hub::HubLimits,
    log::{MemoryLog, Page, Query},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
};

/// A log that counts how often it is read on, and keeps nothing while it is told so.
#[derive(Debug, Clone)]
struct Watched(Arc<(MemoryLog, AtomicU32, AtomicBool)>);

impl EventLog for Watched {
    hands_on!(self to self.0.0 => opened_at unfinished flush last_before resolve sessions executions execution place keep_place close);

    fn append(&self, batch: Arc<Batch>) -> Pending<()> {
        match self.0.2.load(Relaxed) {
            // Nobody will answer.
            true => Pending::asked().1,
            false => self.0.0.append(batch),
        }
    }

    fn read(&self, query: Query) -> Pending<Page> {
        self.0.1.fetch_add(u32::from(query.before.is_none()), Relaxed);
        self.0.0.read(query)
    }
}

impl Watched {
    fn recorder(hub: HubLimits) -> (Self, Recorder) {
        let log = Self(Arc::new((MemoryLog::new(), AtomicU32::new(0), AtomicBool::new(false))));
        let recorder = Recorder::builder().log(log.clone()).hub(hub).start().expect("recorder");
        (log, recorder)
    }

    fn reads(&self) -> u32 {
        self.0.1.load(Relaxed)
    }

    fn forgets(&self, is_so: bool) {
        self.0.2.store(is_so, Relaxed);
    }
}

#[test]
fn what_memory_still_has_is_not_read_in_the_log() {
    let (collector, (log, recorder)) = (Collector::taking_all(), Watched::recorder(HubLimits::default()));
    let delivery = start(&destination(&collector), &recorder);
    for steps in 0..400 {
        Run::whole(&recorder, steps % 5);
        if steps % 100 == 0 {
            flush(&recorder, &delivery);
        }
    }
    flush(&recorder, &delivery);
    assert_eq!(log.reads(), 0);
    assert_eq!(collector.by_trace(), ended(&log));
}

#[test]
fn what_memory_has_not_any_more_is_read_in_the_log() {
    let (collector, (log, recorder)) = (Collector::taking_all(), Watched::recorder(HubLimits::new(8, 1 << 20)));
    let delivery = start(&destination(&collector).interval(LIMIT), &recorder);
    for round in 0..5 {
        let run = Run::begin(&recorder);
        run.step();
        flush(&recorder, &delivery);
        run.step();
        for _ in 0..10 {
            Run::whole(&recorder, 3);
            // What comes in one go is held in one piece.
            recorder.settle().wait(LIMIT).expect("shown");
        }
        run.end();
        flush(&recorder, &delivery);
        assert!(log.reads() > round);
    }
    assert_eq!(collector.by_trace(), ended(&log));
}

#[test]
fn what_the_log_could_not_keep_is_not_delivered_and_who_flushes_is_told_all_the_same() {
    let (collector, (log, recorder)) = (Collector::taking_all(), Watched::recorder(HubLimits::default()));
    let delivery = start(&destination(&collector), &recorder);
    Run::whole(&recorder, 2);
    let run = Run::begin(&recorder);
    run.step();
    flush(&recorder, &delivery);
    log.forgets(true);
    run.step();
    Run::whole(&recorder, 2);
    recorder.settle().wait(LIMIT).expect("shown");
    delivery.flush().wait(LIMIT).expect("nothing to deliver");
    log.forgets(false);
    run.end();
    Run::whole(&recorder, 1);
    recorder.settle().wait(LIMIT).expect("shown");
    delivery.flush().wait(LIMIT).expect("delivered");
    let lost = recorder.flush().wait(LIMIT).expect_err("lost");
    assert!(lost.to_string().contains("8 events"), "{lost}");
    flush(&recorder, &delivery);
    assert_eq!(collector.by_trace(), ended(&log));
    assert_eq!(count(&collector.by_trace()), 3 + 2 + 2);
}
