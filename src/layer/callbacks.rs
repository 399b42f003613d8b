//! What `tracing` tells the layer: each callback behind the guard, and handed on.

use super::{AgentLayer, guard, here, open::OpenSpan, shape::Shape};
use crate::semconv;
use std::sync::atomic::Ordering;
use tracing::{
    Dispatch, Event, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::LookupSpan,
};

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
        } else if Shape::under(&self.contract, event.metadata()).is_some() {
            guard::once(&self.recorder, || self.hear(event, &ctx));
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
            self.decide(&span);
            self.forget(&span);
            // Taken out before its end is emitted: nothing is held while the story is told.
            let open = self.announced(&span, |_| true).remove::<OpenSpan>();
            if let Some(open) = open {
                self.notice(&id);
                self.tell_outer(&open, &span);
                self.close(open);
            }
        });
    }
}

impl AgentLayer {
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
}
