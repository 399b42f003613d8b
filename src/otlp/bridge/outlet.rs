//! The outlet that gives spans to an exporter, and tries again.

use super::{data::DataSink, foreign::Foreign, runtime::Beside};
use crate::{
    Error,
    otlp::{
        delivery::{Counters, Outlet, Sent},
        encode::SCHEMA_URL,
        map::{self, Dialect},
        signals::has_remote_parent,
        span::{Output, Span},
        transport::Mask,
        unwound::caught,
    },
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::{Resource, error::OTelSdkResult, trace::SpanData};
use std::{collections::VecDeque, sync::Arc, time::Duration};

#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) batch_spans: usize,
    pub(super) value_bytes: usize,
}

pub(super) struct Bridge {
    exporter: Box<dyn Foreign>,
    runtime: Beside,
    dialect: Dialect,
    scope: InstrumentationScope,
    sizes: Sizes,
    counters: Arc<Counters>,
    waiting: VecDeque<Waiting>,
    /// Since something was taken last.
    failures: u32,
    /// How many were taken, since the start.
    taken: u64,
}

struct Waiting {
    span: SpanData,
    /// How many others had been taken when this one was refused by itself.
    refused_at: Option<u64>,
}

/// Failures after which the spans of a batch are sent by themselves: one of them may be what is refused.
const PATIENCE: u32 = 3;
/// "This function must not block indefinitely, there must be a reasonable upper limit": where an exporter has none, this.
const EXPORT_LIMIT: Duration = Duration::from_secs(60);
/// The SDK's own, for shutting down.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

impl Bridge {
    pub(super) fn new(
        mut exporter: Box<dyn Foreign>,
        resource: &[(String, String)],
        dialect: Dialect,
        sizes: Sizes,
        counters: Arc<Counters>,
    ) -> Result<Self, Error> {
        let runtime = Beside::start()?;
        let attributes = resource.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let resource = Resource::builder_empty().with_attributes(attributes).build();
        let told = runtime.run(|| guarded(|| exporter.set_resource(&resource)));
        told.map_err(|why| Error::config(format!("{why} when it was told the resource")))?;
        let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
            .with_version(env!("CARGO_PKG_VERSION"))
            .with_schema_url(SCHEMA_URL)
            .build();
        let waiting = VecDeque::new();
        Ok(Self { exporter, runtime, dialect, scope, sizes, counters, waiting, failures: 0, taken: 0 })
    }

    fn data(&self, span: &Span) -> SpanData {
        let mut sink = DataSink::new(self.scope.clone(), has_remote_parent(span));
        map::write(span, &self.dialect, self.sizes.value_bytes, &mut sink);
        sink.finish()
    }

    /// Gives these to the exporter. What is flushed is settled: an exporter may hold spans back until it is asked.
    fn export(&mut self, spans: Vec<SpanData>) -> Result<(), String> {
        let (count, Self { exporter, runtime, counters, .. }) = (spans.len() as u64, &*self);
        counters.request();
        let outcome = runtime.run(|| {
            let exported = guarded(|| runtime.wait(exporter.export(spans), EXPORT_LIMIT));
            let exported = exported?.ok_or_else(|| format!("the exporter took longer than {EXPORT_LIMIT:?}"))?;
            exported.map_err(|error| error.to_string())?;
            Ok(guarded(|| exporter.force_flush()).and_then(say))
        });
        // To flush is "a hint": where it fails, what was exported was taken all the same.
        let flushed = outcome.map_err(|why: String| bounded(&why))?;
        self.counters.accepted(count);
        flushed.unwrap_or_else(|why| self.counters.say(&bounded(&why)));
        (self.taken, self.failures) = (self.taken + count, 0);
        Ok(())
    }

    fn all_at_once(&mut self) -> Result<(), String> {
        while !self.waiting.is_empty() {
            let count = self.waiting.len().min(self.sizes.batch_spans);
            let batch = self.waiting.range(..count).map(|waiting| waiting.span.clone()).collect();
            self.export(batch)?;
            self.waiting.drain(..count);
        }
        Ok(())
    }

    /// One refused twice, and others taken in between, is what cannot be taken. As long as nobody is taken it may be the
    /// other side that is down, and then nothing is given up.
    fn one_by_one(&mut self) -> Result<(), String> {
        while let Some(Waiting { span, refused_at }) = self.waiting.pop_front() {
            let before = self.taken;
            match self.export(vec![span.clone()]) {
                Ok(()) => {}
                Err(why) if refused_at.is_some_and(|at| at < before) => self.counters.dropped(1, &why),
                Err(why) => {
                    self.waiting.push_back(Waiting { span, refused_at: refused_at.or(Some(before)) });
                    return Err(why);
                }
            }
        }
        Ok(())
    }

    fn is_suspect(&self) -> bool {
        self.failures >= PATIENCE || self.waiting.iter().any(|waiting| waiting.refused_at.is_some())
    }
}

/// A panic of an exporter's is a failure like another.
fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    caught(call).ok_or_else(|| "the exporter panicked".to_owned())
}

fn say(result: OTelSdkResult) -> Result<(), String> {
    result.map_err(|error| error.to_string())
}

/// Some exporters repeat what the other side said.
fn bounded(why: &str) -> String {
    Mask::default().clean(why.as_bytes())
}

impl Outlet for Bridge {
    fn take(&mut self, output: Output) {
        match output {
            Output::Finished(span) => self.waiting.push_back(Waiting { span: self.data(&span), refused_at: None }),
            Output::Late { .. } => self.counters.late(),
        }
    }

    /// What was refused waits for others: whether they are taken tells what to think of it.
    fn is_full(&self) -> bool {
        self.waiting.len() >= self.sizes.batch_spans
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn send(&mut self) -> Sent {
        let sent = if self.is_suspect() { self.one_by_one() } else { self.all_at_once() };
        match sent {
            Ok(()) => Sent::Settled,
            Err(why) => {
                self.failures = self.failures.saturating_add(1);
                Sent::Again { after: None, why }
            }
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let Self { exporter, runtime, counters, .. } = self;
        let ended = runtime.run(|| guarded(|| exporter.shutdown(SHUTDOWN_LIMIT)).and_then(say));
        ended.unwrap_or_else(|why| counters.say(&bounded(&why)));
    }
}
