//! Keeping the current span where `tracing` would lose it: in tasks and on other threads.

use super::AgentSpan;
use crate::context::Context;
use tracing::Span;

/// The span that this code runs in, to add facts to it without a handle.
///
/// It is `tracing`'s current span, whoever opened it: names that it does not declare are ignored. What ended is told by
/// who opened it, so [`fail`](AgentSpan::fail) here leaves the error on the span but does not decide its outcome.
pub fn current() -> AgentSpan {
    AgentSpan::borrowed(Span::current())
}

/// The same closure, bound to where this code runs. For `std::thread::spawn` and whatever else takes a closure.
///
/// For closures that are called many times, and for channels, there is [`Context`].
pub fn in_context<R>(work: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let context = Context::current();
    move || context.in_scope(work)
}

/// `tokio::spawn` that stays where this code runs. For a `JoinSet`: `set.spawn(Context::current().run(future))`.
#[cfg(feature = "tokio")]
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(Context::current().run(future))
}

/// `tokio::task::spawn_blocking` that stays where this code runs.
#[cfg(feature = "tokio")]
pub fn spawn_blocking<F, R>(work: F) -> tokio::task::JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    tokio::task::spawn_blocking(in_context(work))
}
