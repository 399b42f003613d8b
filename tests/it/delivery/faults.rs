//! Faults that others had, one test each: the list of opentelemetry-rust's issues in the project's notes on reliability.
//!
//! | fault | known as | test here |
//! |---|---|---|
//! | flush and shutdown hang on current-thread and one-worker runtimes | #2715, #3176 | `flush_works_where_a_runtime_has_one_thread`, and those of `ends` |
//! | an async HTTP client on the exporter's thread panics, and every later span is lost | control-layer #689 | `no_runtime_of_the_users_is_needed` |
//! | a span that was enqueued right before a flush is missed | #3453 | `what_is_emitted_right_before_a_flush_is_delivered_by_it` |
//! | the default time to shut down was 5 ns | fixed in 0.32 | `ends::who_only_drops_it_waits_for_a_slow_back_end_and_not_for_ever` |
//! | telemetry of the exporter itself: loops, re-entry | #3494, #3510 | `what_the_http_client_says_of_itself_is_not_exported` |
//! | SIGTERM: panics while the runtime goes down, buffered spans lost | router #9910 | `a_program_that_ends_by_sigterm_loses_nothing` |
//! | abort and exit lose what was buffered | #542, node #1643 | `what_abort_or_exit_left_behind_is_delivered_by_the_next_start` |
//! | a server's answer, with tokens in it, in error texts | #3021 | `an_answer_with_our_token_in_it_is_not_repeated` |
//! | an answer is read without a bound | CVE-2026-40182, CVE-2026-44967 | `an_answer_that_never_ends_is_not_read_to_its_end` |

use super::{
    Answer, Collector, LIMIT, Run, destination, ended, flush, killed::spawn, ms, recorder, recorder_on, start,
};
use crate::{child, scratch::Scratch};
use spanwright::{
    Guard,
    log::SqliteLog,
    otlp::{Destination, Signal},
    span,
};
use std::{
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};
use tracing_subscriber::{Layer, prelude::*};

#[test]
fn flush_works_where_a_runtime_has_one_thread() {
    let one = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let worker = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    let collector = Collector::taking_all();
    assert_eq!(one.block_on(work(destination(&collector))), 10);
    let task = worker.spawn(work(destination(&collector)));
    assert_eq!(worker.block_on(task).expect("task"), 10);
}

async fn work(to: Destination) -> u64 {
    let recorder = recorder();
    let delivery = start(&to, &recorder);
    Run::whole(&recorder, 4);
    // Awaited, and blocked on.
    recorder.flush().await.expect("logged");
    delivery.flush().await.expect("delivered");
    Run::whole(&recorder, 4);
    flush(&recorder, &delivery);
    delivery.stats(Signal::Traces).accepted
}

#[test]
fn no_runtime_of_the_users_is_needed() {
    let (collector, recorder) = (Collector::taking_all(), recorder());
    let delivery = start(&destination(&collector), &recorder);
    for _ in 0..3 {
        Run::whole(&recorder, 1);
        flush(&recorder, &delivery);
    }
    assert_eq!(collector.by_trace(), ended(&**recorder.log().expect("log")), "the first and those after it");
}

#[test]
fn what_is_emitted_right_before_a_flush_is_delivered_by_it() {
    let (collector, recorder) = (Collector::taking_all(), recorder());
    let delivery = start(&destination(&collector).interval(LIMIT), &recorder);
    for runs in 1..=50 {
        Run::whole(&recorder, 1);
        flush(&recorder, &delivery);
        assert_eq!(collector.spans().len(), runs * 2);
    }
}

const ITSELF: &str = "delivery::faults::what_the_http_client_says_of_itself_is_not_exported";

#[test]
fn what_the_http_client_says_of_itself_is_not_exported() {
    if child::part().is_some() {
        return export_under_a_subscriber_that_takes_everything();
    }
    let (scratch, collector) = (Scratch::new(), Collector::taking_all());
    let path = scratch.file("log.db");
    // By name: names are looked up on threads of another pool.
    let url = collector.url().replace("127.0.0.1", "localhost");
    child::run(ITSELF, "everything", &[("LOG", path.to_str().expect("UTF-8")), ("URL", &url)]);
    assert_eq!(collector.spans().len(), 3, "an agent's, and nothing else");
    let log = SqliteLog::open(&path).expect("log");
    assert!(
        super::read_all(&log)
            .iter()
            .all(|event| event.context.execution_id.trace_id() == collector.spans()[0].trace_id)
    );
}

fn export_under_a_subscriber_that_takes_everything() {
    let guard = guard(&std::env::var("LOG").expect("LOG"), &std::env::var("URL").expect("URL"));
    tracing_subscriber::registry().with(guard.layer()).with(Everything).init();
    span::agent("outer").in_scope(|| {
        span::step("inner").in_scope(|| {});
        span::step("flushed inside").in_scope(|| {
            // On this thread, inside a span of an agent.
            flush(guard.recorder(), &guard.deliveries()[0]);
        });
    });
    guard.recorder().flush().wait(LIMIT).expect("logged");
    let events = guard.recorder().stats().recorded;
    for _ in 0..5 {
        flush(guard.recorder(), &guard.deliveries()[0]);
    }
    assert_eq!(guard.recorder().stats().recorded, events, "sending caused no event of ours");
    assert_eq!(guard.deliveries()[0].stats(Signal::Traces).accepted, 3);
}

/// Wants every span and event there is, so that no filter helps.
struct Everything;

impl<S: tracing::Subscriber> Layer<S> for Everything {}

