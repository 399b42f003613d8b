//! The runtime that an exporter finds around it: driven by a thread of its own, so that the exporter itself may block.
//!
//! Awaited inside `block_on`, an exporter that blocks would panic (one over `reqwest::blocking`, which is
//! opentelemetry-otlp's default, makes and drops a runtime in each call); polled with no runtime around it, one over hyper
//! would. So its future is polled by nothing, in the context of a runtime that runs elsewhere.

use crate::{Error, pending::park_until};
use futures_channel::oneshot;
use std::{thread, time::Duration};
use tokio::runtime::{Builder, Handle};
use tracing::dispatcher::{Dispatch, with_default};

pub(super) struct Beside {
    handle: Handle,
    /// Dropped, it ends the thread.
    _stop: oneshot::Sender<()>,
}

impl Beside {
    pub(super) fn start() -> Result<Self, Error> {
        let failed = |source| Error::io("the runtime of an exporter").with_source(source);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (handle, (stop, stopped)) = (runtime.handle().clone(), oneshot::channel());
        let drive = move || {
            // What a client on it logs is heard by nobody: it could cause the next span.
            with_default(&Dispatch::none(), || {
                let _ = runtime.block_on(stopped);
                // Not waiting for look-ups of names, which end when the system likes.
                runtime.shutdown_background();
            });
        };
        thread::Builder::new().name("spanwright-bridge".into()).spawn(drive).map_err(failed)?;
        Ok(Self { handle, _stop: stop })
    }

    /// Calls something of the exporter's, in its runtime's context.
    pub(super) fn run<T>(&self, call: impl FnOnce() -> T) -> T {
        let _context = self.handle.enter();
        with_default(&Dispatch::none(), call)
    }

    /// Awaits a future of the exporter's on this thread; none when it takes longer than that. It is dropped then.
    pub(super) fn wait<F: Future + Unpin>(&self, mut future: F, limit: Duration) -> Option<F::Output> {
        use std::pin::Pin;
        park_until(crate::time::deadline(limit), |cx| Pin::new(&mut future).poll(cx))
    }
}
