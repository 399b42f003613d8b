//! The handle of one span, and the guard that ends it exactly once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tracing::Span;
use tracing::field::Value;

use super::outcome::{Ending, Failure, Outcome, judge};
use super::run::Run;
use crate::semconv;

/// One thing that an agent does, from its start to its end.
///
/// Work runs in it with [`run`](Self::run) or [`in_scope`](Self::in_scope), which also tell it how the work ended.
/// Facts are added at any time before it is dropped. Clones are the same span; it ends when the last of them is gone,
/// with the gravest thing that was said about it: the first `error` or `timed_out`, else `panicked`, `cancelled`, `ok`. A
/// span of which nothing was said was `cancelled`. One attempt is one span: a retry opens a new one.
#[derive(Clone, Debug)]
#[must_use = "a span that is dropped at once ends as cancelled"]
pub struct AgentSpan {
    /// Absent when nobody is interested: then every verb is a test for `None`.
    open: Option<Arc<Open>>,
}

#[derive(Debug)]
struct Open {
    span: Span,
    ending: AtomicU8,
    /// False for a borrowed span, whose end is someone else's to tell.
    ours: bool,
}

impl AgentSpan {
    pub(super) fn new(span: Span) -> Self {
        Self::of(span, true)
    }

    pub(super) fn borrowed(span: Span) -> Self {
        Self::of(span, false)
    }

    fn of(span: Span, ours: bool) -> Self {
        let open = (!span.is_disabled()).then(|| Arc::new(Open { span, ending: AtomicU8::new(0), ours }));
        Self { open }
    }

    pub(super) fn none() -> Self {
        Self { open: None }
    }

    /// Whether anyone looks. Ask before building something costly to record.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.open.is_some()
    }

    /// Runs a closure in this span and ends by what it returns.
    pub fn in_scope<R: Outcome>(&self, work: impl FnOnce() -> R) -> R {
        self.in_scope_with(work, judge)
    }

    /// Runs a closure in this span, then lets `read` take from its output what the span should know: facts, or a
    /// [`fail`](Self::fail). Without one it was `ok`. For outputs that are no [`Outcome`].
    pub fn in_scope_with<R>(&self, work: impl FnOnce() -> R, read: impl FnOnce(&Self, &R)) -> R {
        let output = self.watch(work);
        self.settle(&output, read);
        output
    }

    /// The same future, run in this span: entered at every poll, ended by its output, `cancelled` when dropped before.
    pub fn run<F>(&self, future: F) -> Run<F, fn(&Self, &F::Output)>
    where
        F: Future<Output: Outcome>,
    {
        Run::new(self.clone(), future, judge)
    }

    /// The same future, run in this span; `read` takes from its output what the span should know: facts, or a
    /// [`fail`](Self::fail). Without one it was `ok`. For outputs that are no [`Outcome`].
    pub fn run_with<F, J>(&self, future: F, read: J) -> Run<F, J>
    where
        F: Future,
        J: FnOnce(&Self, &F::Output),
    {
        Run::new(self.clone(), future, read)
    }

    /// Says that the work is done. For work that did not run through this handle.
    pub fn finish(self) {
        self.tell(Ending::Ok);
    }

    /// Says that the work failed: the error's type becomes `error.type`, its message the status.
    pub fn fail<E: std::fmt::Display + ?Sized>(&self, error: &E) {
        if self.is_enabled() {
            self.fail_with(&Failure::of(error));
        }
    }

    /// Says that the work failed, in words of your own.
    pub fn fail_with(&self, failure: &Failure) {
        self.tell_failure(Ending::Error, failure.error_type(), failure.message());
    }

    /// Says that the work was given up because it took too long.
    pub fn time_out(&self) {
        self.tell_failure(Ending::TimedOut, "timeout", "timed out");
    }

    /// Runs `work` inside; a panic in it is noted even if someone catches it further up.
    pub(crate) fn watch<R>(&self, work: impl FnOnce() -> R) -> R {
        let Some(open) = &self.open else { return work() };
        let _entered = open.span.enter();
        let watch = Watch(open);
        let output = work();
        std::mem::forget(watch);
        output
    }

    /// Reads the output, inside the span; `ok` unless that said otherwise.
    pub(crate) fn settle<R>(&self, output: &R, read: impl FnOnce(&Self, &R)) {
        if self.is_enabled() {
            self.watch(|| read(self, output));
            self.tell(Ending::Ok);
        }
    }

    /// The span below, to say events in.
    pub(super) fn tracing(&self) -> Option<&Span> {
        self.open.as_ref().map(|open| &open.span)
    }

    pub(super) fn tell(&self, ending: Ending) {
        if let Some(open) = &self.open {
            open.tell(ending);
        }
    }

    pub(super) fn record(&self, field: &'static str, value: impl Value) -> &Self {
        if let Some(open) = &self.open {
            open.span.record(field, value);
        }
        self
    }

    pub(crate) fn declares(&self, field: &str) -> bool {
        self.open.as_ref().is_some_and(|open| open.span.has_field(field))
    }

    /// For a name that is known only at run time; one that the span does not declare is ignored.
    pub(crate) fn record_named(&self, field: &str, value: impl Value) {
        if let Some(open) = &self.open {
            open.span.record(field, value);
        }
    }

    fn tell_failure(&self, ending: Ending, error_type: &str, message: &str) {
        if let Some(open) = &self.open
            && open.tell(ending)
        {
            open.record_error(error_type, message);
        }
    }
}

impl Open {
    /// Whether it counted: what was said before may be graver, and a failure once told stays.
    fn tell(&self, ending: Ending) -> bool {
        let graver = |told| (told < Ending::Error as u8 && told < ending as u8).then_some(ending as u8);
        self.ending.fetch_update(Ordering::Relaxed, Ordering::Relaxed, graver).is_ok()
    }

    fn ending(&self) -> Ending {
        match Ending::from_u8(self.ending.load(Ordering::Relaxed)) {
            Ending::Pending if std::thread::panicking() => Ending::Panicked,
            Ending::Pending => Ending::Cancelled,
            told => told,
        }
    }

    fn record_error(&self, error_type: &str, message: &str) {
        self.span.record(semconv::ERROR_TYPE, error_type);
        self.span.record(semconv::OTEL_STATUS_CODE, "error");
        self.span.record(semconv::OTEL_STATUS_DESCRIPTION, message);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.ours {
            return;
        }
        let ending = self.ending();
        if ending == Ending::Panicked {
            self.record_error("panic", "panicked");
        }
        self.span.record(semconv::OUTCOME, ending.name());
    }
}

/// Dropped only by unwinding: the way out is `forget`.
struct Watch<'a>(&'a Open);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.0.tell(Ending::Panicked);
    }
}
