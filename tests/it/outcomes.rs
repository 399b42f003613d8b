//! How work ends, in all the ways in which it can end, and what is said of why.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use spanwright::span::{self, Failure};
use spanwright::{agent, step, tool};

use crate::record::{Seen, block_on, caught, record, record_one};

// -- errors and their causes ---------------------------------------------------------------------------------------

/// An error that says `text`, because of `cause`.
#[derive(Debug)]
struct Because {
    text: &'static str,
    cause: Option<Box<Self>>,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl Error for Because {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// The first said last.
fn because(texts: &[&'static str]) -> Because {
    let (text, causes) = texts.split_first().expect("a text");
    Because { text, cause: (!causes.is_empty()).then(|| Box::new(because(causes))) }
}

type Aliased = Result<(), Because>;

#[tool]
fn of_its_own_type(texts: &[&'static str]) -> Aliased {
    Err(because(texts))
}

#[tool]
async fn in_a_box(texts: &[&'static str]) -> Result<(), Box<dyn Error>> {
    Err(because(texts))?
}

#[tool]
async fn in_a_box_to_send(texts: &[&'static str]) -> Result<(), Box<dyn Error + Send + Sync + 'static>> {
    Err(because(texts))?
}

#[tool]
async fn of_anyhow(texts: &[&'static str]) -> anyhow::Result<()> {
    Err(because(texts))?
}

#[tool(err = false)]
async fn of_anyhow_in_silence(texts: &[&'static str]) -> anyhow::Result<()> {
    Err(because(texts))?
}

#[test]
fn an_error_is_told_with_its_causes_whatever_bears_it() {
    let texts = ["no answer", "no line", "cable cut"];
    let said = [
        record_one(|| of_its_own_type(&texts).unwrap_err()),
        record_one(|| block_on(in_a_box(&texts)).unwrap_err()),
        record_one(|| block_on(in_a_box_to_send(&texts)).unwrap_err()),
        record_one(|| block_on(of_anyhow(&texts)).unwrap_err()),
        record_one(|| block_on(span::tool("by hand").run(async { Err::<(), _>(anyhow::Error::new(because(&texts))) }))),
    ];
    for seen in &said {
        assert_eq!((seen.outcome(), seen.get("otel.status_description")), ("error", "no answer: no line: cable cut"));
    }
    let types: Vec<_> = said.iter().map(|seen| seen.get("error.type")).collect();
    assert_eq!(types, ["it::outcomes::Because", "_OTHER", "_OTHER", "anyhow::Error", "anyhow::Error"]);
    let silent = record_one(|| block_on(of_anyhow_in_silence(&texts)).unwrap_err());
    assert_eq!((silent.get("error.type"), silent.get("otel.status_description")), ("anyhow::Error", ""));
}

#[test]
fn a_cause_that_a_message_names_already_is_not_named_again() {
    let said = |texts: &[&'static str]| Failure::with_sources(&because(texts)).message().to_owned();
    assert_eq!(said(&["a: b: c", "b: c", "c"]), "a: b: c");
    assert_eq!(said(&["a: b", "b", "c"]), "a: b: c");
    assert_eq!(said(&["broken", "broken", "broken"]), "broken");
    assert_eq!(said(&["a", "", "c"]), "a: c");
}

/// Its own cause, by mistake.
#[derive(Debug)]
struct Circle(std::sync::atomic::AtomicUsize);

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "turn {}", self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }
}

impl Error for Circle {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        static CIRCLE: Circle = Circle(std::sync::atomic::AtomicUsize::new(100));
        Some(&CIRCLE)
    }
}

#[test]
fn an_error_that_is_its_own_cause_is_followed_only_so_far() {
    let failure = Failure::with_sources(&Circle(std::sync::atomic::AtomicUsize::new(0)));
    assert_eq!(failure.message().matches(": ").count(), 32);
}

// -- given up ------------------------------------------------------------------------------------------------------

#[step]
async fn never_done() {
    std::future::pending::<()>().await;
}

#[agent]
async fn asks_for_it() {
    never_done().await;
}

fn on_tokio<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

#[track_caller]
fn all_cancelled(seen: &[Seen]) {
    assert_eq!(seen.iter().map(Seen::outcome).collect::<Vec<_>>(), ["cancelled", "cancelled"]);
    assert_eq!(seen[1].parent.as_deref(), Some("invoke_agent asks_for_it"));
}

#[test]
fn what_a_select_leaves_behind_was_cancelled() {
    all_cancelled(&record(|| {
        on_tokio(async {
            tokio::select! {
                biased;
                () = asks_for_it() => unreachable!(),
                () = tokio::task::yield_now() => {}
            }
        });
    }));
}

#[test]
fn what_a_timeout_gives_up_was_cancelled() {
    all_cancelled(&record(|| {
        on_tokio(async {
            assert!(tokio::time::timeout(Duration::ZERO, asks_for_it()).await.is_err());
        });
    }));
}

#[test]
fn an_aborted_task_and_all_that_runs_in_it_were_cancelled() {
    all_cancelled(&record(|| {
        on_tokio(async {
            let task = span::spawn(asks_for_it());
            tokio::task::yield_now().await;
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        });
    }));
}

#[test]
fn what_a_runtime_drops_at_its_end_was_cancelled() {
    all_cancelled(&record(|| {
        on_tokio(async {
            drop(span::spawn(asks_for_it()));
            tokio::task::yield_now().await;
        });
    }));
}

#[test]
fn a_future_that_is_dropped_on_a_thread_without_a_subscriber_lets_its_parent_end_too() {
    let seen = record(|| {
        let work = || span::step("child").run(std::future::pending::<()>());
        let child = span::agent("parent").in_scope_with(work, |_, _| ());
        std::thread::spawn(|| drop(child)).join().unwrap();
    });
    assert_eq!(seen.iter().map(Seen::outcome).collect::<Vec<_>>(), ["ok", "cancelled"]);
}

// -- panics --------------------------------------------------------------------------------------------------------

#[step]
fn panics() {
    std::panic::resume_unwind(Box::new("as told"))
}

#[agent]
fn calls_what_panics() {
    panics();
}

#[agent]
async fn awaits_what_panics() {
    tokio::task::yield_now().await;
    panics();
}

#[agent]
fn catches_what_panics() {
    caught(panics);
}

fn outcomes(seen: &[Seen]) -> Vec<&str> {
    seen.iter().map(Seen::outcome).collect()
}

#[test]
fn a_panic_ends_all_that_it_passes_through_and_nothing_that_caught_it() {
    assert_eq!(outcomes(&record(|| caught(calls_what_panics))), ["panicked", "panicked"]);
    assert_eq!(outcomes(&record(|| caught(|| on_tokio(awaits_what_panics())))), ["panicked", "panicked"]);
    assert_eq!(outcomes(&record(catches_what_panics)), ["ok", "panicked"]);
    let in_a_task = record(|| {
        on_tokio(async { assert!(span::spawn(awaits_what_panics()).await.unwrap_err().is_panic()) });
    });
    assert_eq!(outcomes(&in_a_task), ["panicked", "panicked"]);
}

/// Cleans up after itself, which takes steps of its own.
struct Cleans;

#[step]
fn cleans_up(fails: bool) -> Result<(), &'static str> {
    if fails { Err("no") } else { Ok(()) }
}

#[step]
async fn is_given_up() {
    std::future::pending::<()>().await;
}

impl Drop for Cleans {
    fn drop(&mut self) {
        cleans_up(false).unwrap();
        cleans_up(true).unwrap_err();
        drop(span::step("let go"));
        crate::record::poll_and_drop(is_given_up());
    }
}

#[agent]
fn panics_over_what_cleans() {
    let _cleans = Cleans;
    panics();
}

#[test]
fn what_a_destructor_does_while_a_panic_is_on_its_way_ends_as_it_ends() {
    let seen = record(|| caught(panics_over_what_cleans));
    let ends: Vec<_> = seen.iter().map(|span| (span.title(), span.outcome())).collect();
    assert_eq!(
        ends,
        [
            ("invoke_agent panics_over_what_cleans", "panicked"),
            ("run_step panics", "panicked"),
            ("run_step cleans_up", "ok"),
            ("run_step cleans_up", "error"),
            ("run_step let go", "cancelled"),
            ("run_step is_given_up", "cancelled"),
        ]
    );
    assert!(seen[1..].iter().all(|span| span.parent.as_deref() == Some(seen[0].title())));
}

// -- recursion -----------------------------------------------------------------------------------------------------

#[step]
fn counts_down(from: u8) -> u8 {
    if from == 0 { 0 } else { counts_down(from - 1) + 1 }
}

#[step]
async fn counts_down_later(from: u8) -> u8 {
    if from == 0 { 0 } else { Box::pin(counts_down_later(from - 1)).await + 1 }
}

#[step]
fn counts_down_boxed(from: u8) -> std::pin::Pin<Box<dyn Future<Output = u8> + Send>> {
    Box::pin(async move { if from == 0 { 0 } else { counts_down_boxed(from - 1).await + 1 } })
}

#[test]
fn each_call_of_itself_is_a_child_of_the_one_before() {
    for seen in [
        record(|| assert_eq!(counts_down(3), 3)),
        record(|| assert_eq!(block_on(counts_down_later(3)), 3)),
        record(|| assert_eq!(block_on(counts_down_boxed(3)), 3)),
    ] {
        assert_eq!(outcomes(&seen), ["ok"; 4]);
        let inputs: Vec<_> = seen.iter().map(|span| span.get("input.value")).collect();
        assert_eq!(inputs, [r#"{"from":3}"#, r#"{"from":2}"#, r#"{"from":1}"#, r#"{"from":0}"#]);
        assert!(seen[1..].iter().all(|span| span.parent.as_deref() == Some(seen[0].title())));
    }
}
