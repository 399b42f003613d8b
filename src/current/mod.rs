//! What running code says of itself, with no handle passed down to it: [`current()`](crate::current).

mod permission;
mod said;

pub use permission::AskPermission;

use crate::{
    Cancellation, ExecutionHandle, ExecutionId, Json, Recorder, StepId, Text,
    control::{Cancelled, Control},
    event::Body,
    layer::Here,
    span::AgentSpan,
};
use serde::Serialize;
use std::{fmt, sync::Arc};

/// The agent span that this code runs in: the nearest one around it, whoever opened it.
///
/// Where there is none, or nobody listens, it is silent: it says nothing, is never cancelled, and may go on at once.
///
/// ```
/// # #[derive(serde::Serialize)] struct Plan;
/// async fn plan() -> Result<(), spanwright::Cancelled> {
///     let here = spanwright::current();
///     here.note("plan", &Plan);
///     here.checkpoint().await?; // waits while paused, fails when cancelled
///     Ok(())
/// }
/// ```
pub fn current() -> Current {
    Current { here: Here::now() }
}

/// A place in an execution, as [`current`] found it. It stays the same place wherever it is sent.
#[derive(Clone)]
pub struct Current {
    here: Option<Here>,
}

impl Current {
    /// Whether what is said here is heard.
    pub fn is_enabled(&self) -> bool {
        self.here.is_some()
    }

    /// The execution.
    pub fn execution_id(&self) -> Option<&ExecutionId> {
        self.here.as_ref().map(|here| &here.execution_id)
    }

    /// The step in it; of the outermost agent, the execution's own.
    pub fn step_id(&self) -> Option<&StepId> {
        self.here.as_ref().map(|here| &here.step_id)
    }

    /// The recorder that hears what is said here.
    pub fn recorder(&self) -> Option<&Recorder> {
        self.here.as_ref().map(|here| &here.recorder)
    }

    /// The execution's handle, to give to whoever steers it.
    pub fn handle(&self) -> Option<ExecutionHandle> {
        self.here.as_ref().map(|here| here.recorder.execution(&here.execution_id))
    }

    /// The span itself, to add a fact to it, while the code is in it: on another thread, or in a span further in, what is
    /// said of it is ignored. So are names that it does not declare. With no [`AgentLayer`](crate::AgentLayer) it is
    /// `tracing`'s current span.
    ///
    /// Its end is told by who opened it, so [`fail`](AgentSpan::fail) leaves the error on the span but does not decide its
    /// outcome.
    pub fn span(&self) -> AgentSpan {
        match Here::now().map(|now| now.step_id).as_ref() == self.step_id() {
            true => AgentSpan::current(),
            false => AgentSpan::none(),
        }
    }

    /// Says any event of the vocabulary, of this execution and step.
    pub fn emit(&self, event: impl Into<Body>) {
        if let Some(here) = &self.here {
            here.emit(event);
        }
    }

    /// Notes anything: any name, any value.
    pub fn note<T: Serialize + ?Sized>(&self, name: impl Into<Text>, value: &T) {
        if self.is_enabled() {
            self.emit(crate::event::Note::new(name, Json::of(value)));
        }
    }

    /// Waits while the execution is paused. Put it between two pieces of work that may be apart in time.
    ///
    /// # Errors
    /// [`Cancelled`] when the execution was asked to end. Return it: the execution then ends as cancelled.
    pub async fn checkpoint(&self) -> Result<(), Cancelled> {
        match self.control() {
            Some(control) => control.go_on().await,
            None => Ok(()),
        }
    }

    /// The same for code that is not async: blocks the thread.
    ///
    /// # Errors
    /// As for [`checkpoint`](Self::checkpoint).
    pub fn checkpoint_blocking(&self) -> Result<(), Cancelled> {
        self.control().map_or(Ok(()), |control| control.go_on_blocking())
    }

    /// Tells when the execution is cancelled.
    pub fn cancellation(&self) -> Cancellation {
        self.control().map_or_else(Cancellation::never, |control| control.cancellation())
    }

    /// Asks a person whether a tool may run with these arguments. Await it for the answer, which
    /// [`ExecutionHandle::decide`] gives from anywhere.
    pub fn ask_permission<T: Serialize + ?Sized>(&self, tool: impl Into<Text>, arguments: &T) -> AskPermission {
        AskPermission::new(self.here.clone(), tool.into(), Json::of(arguments))
    }

    fn control(&self) -> Option<Arc<Control>> {
        self.here.as_ref().map(|here| here.recorder.control(&here.execution_id))
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current").field("execution_id", &self.execution_id()).field("step_id", &self.step_id()).finish()
    }
}
