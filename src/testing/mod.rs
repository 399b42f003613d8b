//! Recording a run in a test: its events, its tree, assertions. Touches nothing global; tests run side by side.
//!
//! ```
//! use spanwright::{agent, testing::record, tool};
//!
//! #[tool]
//! fn search(query: &str) -> Vec<String> {
//!     vec![format!("a page about {query}")]
//! }
//!
//! #[agent]
//! fn research(question: &str) -> String {
//!     search(question).join(", ")
//! }
//!
//! let run = record(|| research("the sky"));
//! assert_eq!(run.output(), "a page about the sky");
//! run.assert_no_errors();
//! run.assert_tools_called(["search"]);
//! run.assert_steps("search");
//! assert_eq!(run.tree(), "✓ run research  \"the sky\"\n└─ ✓ tool search  \"the sky\"\n");
//! ```
//!
//! What a run did is read from the record that it leaves, the same one that a log would keep: any crate's `gen_ai.*` spans
//! are in it, and what the default [`ContentPolicy`](crate::ContentPolicy) masks is masked. Recorded is what happens on
//! the thread of the work, and what it gives away through [`span::in_context`](crate::span::in_context) or `span::spawn`.
//! A bare `std::thread::spawn` or `tokio::spawn` leaves the run, as it leaves every scoped subscriber of `tracing`.

mod asserts;
mod builder;
mod compare;
mod normal;
mod recording;
mod session;
mod steps;

pub use builder::Builder;
pub use recording::Recording;

/// Records what `work` does.
///
/// A panic in it is passed on, after the tree up to there was printed to stderr; to look at the record of a panic, catch
/// it inside of the work.
///
/// # Panics
/// When the work panics, when no thread can be had, and when the work did more at once than could be kept: a test that
/// saw only a part would prove nothing.
#[track_caller]
pub fn record<T>(work: impl FnOnce() -> T) -> Recording<T> {
    builder().record(work)
}

/// Records what a future does, on any runtime. What it spawns and does not wait for may be missing, or stand in the
/// tree as running.
///
/// ```
/// # async fn ask(_: &str) -> u8 { 42 }
/// # async fn test() {
/// let run = spanwright::testing::record_async(ask("what is the answer?")).await;
/// assert_eq!(run.into_output(), 42);
/// # }
/// ```
///
/// # Panics
/// As [`record`].
pub async fn record_async<F: Future>(future: F) -> Recording<F::Output> {
    builder().record_async(future).await
}

/// Settings of a recording, where the program has some of its own: rules, prices, a content policy.
///
/// ```
/// use spanwright::{Rules, testing};
///
/// let run = testing::builder().rules(Rules::new().plain("acme", "dump")).record(|| 42);
/// assert_eq!(run.into_output(), 42);
/// ```
pub fn builder() -> Builder {
    Builder::default()
}
