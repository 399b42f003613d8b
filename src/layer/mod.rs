//! `tracing` → `StreamEvent`: reads the span contract of `semconv`, whoever wrote the span. The only user of
//! tracing-subscriber.

mod calls;
mod contract;
mod ending;
mod fields;
mod guard;
mod here;
mod open;
mod otel;
mod pieces;
mod place;
mod runs;
mod story;

use crate::{Recorder, semconv};
use contract::{Slot, SpanKind};
use fields::{Fields, Shape};
use open::{OpenSpan, Role};
use pieces::Piece;

pub(crate) use here::{Here, Place};
use std::sync::atomic::{AtomicUsize, Ordering};
use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::{ExtensionsMut, LookupSpan, SpanRef},
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
        let (waiting, runs, neighbour) = (AtomicUsize::new(0), runs::Runs::default(), otel::Neighbour::new());
        Self { recorder, waiting, runs, find: None, neighbour, on_register: None }
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
        let Some(shape) = Shape::of(attributes.metadata()) else { return };
        if shape.declares(Slot::Traceparent) && !shape.declares(Slot::Operation) {
            return self.remember_elsewhere(&shape, attributes, span);
        }
        // A log of the user's may open agent spans of its own: each would be an event for it, without end.
        if !shape.declares(Slot::Operation) || !self.recorder.is_wanted() || self.recorder.is_this_thread() {
            return;
        }
        let fields = Fields::visit(&shape, |visitor| attributes.record(visitor));
        let Some(kind) = fields.str(Slot::Operation).and_then(SpanKind::of_operation) else { return };
        let mut open = self.place(kind, fields, span);
        open.is_rig = attributes.metadata().target().starts_with("rig");
        open.awaits_input = shape.declares(kind.input()) && !open.fields.has(kind.input());
        let named = self.name(&mut open, &span.id());
        match named && open.is_ready() {
            true => self.announce(&mut open),
            false => {
                open.waits = true;
                self.waiting.fetch_add(1, Ordering::Relaxed);
            }
        }
        // Not `insert`, which panics where another layer of this kind has been.
        span.extensions_mut().replace(open);
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
        let ids = self.neighbour.ids_for_start(span, when);
        let mut extensions = span.extensions_mut();
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

    /// Something happens in the span: if it is known what it is, it is announced now.
    fn touch<S>(&self, id: &Id, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        guard::once(&self.recorder, || {
            if let Some(span) = ctx.span(id) {
                drop(self.announced(&span, OpenSpan::has_identity));
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
        let starts = !open.announced && open.is_due();
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

    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.neighbour.meet(dispatch);
        if let Some(call) = self.on_register {
            call(dispatch);
        }
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        guard::once(&self.recorder, || {
            if let Some(span) = ctx.span(id) {
                self.open(attributes, &span);
            }
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        guard::once(&self.recorder, || {
            if let Some(span) = ctx.span(id) {
                self.record(&span, values);
            }
        });
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        if event.metadata().target() == semconv::DELTA_TARGET {
            guard::once(&self.recorder, || self.write(event, &ctx));
        }
    }

    fn on_enter(&self, id: &Id, ctx: Context<'_, S>) {
        self.touch(id, &ctx);
    }

    fn on_exit(&self, id: &Id, ctx: Context<'_, S>) {
        self.touch(id, &ctx);
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        guard::contained(&self.recorder, || {
            let Some(span) = ctx.span(&id) else { return };
            // Taken out before its end is emitted: nothing is held while the story is told.
            let open = self.announced(&span, |_| true).remove::<OpenSpan>();
            if let Some(open) = open {
                self.notice(&id);
                self.close(open);
            }
        });
    }
}
