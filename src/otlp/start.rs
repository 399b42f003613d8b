//! A destination put to work.

use super::{
    delivery::{Batch, Counters, Delivery, Outlet, PumpSettings, Sizes, Source},
    fold::Limits,
    map::Dialect,
    settings::Destination,
    signals::{LogEvents, Meter, Spans},
    transport::{Signal, Transport},
};
use crate::{Error, EventLog, Recorder};
use std::{collections::HashSet, sync::Arc};

impl Destination {
    /// Begins to deliver what `log` has and will have, on threads of its own. Where the log knows the destination, it goes on
    /// from where it was.
    ///
    /// # Errors
    /// `is_config` when a setting cannot be used; what the log or the system says.
    pub fn start(&self, log: Arc<dyn EventLog>) -> Result<Delivery, Error> {
        self.start_over(&Source { log, kept: None }, |signal| self.transport(signal))
    }

    /// The same of the log of `recorder`, in its process: what its hub still holds once it is in the log is taken from there,
    /// which costs less than reading it. [`Builder::otlp`](crate::Builder::otlp) does this for you.
    ///
    /// # Errors
    /// As for [`start`](Destination::start); `is_config` for a recorder without a log.
    pub fn start_with(&self, recorder: &Recorder) -> Result<Delivery, Error> {
        self.start_over(&Source::of(recorder)?, |signal| self.transport(signal))
    }

    /// The same over other ways than its own.
    pub(crate) fn start_over(
        &self,
        source: &Source,
        transport: impl Fn(Signal) -> Result<Box<dyn Transport>, Error>,
    ) -> Result<Delivery, Error> {
        self.check()?;
        if !Signal::ALL.into_iter().any(|signal| self.sends(signal)) {
            return Err(Error::config("an OTLP destination without a signal: traces, metrics or logs are accepted"));
        }
        let mut delivery = Delivery::new(self.known_as());
        for signal in Signal::ALL.into_iter().filter(|signal| self.sends(*signal)) {
            let counters = Arc::new(Counters::default());
            let outlet = self.outlet(signal, || transport(signal), counters.clone())?;
            delivery.pump(signal, source.clone(), self.pump_settings(signal), counters, outlet)?;
        }
        Ok(delivery)
    }

    /// Before anything is opened or begun.
    ///
    /// # Errors
    /// `is_config` where one cannot be used, and where two of them would share a place in the log: the one that is behind
    /// would miss, at the next start, what the other one has. Or a file, which has one writer.
    pub(crate) fn check_all(all: &[Self]) -> Result<(), Error> {
        all.iter().try_for_each(Self::check)?;
        let (mut places, mut files) = (HashSet::new(), HashSet::new());
        for destination in all {
            let sent = Signal::ALL.into_iter().filter(|signal| destination.sends(*signal));
            for place in sent.map(|signal| destination.place_name(signal)) {
                if !places.insert(place) {
                    let name = destination.known_as();
                    return Err(Error::config(format!(
                        "two OTLP destinations {name:?}: give each a `name` of its own"
                    )));
                }
            }
            if let Some(path) = destination.files().find(|path| !files.insert(path.clone())) {
                let path = path.display();
                return Err(Error::config(format!("two OTLP destinations into {path}: one of a file is accepted")));
            }
        }
        Ok(())
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

    fn pump_settings(&self, signal: Signal) -> PumpSettings {
        let content = self.content();
        PumpSettings {
            name: self.place_name(signal).into(),
            told: format!("{} {signal}", self.known_as()).into(),
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
