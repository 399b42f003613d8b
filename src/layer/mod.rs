//! `tracing` → `StreamEvent`: reads the span contract of `semconv`, whoever wrote the span. The only user of
//! tracing-subscriber.

mod contract;
mod fields;
mod guard;
mod open;
mod story;

use crate::{Recorder, semconv};
use contract::{Slot, SpanKind};
use fields::{Fields, Shape};
use open::{OpenSpan, Role, Run, SegmentKind};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
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
    unannounced: AtomicUsize,
}

impl AgentLayer {
    /// A layer that feeds this recorder.
    pub const fn new(recorder: Recorder) -> Self {
        Self { recorder, unannounced: AtomicUsize::new(0) }
    }

    fn open<S>(&self, attributes: &Attributes<'_>, span: &SpanRef<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(shape) = Shape::of(attributes.metadata()) else { return };
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
            false => drop(self.unannounced.fetch_add(1, Ordering::Relaxed)),
        }
        span.extensions_mut().insert(open);
    }

    /// Finds the place of a new span in an execution, or makes one for it.
    fn place<S>(&self, kind: SpanKind, fields: Fields, span: &SpanRef<'_, S>) -> OpenSpan
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let name = span.name();
        if let Some((run, parent)) = self.enter_parent(span) {
            let mut open = OpenSpan::new(run, Role::Inner(kind), fields, name);
            open.parent_step_id = Some(parent);
            return open;
        }
        if kind == SpanKind::Agent {
            return OpenSpan::new(Run::new(&fields), Role::Root, fields, name);
        }
        match span.parent() {
            Some(parent) => self.adopt(kind, fields, span, &parent),
            None => OpenSpan::new(Run::new(&fields), Role::Alone(kind), fields, name),
        }
    }

    /// The nearest open span around a new one. It is announced now, and a text that it was writing has ended.
    fn enter_parent<S>(&self, span: &SpanRef<'_, S>) -> Option<(Arc<Run>, crate::StepId)>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        span.scope().skip(1).find_map(|ancestor| {
            let mut extensions = ancestor.extensions_mut();
            let open = extensions.get_mut::<OpenSpan>()?;
            self.announce(open);
            open.close_segment(&self.recorder, None);
            Some((open.run.clone(), open.step_id.clone()))
        })
    }

    /// A plain span with agent spans in it is taken as the agent, as rig takes whatever span is around its run.
    fn adopt<S>(&self, kind: SpanKind, fields: Fields, span: &SpanRef<'_, S>, parent: &SpanRef<'_, S>) -> OpenSpan
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let mut root = OpenSpan::new(Run::new(&fields), Role::Root, fields.only(Slot::AgentName), parent.name());
        root.announce(&self.recorder);
        let mut open = OpenSpan::new(root.run.clone(), Role::Inner(kind), fields, span.name());
        open.parent_step_id = Some(root.step_id.clone());
        parent.extensions_mut().insert(root);
        open
    }

    fn announce(&self, open: &mut OpenSpan) {
        if !open.announced {
            self.unannounced.fetch_sub(1, Ordering::Relaxed);
            open.announce(&self.recorder);
        }
    }

    /// Something happens in the span: if it is known what it is, it is announced now.
    fn touch<S>(&self, id: &Id, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if self.unannounced.load(Ordering::Relaxed) == 0 {
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
        open.fields.merge(fields);
        if open.is_ready() {
            self.announce(open);
        }
    }

    /// A piece of text, written in the nearest open span.
    fn write<S>(&self, event: &Event<'_>, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(shape) = Shape::of(event.metadata()) else { return };
        let fields = Fields::visit(&shape, |visitor| event.record(visitor));
        let text = fields.text(Slot::DeltaText).map(|piece| (SegmentKind::Text, piece));
        let Some((kind, piece)) = text.or_else(|| Some((SegmentKind::Reasoning, fields.text(Slot::DeltaReasoning)?)))
        else {
            return;
        };
        for span in ctx.event_scope(event).into_iter().flatten() {
            let mut extensions = span.extensions_mut();
            if let Some(open) = extensions.get_mut::<OpenSpan>() {
                self.announce(open);
                return open.write(&self.recorder, kind, piece);
            }
        }
    }

    fn close(&self, open: OpenSpan) {
        if !open.announced {
            self.unannounced.fetch_sub(1, Ordering::Relaxed);
        }
        open.end(&self.recorder);
    }
}

impl<S> Layer<S> for AgentLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
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
