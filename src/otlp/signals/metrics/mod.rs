//! Metrics made of finished spans: what the GenAI conventions want counted and measured.
//!
//! Not of what an application measures besides: whoever has metrics of their own has a meter of their own.

mod instruments;
mod measure;
mod message;
mod series;
#[cfg(test)]
mod tests;

use crate::{
    Timestamp,
    otlp::{
        delivery::{Counters, Outlet, Sent},
        encode::Envelope,
        settings::{Encoding, Naming, Temporality},
        span::Output,
        transport::{Reply, Signal, Transport},
    },
};
use measure::Measure;
use message::{Told, Window};
use series::Series;
use std::sync::Arc;

/// Sums up what it takes, and sends all sums at once.
///
/// What a crash took from it is read from the log again: it is part of the sums of the next process, which begin anew at a
/// new start.
pub(crate) struct Meter {
    naming: Naming,
    temporality: Temporality,
    envelope: Envelope,
    transport: Box<dyn Transport>,
    counters: Arc<Counters>,
    series: Series,
    start: Timestamp,
    request: Vec<u8>,
}

impl Meter {
    pub(crate) fn new(
        (encoding, naming, temporality): (Encoding, Naming, Temporality),
        resource: &[(String, String)],
        transport: Box<dyn Transport>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            naming,
            temporality,
            envelope: Envelope::new(encoding, Signal::Metrics, resource),
            transport,
            counters,
            series: Series::default(),
            start: Timestamp::now(),
            request: Vec::new(),
        }
    }

    fn write_request(&mut self, end: Timestamp) {
        let window = Window { start: self.start, end, temporality: self.temporality };
        let (mut bytes, mut ends) = (Vec::new(), vec![0]);
        for metric in self.series.metrics() {
            self.envelope.encode(&Told(metric, window), &mut bytes);
            ends.push(bytes.len());
        }
        let items: Vec<&[u8]> = ends.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
        self.request.clear();
        self.envelope.wrap(&items, &mut self.request);
    }

    /// What was sent is not sent again, taken or not: sums that go on have it in them the next time.
    fn settled(&mut self, end: Timestamp) -> Sent {
        self.series.has_news = false;
        if self.temporality == Temporality::Delta {
            self.series.clear();
            self.start = end;
        }
        Sent::Settled
    }
}

impl Outlet for Meter {
    fn take(&mut self, output: Output) {
        if let Output::Finished(span) = output {
            Measure::new(&span, self.naming, &mut self.series).record();
        }
    }

    /// Sums take no more room for more spans.
    fn is_full(&self) -> bool {
        false
    }

    fn is_empty(&self) -> bool {
        !self.series.has_news
    }

    fn send(&mut self) -> Sent {
        let end = Timestamp::now().max(self.start);
        self.write_request(end);
        self.counters.request();
        match self.transport.send(Signal::Metrics, &self.request) {
            Reply::Accepted => self.counters.accepted(1),
            // What they reject is data points; what is counted here is exports.
            Reply::Partial { rejected, message } => {
                self.counters.accepted(u64::from(rejected == 0));
                self.counters.rejected(rejected.min(1), &message);
            }
            Reply::TooLarge(why) | Reply::Refused(why) => self.counters.dropped(1, &why),
            Reply::Retry { after, why } => return Sent::Again { after, why },
        }
        self.settled(end)
    }
}
