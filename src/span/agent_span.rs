//! The handle of one span, and the guard that ends it exactly once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Instant;

use futures_core::Stream;
use tracing::field::Value;
use tracing::subscriber::NoSubscriber;
use tracing::{Span, dispatcher};

use super::counts::{Count, Counts};
use super::outcome::{Ending, Failure, Outcome, judge};
use super::run::Run;
use super::told::Told;
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
    counts: Counts,
    /// False for a borrowed span, whose end is someone else's to tell.
    ours: bool,
    /// Whether a panic was on its way when this began, in a destructor: then that is not how this ends.
    unwinding: bool,
    /// When the answer was asked for, where its first piece is to be timed.
    asked: Option<Instant>,
    answered: AtomicBool,
    streams: AtomicBool,
}

impl AgentSpan {
    pub(super) fn new(span: Span) -> Self {
        Self::of(span, true)
    }

    /// `tracing`'s current span, whoever opened it and will end it.
    pub(crate) fn current() -> Self {
        Self::of(Span::current(), false)
    }

    fn of(span: Span, ours: bool) -> Self {
        let open = (!span.is_disabled()).then(|| Arc::new(Open::new(span, ours)));
        Self { open }
    }

    /// Notes the time, so that the first piece of a streamed answer can be timed.
    pub(super) fn timed(mut self) -> Self {
        if let Some(open) = self.open.as_mut().and_then(Arc::get_mut) {
            open.asked = Some(Instant::now());
        }
        self
    }

    pub(crate) fn none() -> Self {
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

    /// The same stream, run in this span: entered at every poll, `ok` at its end, `cancelled` when dropped before. `read`
    /// takes from each item what the span should know: a [`text_delta`](super::text_delta), facts, or a
    /// [`fail`](Self::fail).
    pub fn stream_with<S, J>(&self, stream: S, read: J) -> Told<S, J>
    where
        S: Stream,
        J: FnMut(&Self, &S::Item),
    {
        Told::new(self.clone(), stream, read)
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

    /// Runs what only looks, inside; not at all when nobody is interested.
    pub(crate) fn look(&self, look: impl FnOnce()) {
        if self.is_enabled() {
            self.watch(look);
        }
    }

    /// Reads the output, inside the span; `ok` unless that said otherwise.
    pub(crate) fn settle<R>(&self, output: &R, read: impl FnOnce(&Self, &R)) {
        self.look(|| read(self, output));
        self.tell(Ending::Ok);
    }

    /// Says that the work was dropped before its end: by somebody's will, or by the panic that is on its way.
    pub(super) fn give_up(&self) {
        if let Some(open) = &self.open {
            open.tell(open.given_up());
        }
    }

    /// The first piece of a streamed answer is here; later ones change nothing.
    pub(super) fn first_chunk(&self) {
        if let Some(open) = &self.open
            && let Some(asked) = open.asked
            && !open.answered.swap(true, Ordering::Relaxed)
        {
            self.time_to_first_chunk(asked.elapsed());
        }
    }

    /// Gives up unfinished work, and lets go of the span after it. On a thread without a subscriber, as a worker that drops
    /// an aborted task may be, the span's own is put in its place meanwhile: tracing-subscriber's registry lets go of a
    /// parent through the thread's, and would never close it. For futures and streams only: a handle may be dropped
    /// inside a subscriber's callback, where the thread's cannot be changed.
    pub(super) fn abandon(&mut self, work: impl FnOnce(&Self)) {
        let span = std::mem::replace(self, Self::none());
        if !span.is_enabled() {
            return work(&span);
        }
        let homeless = dispatcher::get_default(|here| here.is::<NoSubscriber>());
        let own = span.tracing().filter(|_| homeless).and_then(|span| span.with_subscriber(|(_, own)| own.clone()));
        let give_up = || {
            work(&span);
            drop(span);
        };
        match own {
            Some(own) => dispatcher::with_default(&own, give_up),
            None => give_up(),
        }
    }

    /// The answer comes as a stream; said once, whoever says it.
    pub(super) fn begins_stream(&self) {
        if let Some(open) = &self.open
            && !open.streams.swap(true, Ordering::Relaxed)
        {
            self.streaming(true);
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

    /// Held back until the handle goes: counts grow.
    pub(super) fn count(&self, count: Count, n: u64) -> &Self {
        if let Some(open) = &self.open {
            open.counts.set(count, n);
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
    fn new(span: Span, ours: bool) -> Self {
        let (unwinding, answered) = (std::thread::panicking(), AtomicBool::new(false));
        let (ending, counts) = (AtomicU8::new(Ending::Pending as u8), Counts::new());
        let streams = AtomicBool::new(false);
        Self { span, ending, counts, ours, unwinding, asked: None, answered, streams }
    }

    /// Whether it counted: what was said before may be graver, and a failure once told stays.
    fn tell(&self, ending: Ending) -> bool {
        let graver = |told| (told < Ending::Error as u8 && told < ending as u8).then_some(ending as u8);
        self.ending.fetch_update(Ordering::Relaxed, Ordering::Relaxed, graver).is_ok()
    }

    fn ending(&self) -> Ending {
        match Ending::from_u8(self.ending.load(Ordering::Relaxed)) {
            Ending::Pending => self.given_up(),
            told => told,
        }
    }

    fn given_up(&self) -> Ending {
        if std::thread::panicking() && !self.unwinding { Ending::Panicked } else { Ending::Cancelled }
    }

    fn record_error(&self, error_type: &str, message: &str) {
        self.span.record(semconv::ERROR_TYPE, error_type);
        self.span.record(semconv::OTEL_STATUS_CODE, "error");
        if !message.is_empty() {
            self.span.record(semconv::OTEL_STATUS_DESCRIPTION, message);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.counts.tell(&self.span);
        if self.ours {
            let ending = self.ending();
            if ending == Ending::Panicked {
                self.record_error("panic", "panicked");
            }
            self.span.record(semconv::OUTCOME, ending.name());
        }
    }
}

/// Dropped only by unwinding: the way out is `forget`.
struct Watch<'a>(&'a Open);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.0.tell(Ending::Panicked);
    }
}
