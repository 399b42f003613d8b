//! `tracing` → `StreamEvent`: reads the span contract of `semconv`, whoever wrote the span. The only user of
//! tracing-subscriber.

mod callbacks;
mod calls;
mod classify;
mod contract;
mod ending;
mod fields;
#[cfg(feature = "otlp")]
mod finished;
mod guard;
mod here;
mod listener;
mod open;
mod otel;
mod pieces;
mod place;
mod rules;
mod runs;
mod same;
mod shape;
mod story;
mod told;

use crate::{Recorder, Timestamp};
use contract::{Slot, SpanKind};
use fields::Fields;
use open::{OpenSpan, Role};
use pieces::Piece;
use shape::Shape;

#[cfg(feature = "otlp")]
pub(crate) use finished::{FieldValue, FinishedSpan, Whereabouts};
pub(crate) use here::{Here, Place};
pub(crate) use rules::Contract;
pub use rules::Rules;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};
use tracing::{
    Dispatch, Event, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    filter::filter_fn,
    layer::{Context, Layer},
    registry::{ExtensionsMut, LookupSpan, SpanRef},
};

/// Turns agent spans into events.
///
/// What a span is, is told by the first of these that it has, at its creation or in a later `record`:
///
/// 1. a rule of the user's ([`Rules`]);
/// 2. `gen_ai.operation.name`, which this crate's macros and builders, rig, genai, goose and any `info_span!` may carry;
/// 3. `openinference.span.kind`, `langfuse.observation.type`, `langfuse.type`, `traceloop.span.kind`;
/// 4. its crate and name: adk, swiftide, langchain-rust, the Bedrock client of the AWS SDK;
/// 5. `mcp.method.name` with the value `tools/call`;
/// 6. `otel.name`, where the span's own name is empty;
/// 7. `gen_ai.tool.name` or `gen_ai.tool.call.id`, then `gen_ai.evaluation.name`, then `gen_ai.request.model` or
///    `gen_ai.response.model`.
///
/// Other spans only pass parenthood on. A span that has one of these fields and says nothing in it yet is watched: the
/// first record that tells, a span that begins inside, or its end decides. What began inside before that stays where it
/// was put, in the nearest span that was known.
///
/// One call that two crates see is one call: a model call directly inside a model call, a tool call directly inside a
/// call of the same tool by another crate, an MCP call directly inside a tool call. What the inner one knows, the outer
/// one takes in where it knows nothing itself. A second one inside is a call of its own; tokens then count where they
/// were spent, and the outer one's own count, which is a sum of them, does not.
///
/// The layer never answers for other layers, emits nothing through `tracing` itself, and never unwinds into the program.
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// let recorder = spanwright::Recorder::builder().start()?;
/// let subscriber = tracing_subscriber::registry().with(spanwright::AgentLayer::new(recorder));
/// # drop(subscriber);
/// # Ok::<_, spanwright::Error>(())
/// ```
#[derive(Debug)]
pub struct AgentLayer {
    recorder: Recorder,
    /// Open spans whose start waits for a field: while there are none, entering and leaving costs one load.
    waiting: AtomicUsize,
    /// Open spans that have not said yet what they are: while there are none, nobody looks for them.
    candidates: AtomicUsize,
    contract: Contract,
    runs: runs::Runs,
    /// How the spans of its subscriber are found; known once it is part of one.
    find: Option<here::Find>,
    /// Whose ids are ours, if it is there.
    neighbour: otel::Neighbour,
    /// Asked when the subscriber around it is complete.
    on_register: Option<fn(&Dispatch)>,
}

impl AgentLayer {
    /// A layer that feeds this recorder. One is enough for a subscriber; a second would take the first one's spans over.
    pub fn new(recorder: Recorder) -> Self {
        let (waiting, candidates) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (runs, neighbour) = (runs::Runs::default(), otel::Neighbour::new());
        let contract = Contract::STANDARD;
        Self { recorder, waiting, candidates, contract, runs, find: None, neighbour, on_register: None }
    }

