//! `tracing` → `StreamEvent`: reads the span contract of `semconv`, whoever wrote the span. The only user of
//! tracing-subscriber.

mod calls;
mod classify;
mod contract;
mod ending;
mod fields;
mod guard;
mod here;
mod open;
mod pieces;
mod place;
mod rules;
mod runs;
mod same;
mod shape;
mod story;
mod told;

use crate::{Recorder, Timestamp, semconv};
use contract::{Slot, SpanKind};
use fields::Fields;
use open::OpenSpan;
use pieces::Piece;
use shape::Shape;

pub(crate) use here::{Here, Place};
pub(crate) use rules::Contract;
pub use rules::Rules;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};
use tracing::{
    Event, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::{LookupSpan, SpanRef},
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
/// 7. `gen_ai.tool.name` or `gen_ai.tool.call.id`, then `gen_ai.request.model` or `gen_ai.response.model`.
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
}

impl AgentLayer {
    /// A layer that feeds this recorder. One is enough for a subscriber; a second would take the first one's spans over.
    pub fn new(recorder: Recorder) -> Self {
        let (waiting, candidates) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { recorder, waiting, candidates, contract: Contract::STANDARD, runs: runs::Runs::default(), find: None }
    }

    /// What spans of your own mean, beside what is understood already.
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.contract = Contract::new(rules);
        self
    }

    /// What it reads, for a filter.
    pub(crate) const fn contract(&self) -> &Contract {
        &self.contract
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
        if !classify::can_tell(&shape, metadata) || !self.recorder.is_wanted() {
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
        if self.is_same_call(kind, &fields, span, began.is_some()) {
            return;
        }
        let mut open = self.place(kind, fields, span);
        if let Some((started, started_at)) = began {
            (open.started, open.started_at) = (started, started_at);
        }
        open.of_call_site(shape, span.metadata());
        let mut extensions = span.extensions_mut();
        let Some(newest) = self.claim(&mut extensions, began.is_some()) else { return };
        open.merge(newest);
        match open.is_ready() {
            true => self.announce(&mut open),
            false => {
                open.waits = true;
                self.waiting.fetch_add(1, Ordering::Relaxed);
            }
        }
        // Not `insert`, which panics where another layer of this kind has been.
        extensions.replace(open);
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

    /// Something happens in the span: if it is known what it is, it is announced now.
    fn touch<S>(&self, id: &Id, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        guard::once(|| {
            let Some(span) = ctx.span(id) else { return };
            let mut extensions = span.extensions_mut();
            if let Some(open) = extensions.get_mut::<OpenSpan>()
                && open.has_identity()
            {
                self.announce(open);
            }
        });
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
        if open.is_ready() {
            self.announce(open);
        }
        None
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
            let mut extensions = span.extensions_mut();
            if let Some(open) = extensions.get_mut::<OpenSpan>() {
                self.announce(open);
                return open.write(&self.recorder, piece);
            }
        }
    }

    fn close(&self, mut open: OpenSpan) {
        self.stop_waiting(&mut open);
        self.runs.end(&open);
        open.end(&self.recorder);
    }
}

impl<S> Layer<S> for AgentLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_layer(&mut self, _: &mut S) {
        self.find = Some(here::find::<S>);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        guard::once(|| {
            if let Some(span) = ctx.span(id) {
                self.open(attributes, &span);
            }
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        guard::once(|| {
            if let Some(span) = ctx.span(id) {
                self.record(&span, values);
            }
        });
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        match event.metadata().target() == semconv::DELTA_TARGET {
            true => guard::once(|| self.write(event, &ctx)),
            false => guard::once(|| self.hear(event, &ctx)),
        }
    }

    fn on_enter(&self, id: &Id, ctx: Context<'_, S>) {
        self.touch(id, &ctx);
    }

    fn on_exit(&self, id: &Id, ctx: Context<'_, S>) {
        self.touch(id, &ctx);
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        guard::once(|| {
            let Some(span) = ctx.span(&id) else { return };
            self.decide(&span);
            self.forget(&span);
            // Taken out before anything is emitted: nothing is held while the story is told.
            let open = span.extensions_mut().remove::<OpenSpan>();
            if let Some(open) = open {
                self.tell_outer(&open, &span);
                self.close(open);
            }
        });
    }
}
