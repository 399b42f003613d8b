//! A back end that is away for a day, and a disk that is full: the log is the queue.

use super::{
    Answer, Collector, LIMIT, Run, coin, count, destination, ended, flush, flush_at_last, ms, recorder_on, start,
};
use crate::scratch::Scratch;
use rusqlite::Connection;
use spanwright::{
    Recorder, StepId,
    event::{StepStart, StepType},
    log::SqliteLog,
    otlp::Signal,
};
use std::{
    collections::{BTreeMap, HashSet},
    thread,
};

/// In scaled time a minute is 6 ms, so a day is 8.64 s; here it is what 24 attempts at the longest wait take, an hour
/// each, since nothing but the attempts happens in between.
const HOURS: usize = 24;

#[test]
fn a_day_without_a_back_end_loses_nothing_and_repeats_nothing() {
    let (scratch, collector) = (Scratch::new(), Collector::taking_all());
    let (path, to) = (scratch.file("log.db"), destination(&collector).batch_spans(7));
    let ways_to_be_down = [Answer::status(503), Answer::Broken, Answer::status(429), Answer::status(504)];
    let mut recorder = recorder_on(&path);
    let mut delivery = start(&to, &recorder);
    let before = Run::begin(&recorder);
    before.step();
    flush(&recorder, &delivery);
    let mut seen = collector.seen().len();
    for hour in 0..HOURS {
        let down = ways_to_be_down[hour % 4].clone();
        collector.answer(move |_| down.clone());
        (0..4).for_each(|_| Run::whole(&recorder, 5));
        let open = Run::begin(&recorder);
        open.step();
        recorder.flush().wait(LIMIT).expect("logged");
        seen = collector.seen().len().max(seen) + 2;
        collector.until_seen(seen);
        if hour % 6 == 5 {
            drop(delivery);
            // What ran is lost with its process, and closed by the next.
            recorder.shutdown(LIMIT).expect("shutdown");
            recorder = recorder_on(&path);
            delivery = start(&to, &recorder);
        }
    }
    assert_eq!(collector.spans().len(), 1, "nothing of the day came through");
    collector.answer(|_| Answer::Taken);
    flush(&recorder, &delivery);
    let logged = ended(&**recorder.log().expect("log"));
    assert!(count(&logged) > (HOURS * 4 * 6) as u64);
    assert_eq!(collector.by_trace(), logged, "all, each once, each execution's in order");
    assert_eq!(delivery.stats(Signal::Traces).dropped, 0);
}

#[test]
fn answers_that_are_lost_repeat_what_was_in_them_and_nothing_else() {
    let (scratch, collector) = (Scratch::new(), Collector::taking_all());
    let recorder = recorder_on(&scratch.file("log.db"));
    let delivery = start(&destination(&collector).batch_spans(4), &recorder);
    collector.answer(|arrived| if arrived.spans[0].span_id % 3 == 0 && coin() { Answer::Lost } else { Answer::Taken });
    (0..30).for_each(|_| Run::whole(&recorder, 5));
    flush_at_last(&recorder, &delivery);
    let (mut once, mut lost) = (BTreeMap::<u128, Vec<u64>>::new(), Vec::new());
    for (arrived, answer) in collector.seen() {
        let is_repeated = !lost.is_empty();
        if is_repeated {
            assert_eq!(arrived.spans, lost, "what was in the lost answer comes again, as it was");
        }
        lost = if matches!(answer, Answer::Lost) { arrived.spans.clone() } else { Vec::new() };
        for span in arrived.spans.iter().filter(|_| !is_repeated) {
            once.entry(span.trace_id).or_default().push(span.span_id);
        }
    }
    assert_eq!(once, ended(&**recorder.log().expect("log")));
}

#[test]
fn past_the_disk_bound_what_could_not_be_kept_is_counted_exactly() {
    let (scratch, collector) = (Scratch::new(), Collector::taking_all());
    let path = scratch.file("log.db");
    drop(SqliteLog::open(&path).expect("a file"));
    let outside = Connection::open(&path).expect("open");
    outside.execute_batch("CREATE TABLE ballast AS SELECT zeroblob(40000000) AS weight").expect("ballast");
    let pages: u32 = outside.query_row("PRAGMA page_count", (), |row| row.get(0)).expect("pages");
    let log = SqliteLog::builder(&path).max_pages(pages + 20).open().expect("log");
    let recorder = Recorder::builder().log(log).start().expect("recorder");
    let delivery = start(&destination(&collector), &recorder);
    let emitted = fill(&recorder);
    outside.execute_batch("PRAGMA busy_timeout = 60000; DROP TABLE ballast").expect("room");
    while recorder.flush().wait(LIMIT).is_err() {
        thread::sleep(ms(10));
    }
    flush(&recorder, &delivery);
    let log = recorder.log().expect("log");
    let logged = super::read_all(&**log).len() as u64;
    let stats = recorder.stats();
    assert!(stats.unlogged > 0 && stats.shed() == 0, "{stats:?}");
    assert_eq!(logged + stats.unlogged, emitted, "what is kept and what is counted are all");
    let arrived = collector.spans();
    let ids: HashSet<_> = arrived.iter().map(|span| span.span_id).collect();
    assert_eq!(ids.len(), arrived.len(), "none twice");
    let kept = ended(&**log).into_values().flatten().collect::<Vec<_>>();
    assert!(kept.iter().all(|span| ids.contains(span)), "what was kept arrives");
}

/// Emits more than the log may be behind, and on until something could not be kept. Gives the number of events.
fn fill(recorder: &Recorder) -> u64 {
    const RUNS: u64 = 12;
    for _ in 0..RUNS {
        let run = Run::begin(recorder);
        for _ in 0..100 {
            let (step, name) = (StepId::new(), "n".repeat(30_000));
            run.emit(&step, StepStart::new(StepType::FunctionNode, name).parent_step_id(run.root.clone()));
            run.close(&step);
        }
        run.end();
    }
    let mut emitted = RUNS * 202;
    while recorder.stats().unlogged == 0 {
        Run::whole(recorder, 1);
        emitted += 4;
        thread::sleep(ms(1));
    }
    emitted
}
