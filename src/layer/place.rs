//! Where a span belongs: in an open span around it, in a trace that came from elsewhere, or in an execution of its own.

use super::{
    AgentLayer,
    contract::{Slot, SpanKind},
    fields::Fields,
    open::{OpenSpan, Role, Run},
    shape::Shape,
};
use crate::{StepId, Text, context::TraceContext};
use std::sync::Arc;
use tracing::{Subscriber, span::Attributes};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// On a span that stands for a place elsewhere: what begins inside goes on from there.
pub(super) struct Elsewhere(pub(super) TraceContext);

/// What is around a new span.
pub(super) enum Around {
    Inside(Arc<Run>, StepId),
    Elsewhere(TraceContext),
    Nothing,
}

impl AgentLayer {
    /// Remembers where the trace of a request came from. A bad `traceparent` is as good as none.
    pub(super) fn remember_elsewhere<S>(&self, shape: &Shape, attributes: &Attributes<'_>, span: &SpanRef<'_, S>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        let fields = Fields::visit(shape, |visitor| attributes.record(visitor));
        let [traceparent, tracestate, baggage] =
            [Slot::Traceparent, Slot::Tracestate, Slot::Baggage].map(|slot| fields.str(slot));
        if let Some(context) = TraceContext::read(traceparent, tracestate, baggage) {
            span.extensions_mut().replace(Elsewhere(context));
        }
    }

    /// Finds the place of a new span in an execution, or makes one for it.
    pub(super) fn place<S>(&self, kind: SpanKind, fields: Fields, span: &SpanRef<'_, S>) -> OpenSpan
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let around = match (self.around(span), kind) {
            (Around::Nothing, kind) if kind != SpanKind::Agent => self.adopted(span, &fields),
            (around, _) => around,
        };
        let (run, parent_step_id) = match around {
            Around::Inside(run, parent) => (run, Some(parent)),
            Around::Elsewhere(context) => match self.runs.find(context.execution_id()) {
                Some(run) => (run, Some(context.step_id().clone())),
                None => (Run::new(&fields, Some(context), None), None),
            },
            Around::Nothing => (Run::new(&fields, None, None), None),
        };
        let role = match (&parent_step_id, kind) {
            (Some(_), _) => Role::Inner(kind),
            (None, SpanKind::Agent) => Role::Root,
            (None, _) => Role::Alone(kind),
        };
        let mut open = OpenSpan::new(run, role, fields, Text::from_static(span.name()));
        open.parent_step_id = parent_step_id;
        open
    }

    /// The nearest open span around a new one: it is announced now, and a text that it was writing has ended. Or the
    /// nearest place elsewhere, if that is nearer.
    fn around<S>(&self, span: &SpanRef<'_, S>) -> Around
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let found = ancestors(span).find_map(|ancestor| {
            self.decide(&ancestor);
            let mut extensions = self.announced(&ancestor, |_| true);
            if let Some(Elsewhere(context)) = extensions.get_mut() {
                return Some(Around::Elsewhere(context.clone()));
            }
            let open = extensions.get_mut::<OpenSpan>()?;
            open.close_segment(&self.recorder, None);
            let (run, step) = open.place();
            Some(Around::Inside(run, step))
        });
        found.unwrap_or(Around::Nothing)
    }

    fn adopted<S>(&self, span: &SpanRef<'_, S>, fields: &Fields) -> Around
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        match span.parent().and_then(|parent| self.adopt(&parent, fields)) {
            Some((run, step)) => Around::Inside(run, step),
            None => Around::Nothing,
        }
    }

    /// A plain span with agent spans in it is taken as the agent, as rig takes whatever span is around its run. What
    /// the first of them says of the execution is the execution's.
    fn adopt<S>(&self, parent: &SpanRef<'_, S>, fields: &Fields) -> Option<(Arc<Run>, StepId)>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let ids = self.neighbour.is_expected().then(|| self.neighbour.ids_or_miss(&parent.id())).flatten();
        let mut extensions = parent.extensions_mut();
        // Another thread may have been faster.
        if extensions.get_mut::<OpenSpan>().is_none() {
            self.claim(&mut extensions, true);
            let known = fields.only(&[Slot::AgentName, Slot::SessionId, Slot::TenantId, Slot::UserId]);
            let (trace, step) = ids.map(|ids| (ids.trace, ids.step)).unzip();
            let mut root =
                OpenSpan::new(Run::new(fields, None, trace), Role::Root, known, Text::from_static(parent.name()));
            root.step_id = step.unwrap_or(root.step_id);
            self.announce(&mut root);
            extensions.replace(root);
        }
        extensions.get_mut::<OpenSpan>().map(|root| root.place())
    }
}

/// The spans around one, the nearest first. `scope` looks the span itself up once more.
pub(super) fn ancestors<'a, S>(span: &SpanRef<'a, S>) -> impl Iterator<Item = SpanRef<'a, S>>
where
    S: for<'b> LookupSpan<'b>,
{
    std::iter::successors(span.parent(), SpanRef::parent)
}
