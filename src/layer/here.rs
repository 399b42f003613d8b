//! Where running code stands: the nearest open span around it, asked through the current subscriber.

use super::{AgentLayer, open::OpenSpan};
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
    #[allow(dead_code, reason = "read by what passes the trace on, which comes next")]
    pub(crate) remote: Option<TraceContext>,
}

/// Finds the open span of an id. The layer knows the type of its subscriber only while it is built in.
pub(super) type Find = fn(&AgentLayer, &Dispatch, &Id) -> Option<Here>;

impl Here {
    /// The nearest agent span around the running code; none where there is none or nobody listens.
    pub(crate) fn now() -> Option<Self> {
        Self::of(&Span::current())
    }

    /// The nearest agent span that is this one or around it.
    pub(crate) fn of(span: &Span) -> Option<Self> {
        span.with_subscriber(|(id, dispatch)| {
            let layer = dispatch.downcast_ref::<AgentLayer>()?;
            (layer.find?)(layer, dispatch, id)
        })?
    }

    /// Emits an event of this step.
    pub(crate) fn emit(&self, body: impl Into<Body>) {
        let mut event = StreamEvent::new(body).of_execution(self.execution_id.clone());
        event.step_id = Some(self.step_id.clone());
        self.recorder.emit(event);
    }
}

/// What is said in a span comes after its start: the start is told now.
pub(super) fn find<S>(layer: &AgentLayer, dispatch: &Dispatch, id: &Id) -> Option<Here>
where
    S: for<'a> LookupSpan<'a> + 'static,
{
    let span = dispatch.downcast_ref::<S>()?.span(id)?;
    span.scope().find_map(|ancestor| {
        let mut extensions = ancestor.extensions_mut();
        let open = extensions.get_mut::<OpenSpan>()?;
        layer.announce(open);
        let (run, step_id) = open.place();
        let recorder = layer.recorder.clone();
        Some(Here { recorder, execution_id: run.execution_id.clone(), step_id, remote: run.remote.clone() })
    })
}
