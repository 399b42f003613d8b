//! The end of a delivery and of the guard: bounded wherever it happens, and what is left is told.

use super::{Answer, Collector, LIMIT, Run, destination, ms, recorder, start};
use crate::{child, scratch::Scratch};
use spanwright::{
    Builder, Error, Guard,
    otlp::{Delivery, Destination, Signal},
};
use std::{path::PathBuf, sync::mpsc, thread, time::Duration};
use tokio::runtime;

/// Longer than a test may take: whoever waits for this hangs.
const FOR_EVER: Duration = Duration::from_secs(3600);

type End = Box<dyn FnOnce() + Send>;

/// Its name, and how one ends from there.
type Place = (&'static str, fn(End));

/// Every place that a program may end from.
const PLACES: &[Place] = &[
    ("a thread without a runtime", |end| end()),
    ("inside a current-thread runtime", |end| one_thread().block_on(async { end() })),
    ("beside a current-thread runtime", |end| {
        let runtime = one_thread();
        let _inside = runtime.enter();
        end();
    }),
    ("inside block_on of a multi-thread runtime", |end| workers(2).block_on(async { end() })),
    ("the worker of a one-worker runtime", |end| {
        let runtime = workers(1);
        runtime.block_on(runtime.spawn(async { end() })).expect("the task");
    }),
    ("a blocking task", |end| {
        let runtime = workers(1);
        runtime.block_on(runtime.spawn_blocking(end)).expect("the task");
    }),
];

fn one_thread() -> runtime::Runtime {
    runtime::Builder::new_current_thread().enable_all().build().expect("runtime")
}

fn workers(count: usize) -> runtime::Runtime {
    runtime::Builder::new_multi_thread().worker_threads(count).enable_all().build().expect("runtime")
}

/// Ends it from each of these places, each time with five spans that were just emitted.
fn in_each_place(collector: &Collector, end: fn(&str, Delivery)) {
    for (name, from) in PLACES {
        let recorder = recorder();
        let delivery = start(&destination(collector).interval(FOR_EVER).timeout(FOR_EVER), &recorder);
        Run::whole(&recorder, 4);
        recorder.flush().wait(LIMIT).expect("logged");
        let (over, done) = mpsc::channel();
        thread::spawn(move || {
            from(Box::new(move || end(name, delivery)));
            let _ = over.send(());
        });
        done.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("{name}: it hangs"));
    }
}

#[test]
fn a_shutdown_delivers_what_there_is_from_every_place() {
    let collector = Collector::taking_all();
    in_each_place(&collector, |name, delivery| {
        delivery.shutdown(LIMIT).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(delivery.stats(Signal::Traces).accepted, 5, "{name}");
        delivery.shutdown(LIMIT).expect("a second call finds nothing to do");
        assert!(delivery.flush().wait(LIMIT).expect_err("over").is_closed());
    });
    assert_eq!(collector.spans().len(), 5 * PLACES.len());
}

#[test]
fn a_shutdown_is_over_in_time_in_every_place_where_the_back_end_never_answers() {
    in_each_place(&Collector::start(|_| Answer::Silent), |name, delivery| {
        let error = delivery.shutdown(ms(50)).expect_err("nobody answers");
        assert!(error.is_timed_out(), "{name}: {error}");
        // And dropping it waits no more.
    });
}

#[test]
fn who_only_drops_it_waits_for_a_slow_back_end_and_not_for_ever() {
    let slow = Collector::start(|_| {
        thread::sleep(ms(300));
        Answer::Taken
    });
    in_each_place(&slow, |_, delivery| drop(delivery));
    assert_eq!(slow.spans().len(), 5 * PLACES.len(), "the default is long enough");
}

#[test]
fn a_shutdown_says_what_is_left() {
    let (down, recorder) = (Collector::start(|_| Answer::Refused(503, "", "under repair".into())), recorder());
    let delivery = start(&destination(&down), &recorder);
    Run::whole(&recorder, 4);
    recorder.flush().wait(LIMIT).expect("logged");
    let error = delivery.shutdown(LIMIT).expect_err("down");
    assert!(error.is_io() && error.to_string().contains("under repair"), "{error}");
}

fn builder(scratch: &Scratch) -> Builder {
    spanwright::builder().log(scratch.file("log.db")).without_terminal()
}

fn refused(started: Result<Guard, Error>) -> String {
    let error = started.map(drop).expect_err("refused");
    assert!(error.is_config(), "{error}");
    error.to_string()
}

#[test]
fn two_destinations_of_one_name_are_refused_since_they_would_share_a_place() {
    let scratch = Scratch::new();
    let to = || Destination::http("http://localhost:9").header("authorization", "Bearer secret");
    let error = refused(builder(&scratch).otlp(to()).otlp(to()).start());
    assert!(error.contains("http://localhost:9") && error.contains("name") && !error.contains("secret"), "{error}");
    let named = builder(&scratch).otlp(to()).otlp(to().name("the other")).start().expect("told apart");
    assert_eq!(
        named.deliveries().iter().map(Delivery::name).collect::<Vec<_>>(),
        ["http http://localhost:9", "the other"]
    );
}

