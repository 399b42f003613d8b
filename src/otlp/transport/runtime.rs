//! A runtime of one's own, entered from threads that have none, and left without waiting for anybody.

use crate::Error;
use std::{panic::resume_unwind, thread};
use tokio::runtime::{Builder, Handle, Runtime};
use tracing::dispatcher::{Dispatch, with_default};

/// A current-thread runtime: it runs only while somebody waits in [`block_on`](OwnRuntime::block_on).
pub(super) struct OwnRuntime(Option<Runtime>);

impl OwnRuntime {
    pub(super) fn new() -> Result<Self, Error> {
        let failed = |source| Error::io("runtime of an OTLP destination").with_source(source);
        Builder::new_current_thread().enable_all().build().map(|runtime| Self(Some(runtime))).map_err(failed)
    }

    /// Runs it to its end on this thread. What the HTTP client says through `tracing` meanwhile is heard by nobody: sent
    /// on by a subscriber that exports, it would cause the next request.
    pub(super) fn block_on<F>(&self, future: F) -> F::Output
    where
        F: Future + Send,
        F::Output: Send,
    {
        let runtime = self.0.as_ref().expect("taken only by the drop");
        let run = || with_default(&Dispatch::none(), || runtime.block_on(future));
        match Handle::try_current() {
            // Where a runtime is being driven already, tokio panics: then on a thread beside it.
            Ok(_) => thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => run(),
        }
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        // Not `drop(runtime)`: that waits for look-ups of names, which end when the system likes, and it panics where
        // another runtime is being driven.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
