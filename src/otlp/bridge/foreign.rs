//! Somebody else's exporter, whatever its type.

use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

pub(super) type Exporting<'a> = Pin<Box<dyn Future<Output = OTelSdkResult> + Send + 'a>>;

/// [`SpanExporter`] as a trait object.
pub(in crate::otlp) trait Foreign: Send {
    fn export(&self, spans: Vec<SpanData>) -> Exporting<'_>;

    fn force_flush(&self) -> OTelSdkResult;

    fn shutdown(&self, limit: Duration) -> OTelSdkResult;

    fn set_resource(&mut self, resource: &Resource);
}

pub(super) struct Given<E>(pub(super) E);

impl<E: SpanExporter> Foreign for Given<E> {
    fn export(&self, spans: Vec<SpanData>) -> Exporting<'_> {
        Box::pin(self.0.export(spans))
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown(&self, limit: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(limit)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// Where a destination has its exporter until it is started.
#[derive(Clone)]
pub(in crate::otlp) struct Slot(pub(super) Arc<Mutex<Option<Box<dyn Foreign>>>>);

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter")
    }
}
