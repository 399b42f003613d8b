//! Where running code stands: the nearest open span around it, asked through the current subscriber.

use super::{AgentLayer, open::OpenSpan, place::Elsewhere};
use crate::{ExecutionId, Recorder, StepId, StreamEvent, context::TraceContext, event::Body};
use tracing::{Dispatch, Span, span::Id};
use tracing_subscriber::registry::LookupSpan;

/// An open span, and the recorder that hears of it.
#[derive(Debug, Clone)]
pub(crate) struct Here {
    pub(crate) recorder: Recorder,
    pub(crate) execution_id: ExecutionId,
    pub(crate) step_id: StepId,
    /// Where its execution goes on from, if it was begun elsewhere.
    pub(crate) remote: Option<TraceContext>,
}

/// Where code stands.
#[derive(Debug)]
pub(crate) struct Place {
    /// The nearest open span of this process.
    pub(crate) here: Option<Here>,
    /// The place in another process that it goes on from, where that is nearer.
    pub(crate) elsewhere: Option<TraceContext>,
}

/// Finds the place of a span. The layer knows the type of its subscriber only while it is built in.
pub(super) type Find = fn(&AgentLayer, &Dispatch, &Id) -> Option<Place>;

impl Place {
    /// Of the running code; none where nothing is around it or nobody listens.
    pub(crate) fn now() -> Option<Self> {
        Span::current().with_subscriber(|(id, dispatch)| {
            let layer = dispatch.downcast_ref::<AgentLayer>()?;
            (layer.find?)(layer, dispatch, id)
        })?
    }
}

impl Here {
    /// The nearest agent span around the running code; none where there is none or nobody listens.
    pub(crate) fn now() -> Option<Self> {
        Place::now()?.here
    }

    /// Emits an event of this step.
    pub(crate) fn emit(&self, body: impl Into<Body>) {
        let mut event = StreamEvent::new(body).of_execution(self.execution_id.clone());
        event.step_id = Some(self.step_id.clone());
        self.recorder.emit(event);
    }
}

/// What is said in a span comes after its start: the start is told now.
pub(super) fn find<S>(layer: &AgentLayer, dispatch: &Dispatch, id: &Id) -> Option<Place>
where
    S: for<'a> LookupSpan<'a> + 'static,
{
    let span = dispatch.downcast_ref::<S>()?.span(id)?;
    let mut elsewhere = None;
    let here = span.scope().find_map(|ancestor| {
        let mut extensions = layer.announced(&ancestor, |_| true);
        if let Some(Elsewhere(context)) = extensions.get_mut() {
            elsewhere.get_or_insert_with(|| context.clone());
        }
        let open = extensions.get_mut::<OpenSpan>()?;
        let (run, step_id) = open.place();
        let (execution_id, remote) = (run.execution_id.clone(), run.remote.clone());
        Some(Here { recorder: layer.recorder.clone(), execution_id, step_id, remote })
    });
    Some(Place { here, elsewhere })
}
