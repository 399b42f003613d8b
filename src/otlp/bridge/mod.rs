//! A user's own exporter of the OpenTelemetry SDK as a destination. The only place of this room that knows the SDK's types.

mod data;
mod foreign;
mod others;
mod outlet;
mod runtime;

use super::{
    delivery::{Counters, Outlet},
    map::Dialect,
    settings::Destination,
    transport::Signal,
};
use crate::Error;
use foreign::{Foreign, Given};
use opentelemetry_sdk::trace::SpanExporter;
use outlet::{Bridge, Sizes};
use std::sync::{Arc, Mutex, PoisonError};

pub(in crate::otlp) use foreign::Slot;
pub use others::WithoutAgentSpans;

/// What the place of an exporter is known by where nobody says it.
const NAME: &str = "exporter";

impl Destination {
    /// An exporter of `opentelemetry_sdk` 0.33, such as one of opentelemetry-otlp or your own. Needs the feature
    /// `otlp-bridge`. It is given finished spans, in batches of at most [`batch_spans`](Destination::batch_spans), one
    /// batch after the other; several exporters need names.
    ///
    /// It is polled on a thread of ours, in the context of a tokio runtime of ours that a second thread drives: what it
    /// spawns, sleeps and connects there runs on, whatever becomes of the program's own runtime. An exporter that blocks
    /// may do so. What it started in another runtime when it was made needs that one.
    ///
    /// It cannot say whether a failure is worth another try, so each is: the batch stays, with longer and longer waits. After
    /// three failures its spans are sent one by one, and one that failed twice, and others were taken in between, is given
    /// up and counted: as long as nobody is taken, it may be the other side that is down. After each batch it is flushed; at the end it is shut down, and what is not settled by then is sent by
    /// the next start, by whichever exporter then has the name.
    ///
    /// A destination with an exporter is started once: a clone of it has no other exporter.
    pub fn exporter(exporter: impl SpanExporter + 'static) -> Self {
        let slot: Box<dyn Foreign> = Box::new(Given(exporter));
        let mut this = Self::http("http://exporter.invalid").name(NAME);
        this.exporter = Some(Slot(Arc::new(Mutex::new(Some(slot)))));
        this
    }

    /// The outlet of its exporter, where it has one.
    pub(in crate::otlp) fn bridge(
        &self,
        signal: Signal,
        dialect: Dialect,
        counters: Arc<Counters>,
    ) -> Result<Option<Box<dyn Outlet>>, Error> {
        let Some(slot) = &self.exporter else { return Ok(None) };
        if signal != Signal::Traces {
            return Err(Error::config(format!("{signal} of an exporter: it takes spans and nothing else")));
        }
        let mut slot = slot.0.lock().unwrap_or_else(PoisonError::into_inner);
        let exporter = slot.take();
        drop(slot);
        let used = || Error::config("an exporter that was started before: a new one is accepted");
        let sizes = Sizes { batch_spans: self.batch_limits().1, value_bytes: self.longest_value() };
        let bridge = Bridge::new(exporter.ok_or_else(used)?, &self.resource_attributes(), dialect, sizes, counters)?;
        Ok(Some(Box::new(bridge)))
    }
}
