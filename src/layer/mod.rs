//! `tracing` → `StreamEvent`: reads the span contract of `semconv`, whoever wrote the span. The only user of
//! tracing-subscriber.

mod calls;
mod contract;
mod ending;
mod fields;
mod guard;
mod here;
mod open;
mod pieces;
mod place;
mod story;

use crate::{Recorder, semconv};
use contract::{Slot, SpanKind};
use fields::{Fields, Shape};
use open::OpenSpan;
use pieces::Piece;

pub(crate) use here::Here;
use std::sync::atomic::{AtomicUsize, Ordering};
use tracing::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::{LookupSpan, SpanRef},
};

/// Turns agent spans into events.
///
/// Understood are spans that carry `gen_ai.operation.name`: those of this crate's macros and builders, of rig, and any
/// `info_span!` with the same fields. Other spans only pass parenthood on. The layer never answers for other layers,
/// emits nothing through `tracing` itself, and never unwinds into the program.
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
    /// How the spans of its subscriber are found; known once it is part of one.
    find: Option<here::Find>,
}

impl AgentLayer {
    /// A layer that feeds this recorder. One is enough for a subscriber; a second would take the first one's spans over.
    pub const fn new(recorder: Recorder) -> Self {
        Self { recorder, waiting: AtomicUsize::new(0), find: None }
    }

    fn open<S>(&self, attributes: &Attributes<'_>, span: &SpanRef<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(shape) = Shape::of(attributes.metadata()) else { return };
        if shape.declares(Slot::Traceparent) {
            return self.remember_elsewhere(&shape, attributes, span);
        }
        if !shape.declares(Slot::Operation) || !self.recorder.is_wanted() {
            return;
        }
        let fields = Fields::visit(&shape, |visitor| attributes.record(visitor));
        let Some(kind) = fields.str(Slot::Operation).and_then(SpanKind::of_operation) else { return };
        let mut open = self.place(kind, fields, span);
        open.is_rig = attributes.metadata().target().starts_with("rig");
        open.awaits_input = shape.declares(kind.input()) && !open.fields.has(kind.input());
        match open.is_ready() {
            true => open.announce(&self.recorder),
            false => {
                open.waits = true;
                self.waiting.fetch_add(1, Ordering::Relaxed);
            }
        }
        // Not `insert`, which panics where another layer of this kind has been.
        span.extensions_mut().replace(open);
    }

    fn announce(&self, open: &mut OpenSpan) {
        self.stop_waiting(open);
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
        let Some(shape) = Shape::of(span.metadata()) else { return };
        // Before the span's extensions are locked: a value's `Debug` is the user's code.
        let fields = Fields::visit(&shape, |visitor| values.record(visitor));
        if fields.is_empty() {
            return;
        }
        let mut extensions = span.extensions_mut();
        let Some(open) = extensions.get_mut::<OpenSpan>() else { return };
        open.merge(fields);
        if open.is_ready() {
            self.announce(open);
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
            let mut extensions = span.extensions_mut();
            if let Some(open) = extensions.get_mut::<OpenSpan>() {
                self.announce(open);
                return open.write(&self.recorder, piece);
            }
        }
    }

    fn close(&self, mut open: OpenSpan) {
        self.stop_waiting(&mut open);
        open.end(&self.recorder);
    }
}

/// What the layer can use: agent spans of every level, plain spans from INFO up, which may be around them, and pieces of
/// text. A filter for this layer alone; without one, every TRACE span and event of the process is switched on for it.
pub(crate) fn concerns(metadata: &Metadata<'_>) -> bool {
    match metadata.is_span() {
        true => *metadata.level() <= Level::INFO || metadata.fields().field(semconv::OPERATION_NAME).is_some(),
        false => metadata.target() == semconv::DELTA_TARGET,
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
        if event.metadata().target() == semconv::DELTA_TARGET {
            guard::once(|| self.write(event, &ctx));
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
            // Taken out before anything is emitted: nothing is held while the story is told.
            let open = ctx.span(&id).and_then(|span| span.extensions_mut().remove::<OpenSpan>());
            if let Some(open) = open {
                self.close(open);
            }
        });
    }
}
