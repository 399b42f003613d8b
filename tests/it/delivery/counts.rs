//! What was not taken is counted, exactly, and the reason is told.

use super::{Answer, Collector, LIMIT, Run, count, destination, ended, flush, flush_at_last, recorder, start};
use proptest::prelude::*;
use spanwright::otlp::{Signal, Stats};

/// What became of three spans, answered like this.
fn three_spans(answer: Answer) -> Stats {
    let (collector, recorder) = (Collector::start(move |_| answer.clone()), recorder());
    // Before the first look, which may not find a part of it.
    Run::whole(&recorder, 2);
    recorder.flush().wait(LIMIT).expect("logged");
    let delivery = start(&destination(&collector).interval(LIMIT), &recorder);
    flush(&recorder, &delivery);
    let stats = delivery.stats(Signal::Traces);
    assert_eq!((stats.place, stats.read_to, stats.requests), (6, 6, 1), "{stats:?}");
    stats
}

#[test]
fn what_was_rejected_of_a_request_is_counted_and_not_sent_again() {
    let stats = three_spans(Answer::Partial(2, "no room"));
    assert_eq!((stats.accepted, stats.rejected, stats.dropped), (1, 2, 0));
    assert_eq!(stats.last_error.as_deref(), Some("no room"));
}

#[test]
fn a_warning_is_told_and_takes_nothing_away() {
    let stats = three_spans(Answer::Partial(0, "deprecated"));
    assert_eq!((stats.accepted, stats.rejected, stats.dropped), (3, 0, 0));
    assert_eq!(stats.last_error.as_deref(), Some("deprecated"));
}

#[test]
fn a_back_end_that_rejects_more_than_it_got_is_believed_as_far_as_can_be() {
    for rejected in [4, i64::MAX] {
        let stats = three_spans(Answer::Partial(rejected, "all of them"));
        assert_eq!((stats.accepted, stats.rejected), (0, 3));
    }
}

#[test]
fn what_is_refused_is_dropped_and_counted() {
    for status in [400, 401, 403, 404, 500, 501] {
        let stats = three_spans(Answer::Refused(status, "", "why not".into()));
        assert_eq!((stats.accepted, stats.rejected, stats.dropped), (0, 0, 3), "{status}");
        let why = stats.last_error.expect("told");
        assert!(why.contains(&status.to_string()) && why.contains("why not"), "{why}");
    }
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let refused = |status| Just(Answer::status(status));
    prop_oneof![
        4 => Just(Answer::Taken),
        2 => (0..9_i64).prop_map(|rejected| Answer::Partial(rejected, "some")),
        2 => refused(413),
        1 => refused(400),
        1 => refused(401),
        1 => refused(500),
        2 => refused(503),
        1 => Just(Answer::Refused(429, "Retry-After: 0\r\n", String::new())),
        1 => Just(Answer::Broken),
        1 => Just(Answer::Lost),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn accepted_and_rejected_and_dropped_are_all_that_finished(
        answers in proptest::collection::vec(any_answer(), 1..40),
        batch in 1..20_usize,
        runs in proptest::collection::vec(0..12_usize, 1..8),
    ) {
        let at = std::sync::atomic::AtomicUsize::new(0);
        let next = move |_: &super::collector::Arrived| {
            answers.get(at.fetch_add(1, std::sync::atomic::Ordering::Relaxed)).cloned().unwrap_or(Answer::Taken)
        };
        let (collector, recorder) = (Collector::start(next), recorder());
        let delivery = start(&destination(&collector).batch_spans(batch), &recorder);
        runs.iter().for_each(|steps| Run::whole(&recorder, *steps));
        flush_at_last(&recorder, &delivery);
        let stats = delivery.stats(Signal::Traces);
        let all = count(&ended(&**recorder.log().expect("log")));
        prop_assert_eq!(stats.accepted + stats.rejected + stats.dropped, all);
        let seen = collector.seen();
        prop_assert_eq!(stats.requests, seen.len() as u64);
        prop_assert!(seen.iter().all(|(arrived, _)| (1..=batch).contains(&arrived.spans.len())));
    }
}