    /// What spans of your own mean, beside what is understood already.
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.contract = Contract::new(rules);
        self
    }

    /// Behind a filter of its own, so that neither another layer's silences it nor does it switch on what it cannot use.
    pub(crate) fn filtered<S>(self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let contract = self.contract.clone();
        self.with_filter(filter_fn(move |metadata| contract.concerns(metadata)))
    }

    /// Calls this with the complete subscriber, before it is installed. It must not log: tracing-core holds a lock.
    pub(crate) fn on_register(mut self, call: fn(&Dispatch)) -> Self {
        self.on_register = Some(call);
        self
    }

    fn open<S>(&self, attributes: &Attributes<'_>, span: &SpanRef<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let metadata = attributes.metadata();
        let Some(shape) = Shape::under(&self.contract, metadata) else { return };
        if shape.declares(Slot::Traceparent) && !shape.declares(Slot::Operation) {
            return self.remember_elsewhere(&shape, attributes, span);
        }
        // A log of the user's may open agent spans of its own: each would be an event for it, without end.
        if !shape.can_tell || !self.recorder.is_wanted() || self.recorder.is_this_thread() {
            return;
        }
        let fields = Fields::visit(&shape, |visitor| attributes.record(visitor));
        match classify::judge(&shape, metadata, &fields, false) {
            Some(kind) => self.begin(kind, fields, &shape, span, None),
            None => self.await_word(fields, span),
        }
    }

    /// Something of this kind begins, or has begun before it was known what it is.
    fn begin<S>(
        &self,
        kind: SpanKind,
        fields: Fields,
        shape: &Shape,
        span: &SpanRef<'_, S>,
        began: Option<(Instant, Timestamp)>,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if self.is_same_call(kind, &fields, shape, span, began.is_some()) {
            return;
        }
        let mut open = self.place(kind, fields, span);
        if let Some((started, started_at)) = began {
            (open.started, open.started_at) = (started, started_at);
        }
        open.of_call_site(shape);
        let named = self.name(&mut open, &span.id());
        let mut extensions = span.extensions_mut();
        let Some(newest) = self.claim(&mut extensions, began.is_some()) else { return };
        open.merge(newest);
        match named && open.is_ready() {
            true => self.announce(&mut open),
            false => {
                open.waits = true;
                self.waiting.fetch_add(1, Ordering::Relaxed);
            }
        }
        // Not `insert`, which panics where another layer of this kind has been.
        extensions.replace(open);
    }

    /// Whether a new span has the ids that it is going to keep, as far as one can know.
    fn name(&self, open: &mut OpenSpan, id: &Id) -> bool {
        // Who opens a root may still give it a parent from elsewhere: its ids are asked for when something happens in it.
        let ids = matches!(open.role, Role::Inner(_)).then(|| self.neighbour.ids(id)).flatten();
        let known = ids.is_some() || !self.neighbour.is_expected();
        ids.into_iter().for_each(|ids| open.take(ids));
        known
    }

    /// Locks what is known of a span that every layer has seen; its start is told before if `when` says so.
    fn announced<'a, S>(&self, span: &'a SpanRef<'_, S>, when: fn(&OpenSpan) -> bool) -> ExtensionsMut<'a>
    where
        S: for<'b> LookupSpan<'b>,
    {
        let mut ids = self.neighbour.ids_for_start(span, when);
        let mut extensions = span.extensions_mut();
        let starts = |open: &mut OpenSpan| !open.announced && when(open);
        // Another thread may have brought meanwhile what the start waited for.
        if ids.is_none() && self.neighbour.is_expected() && extensions.get_mut().is_some_and(starts) {
            drop(extensions);
            ids = self.neighbour.ids_for_start(span, when);
            extensions = span.extensions_mut();
        }
        if let Some(open) = extensions.get_mut::<OpenSpan>()
            && when(open)
        {
            ids.into_iter().for_each(|ids| open.take(ids));
            self.announce(open);
        }
        extensions
    }

    fn announce(&self, open: &mut OpenSpan) {
        self.stop_waiting(open);
        self.runs.begin(open);
        open.announce(&self.recorder);
    }

    fn stop_waiting(&self, open: &mut OpenSpan) {
        if std::mem::take(&mut open.waits) {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn record<S>(&self, span: &SpanRef<'_, S>, values: &Record<'_>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(shape) = Shape::under(&self.contract, span.metadata()) else { return };
        // Before the span's extensions are locked: a value's `Debug` is the user's code.
        let fields = Fields::visit(&shape, |visitor| values.record(visitor));
        if !fields.is_empty() {
            self.learn(span, fields);
        } else if self.waiting.load(Ordering::Relaxed) > 0 {
            // genai enters no span, but the first that it records is where it calls.
            drop(self.announced(span, OpenSpan::is_due));
        }
    }

    /// Takes in what was said of a span later: by a record, or by an event in it.
    fn learn<S>(&self, span: &SpanRef<'_, S>, fields: Fields)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(fields) = self.add(span, fields) else { return };
        match self.call_of(span) {
            Some(call) => self.take_in(&call, &fields),
            None => {
                let unheard = self.reconsider(span, fields, false);
                // Another thread may have put it in its place meanwhile.
                unheard.and_then(|fields| self.add(span, fields));
            }
        }
    }

    /// Adds values to an open span; gives them back where there is none.
    fn add<S>(&self, span: &SpanRef<'_, S>, fields: Fields) -> Option<Fields>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let mut extensions = span.extensions_mut();
        let Some(open) = extensions.get_mut::<OpenSpan>() else { return Some(fields) };
        open.merge(fields);
        self.changed(span, extensions);
        None
    }

    /// Gives the lock of a span back, and tells its start if what was changed under it was what that waited for.
    fn changed<S>(&self, span: &SpanRef<'_, S>, mut extensions: ExtensionsMut<'_>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        let starts = extensions.get_mut::<OpenSpan>().is_some_and(|open| !open.announced && open.is_due());
        drop(extensions);
        if starts {
            drop(self.announced(span, OpenSpan::is_due));
        }
    }

    /// A piece of a stream, written in the nearest open span.
    fn write<S>(&self, event: &Event<'_>, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(shape) = Shape::of(event.metadata()) else { return };
        let Some(piece) = Piece::of(&Fields::visit(&shape, |visitor| event.record(visitor))) else { return };
        for span in ctx.event_scope(event).into_iter().flatten() {
            self.decide(&span);
            let mut extensions = self.announced(&span, |_| true);
            if let Some(open) = extensions.get_mut::<OpenSpan>() {
                return open.write(&self.recorder, piece);
            }
        }
    }

    /// A neighbour that was taken for absent, because its filter kept the first spans from it, may show up later.
    fn notice(&self, id: &Id) {
        if !self.neighbour.is_expected() {
            let _ = self.neighbour.ids(id);
        }
    }

    fn close(&self, mut open: OpenSpan) {
        self.stop_waiting(&mut open);
        self.runs.end(&open);
        open.end(&self.recorder);
    }
}
