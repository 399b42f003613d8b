//! Keeping the current span where `tracing` would lose it: in tasks and on other threads.

use tracing::{Span, dispatcher};

use super::AgentSpan;

/// The span that this code runs in, to add facts to it without a handle.
///
/// It is `tracing`'s current span, whoever opened it: names that it does not declare are ignored. What ended is told by
/// who opened it, so [`fail`](AgentSpan::fail) here leaves the error on the span but does not decide its outcome.
pub fn current() -> AgentSpan {
    AgentSpan::borrowed(Span::current())
}

/// The same closure, bound to the current span and its subscriber. For `std::thread::spawn` and `spawn_blocking`.
pub fn in_context<R>(work: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let span = Span::current();
    let dispatch = dispatcher::get_default(Clone::clone);
    move || dispatcher::with_default(&dispatch, || span.in_scope(work))
}

/// `tokio::spawn`, with the current span and its subscriber kept.
#[cfg(feature = "tokio")]
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    use tracing::instrument::{Instrument, WithSubscriber};
    tokio::spawn(future.in_current_span().with_current_subscriber())
}
