//! What runs: spans leave as they finish, and a flush is answered for what was there when it was asked for.

use super::{Answer, Collector, LIMIT, Run, count, destination, ended, flush, recorder, start};
use spanwright::otlp::Signal;
use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

#[test]
fn children_of_a_running_parent_leave_as_they_finish_and_carry_its_id() {
    let (collector, recorder) = (Collector::taking_all(), recorder());
    let delivery = start(&destination(&collector), &recorder);
    let run = Run::begin(&recorder);
    let (trace, root) = (run.id.trace_id(), run.root.span_id());
    let steps: Vec<u64> = (0..3)
        .map(|_| {
            let step = run.step().span_id();
            flush(&recorder, &delivery);
            step
        })
        .collect();
    let arrived = collector.spans();
    assert_eq!(arrived.iter().map(|span| span.span_id).collect::<Vec<_>>(), steps, "each by itself, while it runs");
    assert!(arrived.iter().all(|span| (span.trace_id, span.parent) == (trace, root)));
    run.end();
    flush(&recorder, &delivery);
    let last = *collector.spans().last().expect("the root");
    assert_eq!((last.span_id, last.parent), (root, 0));
    assert_eq!(collector.by_trace(), ended(&**recorder.log().expect("log")));
}

#[test]
fn a_flush_is_answered_while_more_is_logged_all_the_time() {
    let (collector, recorder, enough) = (Collector::taking_all(), recorder(), AtomicBool::new(false));
    let delivery = start(&destination(&collector).batch_spans(16), &recorder);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !enough.load(Relaxed) {
                Run::whole(&recorder, 3);
                // So that it is always ahead, and never by more than the queue holds.
                recorder.flush().wait(LIMIT).expect("logged");
            }
        });
        for _ in 0..10 {
            let before = ended(&**recorder.log().expect("log"));
            let answer = delivery.flush().wait(LIMIT);
            let there = collector.by_trace();
            let missing =
                before.iter().find(|(trace, spans)| there.get(*trace).is_none_or(|some| some.len() < spans.len()));
            enough.store(answer.is_err() || missing.is_some(), Relaxed);
            answer.expect("answered");
            assert_eq!(missing, None);
        }
        enough.store(true, Relaxed);
    });
}

#[test]
fn every_destination_has_a_place_of_its_own() {
    let down = Collector::start(|_| Answer::status(503));
    let (silent, well, recorder) = (Collector::start(|_| Answer::Silent), Collector::taking_all(), recorder());
    let [down, silent, well_too] = [&down, &silent, &well].map(|collector| start(&destination(collector), &recorder));
    (0..20).for_each(|_| Run::whole(&recorder, 5));
    flush(&recorder, &well_too);
    let logged = ended(&**recorder.log().expect("log"));
    assert_eq!(well.by_trace(), logged, "not held up by those that are down or silent");
    assert!(down.flush().wait(LIMIT).expect_err("down").is_io());
    let [down, silent, well] = [&down, &silent, &well_too].map(|delivery| delivery.stats(Signal::Traces));
    assert_eq!((well.accepted, well.last_error), (count(&logged), None));
    assert_eq!((down.accepted, down.place, silent.accepted, silent.place), (0, 0, 0, 0));
    assert!(down.failures > 0 && down.last_error.expect("told").contains("503"));
}

#[test]
fn what_one_could_not_have_comes_when_it_can_and_the_others_see_nothing_of_it() {
    let (one, other, recorder) = (Collector::start(|_| Answer::status(503)), Collector::taking_all(), recorder());
    let [of_one, of_other] = [&one, &other].map(|collector| start(&destination(collector), &recorder));
    (0..5).for_each(|_| Run::whole(&recorder, 5));
    flush(&recorder, &of_other);
    one.until_seen(3);
    one.answer(|_| Answer::Taken);
    (0..5).for_each(|_| Run::whole(&recorder, 5));
    flush(&recorder, &of_one);
    flush(&recorder, &of_other);
    let logged = ended(&**recorder.log().expect("log"));
    assert_eq!((one.by_trace(), other.by_trace()), (logged.clone(), logged));
}
