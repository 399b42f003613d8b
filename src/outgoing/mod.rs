//! What leaves this process says where it comes from: the running step as a place to go on from.

#[cfg(feature = "reqwest")]
mod request;

#[cfg(feature = "reqwest")]
pub use request::WithTraceContext;

use crate::{
    context::TraceContext,
    layer::{Here, Place},
};

impl TraceContext {
    /// The running step, for others to go on from: the nearest agent span around this code. Outside of any, the place
    /// that it goes on from itself, so that a program without agents passes a trace on. None where there is neither, or
    /// no [`AgentLayer`](crate::AgentLayer) listens.
    pub fn current() -> Option<Self> {
        let place = Place::now()?;
        place.elsewhere.or_else(|| place.here.map(leaving))
    }
}

fn leaving(here: Here) -> TraceContext {
    let start = || TraceContext::new(here.execution_id.clone(), here.step_id.clone());
    let came_from = here.remote.clone().unwrap_or_else(start);
    came_from.moved_to(here.execution_id, here.step_id)
}
