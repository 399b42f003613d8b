//! What memory still has once it is in the log is not read there; of everything else the log has the word.

use super::{Collector, LIMIT, Run, collector, count, destination, ended, flush, start};
use crate::hands_on::hands_on;
use spanwright::{
    Answer, EventLog, Pending, Recorder,
    event::{Batch, Ping},
    hub::HubLimits,
    log::{MemoryLog, Page, Query},
    otlp::Signal,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
        mpsc,
    },
    time::Duration,
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

/// A back end that tells of each request and answers none before its other end is dropped.
fn holding() -> (Collector, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let ((asked, ask), (go_on, may_go_on)) = (mpsc::channel(), mpsc::channel::<()>());
    let may_go_on = Mutex::new(may_go_on);
    let collector = Collector::start(move |_| {
        let _ = asked.send(());
        let _ = may_go_on.lock().expect("lock").recv();
        collector::Answer::Taken
    });
    (collector, ask, go_on)
}

#[test]
fn a_flush_amid_a_long_way_through_memory_is_of_all_that_was_logged_when_it_was_asked_for() {
    let (collector, ask, go_on) = holding();
    let (log, recorder) = Watched::recorder(HubLimits::default());
    Run::whole(&recorder, 0);
    let run = Run::begin(&recorder);
    // More than one look takes, and nothing that is sent: none of it ends.
    for _ in 0..20 {
        (0..100).for_each(|_| drop(run.open()));
        recorder.settle().wait(LIMIT).expect("shown");
    }
    let delivery = start(&destination(&collector).interval(LIMIT).batch_spans(1), &recorder);
    ask.recv_timeout(LIMIT).expect("a request");
    Run::whole(&recorder, 1);
    recorder.flush().wait(LIMIT).expect("logged");
    let delivered = delivery.flush();
    drop(go_on);
    delivered.wait(LIMIT).expect("delivered");
    assert_eq!(collector.by_trace(), ended(&log));
    assert_eq!(count(&collector.by_trace()), 1 + 2);
}

#[test]
fn what_comes_while_a_batch_is_sent_waits_for_the_next_look() {
    let ((collector, ask, go_on), (log, recorder)) = (holding(), Watched::recorder(HubLimits::default()));
    Run::whole(&recorder, 0);
    recorder.settle().wait(LIMIT).expect("shown");
    let delivery = start(&destination(&collector).interval(LIMIT), &recorder);
    ask.recv_timeout(LIMIT).expect("a request");
    Run::whole(&recorder, 0);
    recorder.flush().wait(LIMIT).expect("logged");
    drop(go_on);
    // However long: there is none.
    ask.recv_timeout(Duration::from_millis(200)).expect_err("no request");
    Run::whole(&recorder, 0);
    flush(&recorder, &delivery);
    assert_eq!(collector.by_trace(), ended(&log));
    assert_eq!(collector.seen().len(), 2);
}

#[test]
fn nothing_is_left_where_only_what_no_log_keeps_came_after_the_last_that_was_sent() {
    let ((collector, ask, go_on), (_, recorder)) = (holding(), Watched::recorder(HubLimits::default()));
    (0..2).for_each(|_| Run::whole(&recorder, 0));
    (0..10).for_each(|_| recorder.emit(Ping::new()));
    recorder.settle().wait(LIMIT).expect("shown");
    let delivery = start(&destination(&collector).interval(LIMIT).batch_spans(1), &recorder);
    ask.recv_timeout(LIMIT).expect("a request");
    assert!(delivery.shutdown(Duration::ZERO).expect_err("under way").is_timed_out());
    drop(go_on);
    delivery.shutdown(LIMIT).expect("all is delivered");
    let stats = delivery.stats(Signal::Traces);
    assert_eq!((stats.accepted, stats.place, stats.read_to), (2, 14, 14));
}

/// A log that keeps nothing, and does not say so.
#[derive(Debug)]
struct Mute(MemoryLog, Mutex<Vec<Answer<()>>>);

impl EventLog for Mute {
    hands_on!(self to self.0 => opened_at unfinished flush read last_before resolve sessions executions execution place keep_place close);

    fn append(&self, _: Arc<Batch>) -> Pending<()> {
        let (answer, pending) = Pending::asked();
        self.1.lock().expect("lock").push(answer);
        pending
    }
}

#[test]
fn what_the_log_has_not_answered_for_is_not_delivered_though_it_says_that_it_wrote_all() {
    let collector = Collector::taking_all();
    let log = Mute(MemoryLog::new(), Mutex::default());
    let recorder = Recorder::builder().log(log).start().expect("recorder");
    let delivery = start(&destination(&collector), &recorder);
    for _ in 0..3 {
        Run::whole(&recorder, 2);
        flush(&recorder, &delivery);
    }
    assert_eq!(count(&collector.by_trace()), 0);
}

/// A log that keeps nothing, and whose disk takes no flush at first.
#[derive(Debug)]
struct Failing(MemoryLog, AtomicBool);

impl EventLog for Failing {
    hands_on!(self to self.0 => opened_at unfinished read last_before resolve sessions executions execution place keep_place close);

    fn append(&self, _: Arc<Batch>) -> Pending<()> {
        Pending::asked().1
    }

    fn flush(&self) -> Pending<()> {
        if self.1.swap(true, Relaxed) { Pending::ready(Ok(())) } else { Pending::asked().1 }
    }
}

#[test]
fn who_was_told_that_the_disk_failed_is_told_the_next_time_what_was_lost() {
    let log = Failing(MemoryLog::new(), AtomicBool::new(false));
    let recorder = Recorder::builder().log(log).start().expect("recorder");
    Run::whole(&recorder, 2);
    let told = || recorder.flush().wait(LIMIT).expect_err("not all is kept").to_string();
    let (failed, lost) = (told(), told());
    assert!(!failed.contains("events") && lost.contains("6 events"), "{failed}, {lost}");
    recorder.flush().wait(LIMIT).expect("nothing more");
}
