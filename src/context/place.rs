//! Where code runs, as a value: kept where `tracing` would lose it.

use super::TraceContext;
use crate::semconv;
use tracing::{
    Dispatch, Span, dispatcher,
    instrument::{Instrument, WithSubscriber},
};

/// The span that code runs in, and the subscriber that hears of it. What is done in it belongs to that span, on whatever
/// thread and in whatever task.
///
/// Send it along through a channel, share it with the closures of a pool, run a future of a `JoinSet` in it. It holds
/// its span open: drop it when the work is done.
///
/// ```
/// use spanwright::{context::Context, span};
/// use std::{sync::mpsc, thread};
///
/// let (jobs, work) = mpsc::channel::<(Context, u32)>();
/// let worker = thread::spawn(move || {
///     for (context, job) in work {
///         context.in_scope(|| span::step(&format!("job {job}")).finish());
///     }
/// });
/// span::agent("research").in_scope(|| jobs.send((Context::current(), 7)).unwrap());
/// # drop(jobs);
/// # worker.join().unwrap();
/// ```
#[derive(Debug, Clone)]
#[must_use = "work runs in a context only through `in_scope` or `run`"]
pub struct Context {
    span: Span,
    subscriber: Dispatch,
}

impl Context {
    /// Where this code runs.
    pub fn current() -> Self {
        Self::at(Span::current())
    }

    /// Where a request came from: agents that begin in it go on with that execution, as parts of that step. Without
    /// one, where this code runs, so that a missing or bad `traceparent` is a trace of its own.
    pub fn remote(trace: impl Into<Option<TraceContext>>) -> Self {
        Self::at(carrier(trace.into().as_ref()))
    }

    fn at(span: Span) -> Self {
        Self { span, subscriber: dispatcher::get_default(Clone::clone) }
    }

    /// Runs a closure here.
    pub fn in_scope<R>(&self, work: impl FnOnce() -> R) -> R {
        dispatcher::with_default(&self.subscriber, || self.span.in_scope(work))
    }

    /// The same future, run here: entered at every poll. `Send` exactly when that is.
    ///
    /// What was opened before is not in it: `run(async { span::agent("a").run(work).await })` and not
    /// `run(span::agent("a").run(work))`. An `async fn` with an attribute opens its span when it runs; one that returns
    /// a future (`impl Future`, a box, all under `async_trait`) when it is called: `run(async { worker.work().await })`.
    pub fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        future.instrument(self.span.clone()).with_subscriber(self.subscriber.clone())
    }
}

/// An ordinary span that says where the trace goes on from: whatever keeps spans over an await or a thread keeps it.
/// Without a trace, the span that is there.
pub(super) fn carrier(trace: Option<&TraceContext>) -> Span {
    let Some(trace) = trace else { return Span::current() };
    tracing::info_span!(
        target: "spanwright::context", "context",
        { semconv::TRACEPARENT } = trace.traceparent(),
        { semconv::TRACESTATE } = trace.tracestate(),
        { semconv::BAGGAGE } = trace.baggage(),
    )
}
