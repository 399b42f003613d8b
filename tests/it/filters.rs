//! Filters: ours is our own; one in front of the whole subscriber hides agent spans, and is told of.

use crate::child;
use spanwright::{
    Guard, Recorder,
    hub::{Filter, From},
    span,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tracing::{Dispatch, Event, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{Targets, dynamic_filter_fn, filter_fn},
    fmt,
    layer::Context,
    prelude::*,
    registry,
    registry::LookupSpan,
};

const LIMIT: Duration = Duration::from_secs(60);

fn guard() -> Guard {
    spanwright::builder().without_log().without_terminal().start().expect("start")
}

/// How many events an agent's run gives.
fn events_of_a_run(recorder: &Recorder) -> usize {
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    span::agent("research").in_scope(|| span::tool("search").in_scope(|| ()));
    recorder.settle().wait(LIMIT).expect("settle");
    std::iter::from_fn(|| stream.try_next()).count()
}

#[test]
fn whatever_rust_log_says_our_own_subscriber_records_agent_spans() {
    if child::part().is_none() {
        for level in ["error", "off", "somebody=trace"] {
            child::run(
                "filters::whatever_rust_log_says_our_own_subscriber_records_agent_spans",
                level,
                &[("RUST_LOG", level)],
            );
        }
        return;
    }
    let guard = spanwright::builder().without_log().without_terminal().init().expect("init");
    assert_eq!(events_of_a_run(guard.recorder()), 4);
}

fn warn() -> EnvFilter {
    EnvFilter::new("warn")
}

/// Something that sees everything, as a fmt layer does.
struct Plain;

impl<S: Subscriber> Layer<S> for Plain {}

fn quiet<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    fmt::layer().with_writer(std::io::sink)
}

/// Subscribers that hide agent spans from everybody, and some that do not.
fn subscribers(guard: &Guard) -> Vec<(&'static str, bool, Dispatch)> {
    vec![
        ("before", true, registry().with(warn()).with(guard.layer()).into()),
        ("after", true, registry().with(guard.layer()).with(warn()).into()),
        ("with a layer on top", true, registry().with(warn()).with(guard.layer()).with(Plain).into()),
        ("with the usual order", true, registry().with(warn()).with(quiet()).with(guard.layer()).into()),
        ("for somebody", true, registry().with(EnvFilter::new("somebody=trace")).with(guard.layer()).into()),
        ("a level", true, registry().with(LevelFilter::ERROR).with(guard.layer()).into()),
        ("targets", true, registry().with(Targets::new().with_default(LevelFilter::WARN)).with(guard.layer()).into()),
        ("a function", true, registry().with(filter_fn(|span| !span.is_span())).with(guard.layer()).into()),
        ("asked each time", true, registry().with(dynamic_filter_fn(|_, _| false)).with(guard.layer()).into()),
        ("no filter", false, registry().with(guard.layer()).into()),
        ("info", false, registry().with(EnvFilter::new("info")).with(guard.layer()).into()),
        ("ours", false, registry().with(EnvFilter::new("off,spanwright=info")).with(guard.layer()).into()),
        ("one layer's", false, registry().with(quiet().with_filter(warn())).with(guard.layer()).into()),
        ("one layer's, after", false, registry().with(guard.layer()).with(quiet().with_filter(warn())).into()),
    ]
}

#[test]
fn a_filter_that_hides_agent_spans_from_everybody_is_told_of_in_one_line_and_no_other_is() {
    const TEST: &str = "filters::a_filter_that_hides_agent_spans_from_everybody_is_told_of_in_one_line_and_no_other_is";
    if child::part().is_none() {
        let said = child::run(TEST, "all", &[]);
        let lines = said.lines().filter(|line| line.contains("agent spans are hidden")).count();
        assert!(said.contains(&format!("{lines} of them hide agent spans")), "{said}");
        assert!(said.contains("spanwright=info") && said.contains("with_filter(filter)"), "{said}");
        return;
    }
    let guard = guard();
    let subscribers = subscribers(&guard);
    eprintln!("{} of them hide agent spans", subscribers.iter().filter(|(_, hides, _)| *hides).count());
    // And what is told is true.
    for (name, hides, subscriber) in subscribers {
        let events = tracing::dispatcher::with_default(&subscriber, || events_of_a_run(guard.recorder()));
        assert_eq!(events, if hides { 0 } else { 4 }, "{name}");
    }
}

struct Counting(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn asking_the_filters_changes_nothing_for_what_comes_next() {
    let (guard, counted) = (guard(), Arc::new(AtomicUsize::new(0)));
    // Spans are what this one refuses, so a question on this thread would leave a refusal behind, for the next that is
    // not asked about: pieces of text are what both layers always take.
    let layer = Counting(counted.clone()).with_filter(filter_fn(|metadata| metadata.is_event()));
    let subscriber = registry().with(layer).with(guard.layer());
    tracing::subscriber::with_default(subscriber, || span::text_delta("the first"));
    assert_eq!(counted.load(Ordering::Relaxed), 1);
}