#[test]
fn nothing_that_is_told_of_a_delivery_has_a_token_of_its_path() {
    let recorder = recorder();
    // Nobody listens there.
    let delivery = start(&Destination::http("http://127.0.0.1:9/receiver/v1/Canary7Path=="), &recorder);
    Run::whole(&recorder, 1);
    recorder.flush().wait(LIMIT).expect("logged");
    let error = delivery.flush().wait(LIMIT).expect_err("nobody is there");
    let told = format!("{error} {delivery:?} {:?} {}", delivery.stats(Signal::Traces), delivery.name());
    assert!(error.to_string().contains("/receiver/v1/… traces") && !told.contains("Canary7Path"), "{told}");
}

#[test]
fn two_destinations_into_one_file_are_refused_whatever_they_call_it() {
    let scratch = Scratch::new();
    let file = scratch.file("run.jsonl");
    let detour = scratch.file("").join(".").join("run.jsonl");
    let started = |other: Destination| builder(&scratch).otlp(Destination::file(&file)).otlp(other).start();
    let mut others = vec![Destination::file(&file).name("the other"), Destination::file(detour)];
    #[cfg(unix)]
    {
        let link = scratch.file("link.jsonl");
        std::fs::write(&file, "").expect("file");
        std::os::unix::fs::symlink(&file, &link).expect("link");
        others.push(Destination::file(link));
        // Metrics go into a file beside: one that is a link to the first's.
        std::os::unix::fs::symlink(&file, scratch.file("apart.metrics.jsonl")).expect("link");
        others.push(Destination::file(scratch.file("apart.jsonl")).metrics(true));
    }
    for other in others {
        let error = refused(started(other.clone()));
        assert!(error.contains("two OTLP destinations into") && error.contains("run.jsonl"), "{other:?}: {error}");
    }
    drop(started(Destination::file(scratch.file("apart.jsonl"))).expect("another file"));
}

#[test]
fn a_destination_without_a_log_or_a_signal_is_refused() {
    let scratch = Scratch::new();
    let to = Destination::http("http://localhost:9");
    let error = refused(spanwright::builder().without_log().without_terminal().otlp(to.clone()).start());
    assert!(error.contains("without_log"), "{error}");
    assert!(refused(builder(&scratch).otlp(to.traces(false)).start()).contains("signal"));
}

#[test]
fn a_destination_that_cannot_be_used_is_refused_before_anything_is_opened() {
    let scratch = Scratch::new();
    let error = refused(builder(&scratch).otlp(Destination::http("http://localhost:9").batch_spans(0)).start());
    assert!(error.contains("batch") && !scratch.file("log.db").exists(), "{error}");
}

const WORDS: &str = "delivery::ends::the_guard_says_what_was_not_delivered";

#[test]
fn the_guard_says_what_was_not_delivered() {
    if child::part().is_some() {
        return end_a_guard();
    }
    let said = |collector: &Collector| {
        let scratch = Scratch::new();
        let path = scratch.file("log.db");
        let text = child::run(WORDS, "guard", &[("LOG", path.to_str().expect("UTF-8")), ("URL", &collector.url())]);
        text.lines().filter(|line| line.starts_with("spanwright: ")).collect::<Vec<_>>().join("\n")
    };
    let well = said(&Collector::taking_all());
    assert!(well.starts_with("spanwright: record in ") && well.lines().count() == 1, "{well}");
    let down = said(&Collector::start(|_| Answer::status(503)));
    assert!(
        down.contains("not all traces are delivered yet, the next start goes on") && down.contains("503"),
        "{down}"
    );
    let refusing = said(&Collector::start(|_| Answer::status(400)));
    assert!(refusing.contains("5 of the traces were refused") && refusing.contains("400"), "{refusing}");
    let silent = said(&Collector::start(|_| Answer::Silent));
    assert!(silent.contains("not all traces are delivered yet") && silent.contains("in time"), "{silent}");
    for text in [down, refusing, silent] {
        assert!(!text.contains("secret") && !text.contains("not all logs"), "{text}");
    }
}

/// The program of a person, from start to end.
fn end_a_guard() {
    let [log, url] = ["LOG", "URL"].map(|name| std::env::var(name).expect(name));
    let to = Destination::http(url).header("authorization", "Bearer secret").interval(FOR_EVER).timeout(FOR_EVER);
    // Of which there are none: nothing is left of them, whatever became of the spans.
    let to = to.logs(true);
    let guard = spanwright::builder().log(PathBuf::from(log)).without_terminal().otlp(to).start().expect("start");
    Run::whole(guard.recorder(), 4);
}
