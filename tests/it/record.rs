//! A layer that remembers every span: what it was called, under whom it stood, what it said, how often it ended.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context as Scope, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// What a span was seen to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) target: String,
    pub(crate) parent: Option<String>,
    pub(crate) fields: BTreeMap<String, String>,
    /// Names that were recorded more than once: duplicate keys for tracing-opentelemetry.
    pub(crate) again: Vec<String>,
    pub(crate) ends: usize,
    /// Deltas and other events inside.
    pub(crate) events: Vec<String>,
}

impl Seen {
    pub(crate) fn title(&self) -> &str {
        self.get("otel.name")
    }

    /// The value of a field; empty if it was never recorded.
    pub(crate) fn get(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }

    pub(crate) fn outcome(&self) -> &str {
        self.get("spanwright.outcome")
    }
}

type Spans = Arc<Mutex<Vec<Seen>>>;

struct Recorder(Spans);

struct Index(usize);

/// Runs `work` under a recorder and returns every span in the order of their starts.
pub(crate) fn record<R>(work: impl FnOnce() -> R) -> Vec<Seen> {
    let spans = Spans::default();
    tracing::subscriber::with_default(Registry::default().with(Recorder(spans.clone())), || {
        work();
    });
    let spans = spans.lock().unwrap().clone();
    for span in &spans {
        assert_eq!(span.ends, 1, "{span:?} did not end exactly once");
        assert!(span.again.is_empty(), "{span:?} recorded a field twice");
    }
    spans
}

/// The only span of a run.
#[track_caller]
pub(crate) fn record_one<R>(work: impl FnOnce() -> R) -> Seen {
    let mut spans = record(work);
    assert_eq!(spans.len(), 1, "{spans:#?}");
    spans.remove(0)
}

/// Runs a future that is always ready when it is asked again.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Polls a future once, then drops it.
pub(crate) fn poll_and_drop<F: Future>(future: F) {
    let mut future = Box::pin(future);
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

/// Pending once.
pub(crate) async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|_| if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// Runs `work`, which panics.
pub(crate) fn caught<R>(work: impl FnOnce() -> R) {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    assert!(panic.is_err(), "it was to panic");
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, scope: Scope<'_, S>) {
        let span = scope.span(id).unwrap();
        let mut spans = self.0.lock().unwrap();
        let parent = span.parent().and_then(|parent| parent.extensions().get::<Index>().map(|index| index.0));
        let parent = parent.map(|index| spans[index].title().to_owned());
        let mut seen = Seen { target: attributes.metadata().target().to_owned(), parent, ..Seen::default() };
        attributes.record(&mut Fields(&mut seen));
        spans.push(seen);
        span.extensions_mut().insert(Index(spans.len() - 1));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, scope: Scope<'_, S>) {
        self.with(scope.span(id).as_ref(), |seen| values.record(&mut Fields(seen)));
    }

    fn on_event(&self, event: &Event<'_>, scope: Scope<'_, S>) {
        let mut said = Seen::default();
        event.record(&mut Fields(&mut said));
        let text = format!("{} {:?}", event.metadata().target(), said.fields);
        self.with(scope.event_span(event).as_ref(), |seen| seen.events.push(text));
    }

    fn on_close(&self, id: Id, scope: Scope<'_, S>) {
        self.with(scope.span(&id).as_ref(), |seen| seen.ends += 1);
    }
}

impl Recorder {
    fn with<'a, S: LookupSpan<'a>>(
        &self,
        span: Option<&tracing_subscriber::registry::SpanRef<'a, S>>,
        change: impl FnOnce(&mut Seen),
    ) {
        let index = span.and_then(|span| span.extensions().get::<Index>().map(|index| index.0));
        if let Some(index) = index {
            change(&mut self.0.lock().unwrap()[index]);
        }
    }
}

struct Fields<'a>(&'a mut Seen);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: String) {
        if self.0.fields.insert(field.name().to_owned(), value).is_some() {
            self.0.again.push(field.name().to_owned());
        }
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.to_string());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        panic!("{field} is {value:?}: only str, i64, f64 and bool are recorded");
    }
}
