//! What events tell of the span around them: swiftide and others put in events what a span could not know before.

use super::{
    AgentLayer, classify::Candidate, contract::Slot, fields::Fields, open::OpenSpan, rules, same::SameCall,
    shape::Shape,
};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

impl AgentLayer {
    /// Takes in what an event says of the nearest agent span around it: what went in, what came out, what was used. An
    /// ERROR event with the field `error` (`#[tracing::instrument(err)]` emits one) says that the very span in which it
    /// was emitted failed, as tracing-opentelemetry has it; our own spans know better how they ended.
    pub(super) fn hear<S>(&self, event: &Event<'_>, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(shape) = Shape::under(&self.contract, event.metadata()) else { return };
        let mut fields = Fields::visit(&shape, |visitor| event.record(visitor));
        for (distance, span) in ctx.event_scope(event).into_iter().flatten().enumerate() {
            if !is_watched(&span) {
                continue;
            }
            if distance > 0 || rules::emitter(span.metadata().target()) == rules::OURS {
                fields.forget(&[Slot::ErrorText]);
            }
            if !fields.is_empty() {
                self.learn(&span, fields);
            }
            return;
        }
    }
}

fn is_watched<S>(span: &SpanRef<'_, S>) -> bool
where
    S: for<'a> LookupSpan<'a>,
{
    let extensions = span.extensions();
    extensions.get::<OpenSpan>().is_some()
        || extensions.get::<SameCall>().is_some()
        || extensions.get::<Candidate>().is_some()
}
