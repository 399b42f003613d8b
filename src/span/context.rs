//! Keeping the current span where `tracing` would lose it: in tasks and on other threads.

use crate::context::Context;

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