fn guard(log: &str, url: &str) -> Guard {
    let to = Destination::http(url).name("collector").interval(ms(1)).backoff(ms(1), ms(6));
    spanwright::builder().log(PathBuf::from(log)).without_terminal().otlp(to).start().expect("start")
}

const SIGTERM: &str = "delivery::faults::a_program_that_ends_by_sigterm_loses_nothing";

#[test]
fn a_program_that_ends_by_sigterm_loses_nothing() {
    if child::part().is_some() {
        return serve_until_sigterm();
    }
    let (scratch, collector) = (Scratch::new(), Collector::taking_all());
    let path = scratch.file("log.db");
    let mut program = spawn(SIGTERM, &[("LOG", path.to_str().expect("UTF-8")), ("URL", &collector.url())]);
    collector.until_seen(3);
    let told = Command::new("kill").args(["-TERM", &program.id().to_string()]).status().expect("kill");
    assert!(told.success());
    let status = program.wait().expect("its end");
    let mut said = String::new();
    program.stderr.take().expect("stderr").read_to_string(&mut said).expect("text");
    assert!(status.success() && !said.contains("panicked"), "{status}: {said}");
    let log = SqliteLog::open(&path).expect("log");
    assert_eq!(collector.by_trace(), ended(&log), "what ran until the end is delivered by the end");
}

/// Works on a runtime until it is told to end; then the runtime goes first, and the guard after it.
fn serve_until_sigterm() {
    let guard = guard(&std::env::var("LOG").expect("LOG"), &std::env::var("URL").expect("URL"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    let recorder = guard.recorder().clone();
    runtime.block_on(async {
        let mut sigterm = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("signal");
        let mut tick = tokio::time::interval(ms(1));
        loop {
            tokio::select! {
                _ = sigterm.recv() => return,
                _ = tick.tick() => Run::whole(&recorder, 2),
            }
        }
    });
    runtime.shutdown_background();
}

const GONE: &str = "delivery::faults::what_abort_or_exit_left_behind_is_delivered_by_the_next_start";

#[test]
fn what_abort_or_exit_left_behind_is_delivered_by_the_next_start() {
    if let Some(part) = child::part() {
        return go_without_a_word(&std::env::var("HOW").unwrap_or(part));
    }
    for how in ["abort", "exit", "panic"] {
        let (scratch, collector) = (Scratch::new(), Collector::start(|_| Answer::status(503)));
        let path = scratch.file("log.db");
        let variables = [("LOG", path.to_str().expect("UTF-8")), ("URL", &*collector.url()), ("HOW", how)];
        let status = spawn(GONE, &variables).wait().expect("its end");
        assert_eq!(status.success(), how == "exit", "{how}: {status}");
        collector.answer(|_| Answer::Taken);
        deliver_the_rest(&path, &collector);
        let spans = collector.spans();
        assert_eq!(spans.len(), 7, "{how}: a run, and one that was open with a step of it");
        assert_eq!(collector.by_trace(), ended(&SqliteLog::open(&path).expect("log")), "{how}");
    }
}

fn deliver_the_rest(path: &Path, collector: &Collector) {
    let recorder = recorder_on(path);
    let delivery = start(&destination(collector).name("collector"), &recorder);
    flush(&recorder, &delivery);
    drop(delivery);
    recorder.shutdown(LIMIT).expect("shutdown");
}

fn go_without_a_word(how: &str) {
    let guard = guard(&std::env::var("LOG").expect("LOG"), &std::env::var("URL").expect("URL"));
    Run::whole(guard.recorder(), 4);
    let open = Run::begin(guard.recorder());
    open.open();
    guard.recorder().flush().wait(LIMIT).expect("logged");
    match how {
        "exit" => std::process::exit(0),
        "abort" => std::process::abort(),
        // As with `panic = "abort"`: the hook runs, and nothing after it.
        _ => {
            std::panic::set_hook(Box::new(|_| std::process::abort()));
            panic!("the last word");
        }
    }
}

#[test]
fn an_answer_with_our_token_in_it_is_not_repeated() {
    const TOKEN: &str = "sk-canary-0123456789";
    let collector = Collector::start(|arrived| {
        let header = arrived.authorization.clone().expect("authorization");
        Answer::Refused(401, "", format!("no such token: {header}"))
    });
    let recorder = recorder();
    let delivery = start(&destination(&collector).header("authorization", format!("Bearer {TOKEN}")), &recorder);
    Run::whole(&recorder, 1);
    flush(&recorder, &delivery);
    let told = delivery.stats(Signal::Traces).last_error.expect("told");
    assert!(told.contains("401") && told.contains("no such token"), "{told}");
    assert!(!told.contains(TOKEN) && !format!("{delivery:?}").contains(TOKEN), "{told}");
}

#[test]
fn an_answer_that_never_ends_is_not_read_to_its_end() {
    for status in [200, 400, 503] {
        let (collector, recorder) = (Collector::start(move |_| Answer::Endless(status)), recorder());
        let delivery = start(&destination(&collector).interval(LIMIT).backoff(LIMIT, LIMIT), &recorder);
        Run::whole(&recorder, 1);
        recorder.flush().wait(LIMIT).expect("logged");
        let answer = delivery.flush().wait(LIMIT);
        let stats = delivery.stats(Signal::Traces);
        let expected = match status {
            200 => (2, 0, false),
            400 => (0, 2, false),
            // Once for the flush, and once before it where the first look came late enough to find something.
            _ => (0, 0, true),
        };
        assert_eq!((stats.accepted, stats.dropped, stats.failures > 0), expected, "{status}: {stats:?}");
        assert_eq!(answer.is_ok(), status != 503);
        assert!(stats.last_error.expect("told").len() < 1_000);
    }
}
