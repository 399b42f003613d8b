//! Many executions: what the gate remembers of them is bounded, and costs no disk for each.

use spanwright::{
    ExecutionId, Pending, Recorder, StreamEvent,
    event::{Body, ExecutionEnd, ExecutionStart, TextDelta, TextEnd, TextStart},
    log::{EventLog, ExecutionRow, MemoryLog},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const SOON: Duration = Duration::from_secs(60);

/// A log that counts what it is asked.
#[derive(Debug, Clone)]
struct Counting(Arc<(MemoryLog, AtomicUsize, AtomicUsize)>);

impl Counting {
    fn new() -> Self {
        Self(Arc::new((MemoryLog::new(), AtomicUsize::new(0), AtomicUsize::new(0))))
    }

    fn flushes(&self) -> usize {
        self.0.1.load(Ordering::Relaxed)
    }

    fn questions(&self) -> usize {
        self.0.2.load(Ordering::Relaxed)
    }
}

impl EventLog for Counting {
    crate::hands_on::hands_on!(self to self.0.0 => opened_at unfinished append read last_before resolve sessions executions place keep_place close);

    fn flush(&self) -> Pending<()> {
        self.0.1.fetch_add(1, Ordering::Relaxed);
        self.0.0.flush()
    }

    fn execution(&self, id: ExecutionId) -> Pending<Option<ExecutionRow>> {
        self.0.2.fetch_add(1, Ordering::Relaxed);
        self.0.0.execution(id)
    }
}

fn run(recorder: &Recorder, id: &ExecutionId) {
    recorder.emit(StreamEvent::from(ExecutionStart::new()).of_execution(id.clone()));
    recorder.emit(StreamEvent::from(ExecutionEnd::new(1)).of_execution(id.clone()));
}

fn settle(recorder: &Recorder) {
    recorder.settle().wait(SOON).expect("settle");
}

/// As OpenTelemetry draws its trace ids: their digits are no time.
fn drawn_by_lot() -> ExecutionId {
    ExecutionId::from_trace_id(fastrand::u128(..) | 1 << 127)
}

#[test]
fn an_execution_that_was_made_here_is_not_looked_for_in_the_log() {
    let log = Counting::new();
    let recorder = Recorder::builder().log(log.clone()).start().expect("start");
    for n in 0..10_000 {
        run(&recorder, &ExecutionId::new());
        if n % 1_000 == 0 {
            settle(&recorder);
        }
    }
    settle(&recorder);
    assert!(log.questions() < 100, "{} questions", log.questions());
}

#[test]
fn an_execution_with_an_id_of_another_tracer_costs_no_flush_of_its_own() {
    let log = Counting::new();
    let recorder = Recorder::builder().log(log.clone()).start().expect("start");
    let ids: Vec<_> = (0..10_000).map(|_| drawn_by_lot()).collect();
    for (n, id) in ids.iter().enumerate() {
        run(&recorder, id);
        if n % 1_000 == 0 {
            settle(&recorder);
        }
    }
    settle(&recorder);
    assert!(log.flushes() < 20, "{} flushes", log.flushes());
    // One that is long forgotten goes on where it was.
    let last = &ids[0];
    run(&recorder, last);
    recorder.flush().wait(SOON).expect("flush");
    let row = log.execution(last.clone()).wait(SOON).expect("a row").expect("it is there");
    assert_eq!(row.events, 4);
}

#[test]
fn an_execution_that_runs_for_long_is_not_forgotten_for_those_that_ended_meanwhile() {
    let recorder = Recorder::builder().start().expect("start");
    let long = recorder.emitter();
    long.emit(TextStart::new("t"));
    long.emit(TextDelta::new("t", "from the beginning "));
    for n in 0..70_000 {
        run(&recorder, &ExecutionId::new());
        if n % 5_000 == 0 {
            settle(&recorder);
        }
    }
    let mut stream = long.subscribe();
    long.emit(TextEnd::new("t"));
    settle(&recorder);
    let Some(Body::TextEnd(end)) = stream.try_next().map(|event| event.body) else { panic!("an end") };
    assert_eq!(end.final_text.as_deref(), Some("from the beginning "));
}

#[test]
fn an_execution_that_comes_back_is_not_taken_for_the_one_that_was_forgotten() {
    let log = Counting::new();
    let recorder = Recorder::builder().log(log.clone()).start().expect("start");
    let first = ExecutionId::new();
    run(&recorder, &first);
    (0..4_096).for_each(|_| run(&recorder, &ExecutionId::new()));
    settle(&recorder);
    // It and 1,023 others that ended are forgotten now. Up to the bound on all:
    for n in 0..65_536 - 3_073 {
        recorder.emit(StreamEvent::from(ExecutionStart::new()).of_execution(ExecutionId::new()));
        if n % 5_000 == 0 {
            settle(&recorder);
        }
    }
    run(&recorder, &first);
    recorder.flush().wait(SOON).expect("flush");
    let row = log.execution(first).wait(SOON).expect("a row").expect("it is there");
    assert_eq!(row.events, 4);
}
