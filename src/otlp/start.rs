//! A destination put to work.

use super::{
    batch::{Batch, Sizes},
    delivery::Delivery,
    fold::Limits,
    logs::LogEvents,
    map::Dialect,
    metrics::Meter,
    outlet::Outlet,
    pump,
    settings::Destination,
    stats::Counters,
    traces::Spans,
    transport::{Signal, Transport},
};
use crate::{Error, EventLog};
use std::sync::Arc;

impl Destination {
    /// Begins to deliver what `log` has and will have, on threads of its own; [`Builder::otlp`](crate::Builder::otlp) does
    /// this for you. Where the log knows the destination, it goes on from where it was.
    ///
    /// # Errors
    /// `is_config` when a setting cannot be used; what the log or the system says.
    pub fn start(&self, log: Arc<dyn EventLog>) -> Result<Delivery, Error> {
        self.start_over(log, |signal| self.transport(signal))
    }

    /// The same over other ways than its own.
    pub(crate) fn start_over(
        &self,
        log: Arc<dyn EventLog>,
        transport: impl Fn(Signal) -> Result<Box<dyn Transport>, Error>,
    ) -> Result<Delivery, Error> {
        self.check()?;
        let mut delivery = Delivery::new(self.known_as());
        for signal in Signal::ALL.into_iter().filter(|signal| self.sends(*signal)) {
            let counters = Arc::new(Counters::default());
            let outlet = self.outlet(signal, || transport(signal), counters.clone())?;
            delivery.pump(signal, log.clone(), self.pump_settings(signal), counters, outlet)?;
        }
        Ok(delivery)
    }

    fn outlet(
        &self,
        signal: Signal,
        transport: impl FnOnce() -> Result<Box<dyn Transport>, Error>,
        counters: Arc<Counters>,
    ) -> Result<Box<dyn Outlet>, Error> {
        #[cfg(feature = "otlp-bridge")]
        if let Some(bridge) = self.bridge(signal, self.dialect(), counters.clone())? {
            return Ok(bridge);
        }
        let transport = transport()?;
        let (encoding, resource) = (self.encoding_of(signal), self.resource_attributes());
        Ok(match signal {
            Signal::Traces => {
                let spans = Spans::new(encoding, self.dialect(), &resource);
                Box::new(Batch::new(spans, transport, self.sizes(), counters))
            }
            Signal::Logs => {
                let events = LogEvents::new(encoding, self.names(), self.content().on_events(), &resource);
                Box::new(Batch::new(events, transport, self.sizes(), counters))
            }
            Signal::Metrics => {
                let form = (encoding, self.names(), self.metric_temporality());
                Box::new(Meter::new(form, &resource, transport, counters))
            }
        })
    }

    fn dialect(&self) -> Dialect {
        Dialect { naming: self.names(), openinference: self.overlay(), langfuse: self.has_langfuse() }
    }

    fn sizes(&self) -> Sizes {
        let (batch_bytes, batch_items) = self.batch_limits();
        Sizes { batch_bytes, batch_items, value_bytes: self.longest_value() }
    }

    fn pump_settings(&self, signal: Signal) -> pump::Settings {
        let content = self.content();
        pump::Settings {
            name: self.place_name(signal).into(),
            interval: if signal == Signal::Metrics { self.interval_of_metrics() } else { self.batch_interval() },
            backoff: self.waits(),
            with_content: match signal {
                Signal::Traces => content.on_spans(),
                Signal::Logs => content.on_events(),
                Signal::Metrics => false,
            },
            from_beginning: self.starts_at_beginning(),
            limits: Limits::default(),
        }
    }
}
