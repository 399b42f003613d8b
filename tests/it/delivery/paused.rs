//! What went on in another process, was left open by a crash, or was forgotten meanwhile: one trace, each span once.

use super::{Collector, LIMIT, Run, count, destination, ended, flush, recorder, recorder_on, start};
use crate::scratch::Scratch;
use spanwright::{
    StepId,
    event::{ExecutionEnd, ExecutionPaused, ExecutionResumed, ExecutionStart},
    otlp::Signal,
};
use std::collections::HashSet;

#[test]
fn a_run_that_waited_for_a_human_and_went_on_in_another_process_is_one_trace_with_one_root() {
    let (scratch, collector) = (Scratch::new(), Collector::taking_all());
    let path = scratch.file("log.db");
    let to = destination(&collector);
    let before = recorder_on(&path);
    let delivery = start(&to, &before);
    let run = Run::begin(&before);
    let (id, root, trace) = (run.id.clone(), run.root.clone(), run.id.trace_id());
    let first = run.step();
    run.emit(&root, ExecutionPaused::new("a person"));
    flush(&before, &delivery);
    drop((delivery, run));
    before.shutdown(LIMIT).expect("shutdown");
    let after = recorder_on(&path);
    assert!(after.recovered().is_empty(), "what is paused is not lost");
    let delivery = start(&to, &after);
    let run = Run { id, root: root.clone(), recorder: after.clone() };
    run.emit(&root, ExecutionResumed::new());
    let second = run.step();
    run.end();
    flush(&after, &delivery);
    let spans = collector.spans();
    let told: Vec<_> = spans.iter().map(|span| (span.trace_id, span.span_id, span.parent)).collect();
    let child = |step: &StepId| (trace, step.span_id(), root.span_id());
    assert_eq!(told, [child(&first), child(&second), (trace, root.span_id(), 0)]);
}

#[test]
fn a_run_that_goes_on_under_a_start_of_its_own_still_has_one_root() {
    let (scratch, collector) = (Scratch::new(), Collector::taking_all());
    let path = scratch.file("log.db");
    let to = destination(&collector);
    let before = recorder_on(&path);
    let delivery = start(&to, &before);
    let run = Run::begin(&before);
    let (id, root) = (run.id.clone(), run.root.clone());
    run.emit(&root, ExecutionPaused::new("a person"));
    flush(&before, &delivery);
    drop((delivery, run));
    before.shutdown(LIMIT).expect("shutdown");
    let after = recorder_on(&path);
    let delivery = start(&to, &after);
    let again = StepId::new();
    let run = Run { id, root: again.clone(), recorder: after.clone() };
    run.emit(&again, ExecutionStart::new().name("agent"));
    let step = run.step();
    run.emit(&again, ExecutionEnd::new(1));
    flush(&after, &delivery);
    let told: Vec<_> = collector.spans().iter().map(|span| (span.span_id, span.parent)).collect();
    let [step, again, root] = [step, again, root].map(|step| step.span_id());
    assert_eq!(told, [(step, again), (again, root), (root, 0)]);
}

#[test]
fn what_a_crash_left_open_leaves_at_the_next_start_children_first() {
    let (scratch, collector) = (Scratch::new(), Collector::taking_all());
    let path = scratch.file("log.db");
    let to = destination(&collector);
    let before = recorder_on(&path);
    let delivery = start(&to, &before);
    let run = Run::begin(&before);
    let (trace, root, done) = (run.id.trace_id(), run.root.span_id(), run.step().span_id());
    let open = run.open().span_id();
    flush(&before, &delivery);
    drop(delivery);
    // The process ends without a word of the run.
    before.shutdown(LIMIT).expect("shutdown");
    let after = recorder_on(&path);
    assert_eq!(after.recovered().len(), 1);
    let delivery = start(&to, &after);
    flush(&after, &delivery);
    assert_eq!(collector.by_trace()[&trace], [done, open, root]);
    assert_eq!(collector.by_trace(), ended(&**after.log().expect("log")));
    drop(delivery);
    let again = start(&to, &after);
    flush(&after, &again);
    assert_eq!(again.stats(Signal::Traces).requests, 0, "nothing is left to send");
}

/// Two processes at one execution: one came to its end, the other to none.
#[test]
fn what_a_crash_left_open_beside_a_root_that_had_ended_leaves_at_the_next_start() {
    let (scratch, collector) = (Scratch::new(), Collector::taking_all());
    let path = scratch.file("log.db");
    let to = destination(&collector);
    let before = recorder_on(&path);
    let delivery = start(&to, &before);
    let run = Run::begin(&before);
    let (trace, root, open) = (run.id.trace_id(), run.root.span_id(), run.open().span_id());
    let beside = Run { id: run.id.clone(), root: StepId::new(), recorder: before.clone() };
    beside.emit(&beside.root, ExecutionStart::new().name("beside"));
    let (beside_root, inner) = (beside.root.span_id(), beside.step().span_id());
    beside.end();
    flush(&before, &delivery);
    assert_eq!(collector.by_trace()[&trace], [inner, beside_root]);
    drop(delivery);
    before.shutdown(LIMIT).expect("shutdown");
    let after = recorder_on(&path);
    assert_eq!(after.recovered().len(), 1);
    let delivery = start(&to, &after);
    flush(&after, &delivery);
    assert_eq!(collector.by_trace()[&trace], [inner, beside_root, open, root]);
}

/// More than are remembered: those that were quiet for longest are forgotten, and read again when they go on.
#[test]
fn five_thousand_runs_that_wait_at_once_come_whole_and_once() {
    const RUNS: usize = 5_000;
    let (collector, recorder) = (Collector::taking_all(), recorder());
    let delivery = start(&destination(&collector), &recorder);
    let runs: Vec<_> = (0..RUNS)
        .map(|_| {
            let run = Run::begin(&recorder);
            run.step();
            let open = run.open();
            run.emit(&run.root, ExecutionPaused::new("a person"));
            (run, open)
        })
        .collect();
    flush(&recorder, &delivery);
    assert_eq!(collector.spans().len(), RUNS);
    for (run, open) in runs {
        run.close(&open);
        run.end();
    }
    flush(&recorder, &delivery);
    let logged = ended(&**recorder.log().expect("log"));
    assert_eq!((count(&logged), collector.by_trace()), (3 * RUNS as u64, logged));
    let parents: HashSet<_> =
        collector.spans().iter().filter(|span| span.parent == 0).map(|span| span.trace_id).collect();
    assert_eq!(parents.len(), RUNS, "each trace has its root");
}
