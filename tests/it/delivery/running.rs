//! What runs: spans leave as they finish, and a flush is answered for what was there when it was asked for.

use super::{Answer, Collector, LIMIT, Run, count, destination, ended, flush, recorder, start};
use spanwright::{event::ExecutionResumed, otlp::Signal};
use std::sync::{Mutex, mpsc};

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

/// It means what the log has when it is asked for: else it would never be answered where each request takes long enough for
/// more to happen.
#[test]
fn a_flush_is_answered_while_more_is_logged_all_the_time() {
    let (collector, recorder) = (Collector::taking_all(), recorder());
    let delivery = start(&destination(&collector).interval(LIMIT), &recorder);
    let busy = recorder.clone();
    collector.answer(move |_| {
        Run::whole(&busy, 3);
        busy.flush().wait(LIMIT).expect("logged");
        Answer::Taken
    });
    Run::whole(&recorder, 3);
    for _ in 0..10 {
        let before = ended(&**recorder.log().expect("log"));
        flush(&recorder, &delivery);
        let there = collector.by_trace();
        // Of a run that was half logged by then, more may be there by now.
        let is_there =
            |(trace, spans): &(&u128, &Vec<u64>)| there.get(*trace).is_some_and(|there| there.starts_with(spans));
        assert_eq!(before.iter().find(|before| !is_there(before)), None);
    }
    delivery.shutdown(LIMIT).expect("nor does a shutdown wait for what comes later");
}

/// While a request is under way, the page that was read before it lies there in part, and is not all that the log has.
#[test]
fn a_flush_in_the_middle_of_a_page_means_what_was_logged_after_that_page() {
    let (arrived, requests) = mpsc::channel();
    let (answer, answers) = mpsc::channel();
    let answers = Mutex::new(answers);
    let collector = Collector::start(move |_| {
        let _ = arrived.send(());
        answers.lock().expect("lock").recv().unwrap_or(Answer::Taken)
    });
    let recorder = recorder();
    let run = Run::begin(&recorder);
    run.step();
    let open = run.open();
    recorder.flush().wait(LIMIT).expect("logged");
    let to = destination(&collector).batch_spans(1).interval(LIMIT).from_beginning(true);
    let delivery = start(&to, &recorder);
    requests.recv_timeout(LIMIT).expect("the first step");
    run.close(&open);
    recorder.flush().wait(LIMIT).expect("logged");
    let flush = delivery.flush();
    (0..2).for_each(|_| answer.send(Answer::Taken).expect("sent"));
    flush.wait(LIMIT).expect("delivered");
    assert_eq!(collector.spans().len(), 2);
}

/// What finishes nothing is settled too: a process that is killed does not read all of it again.
#[test]
fn the_place_moves_on_over_what_finishes_nothing() {
    let (collector, recorder) = (Collector::taking_all(), recorder());
    let delivery = start(&destination(&collector), &recorder);
    let run = Run::begin(&recorder);
    (0..10_000).for_each(|_| run.emit(&run.root, ExecutionResumed::new()));
    flush(&recorder, &delivery);
    let stats = delivery.stats(Signal::Traces);
    assert!(stats.place >= 5_000 && stats.requests == 0, "{stats:?}");
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
