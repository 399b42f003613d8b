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
        settings::{Encoding, MOST_BATCH_BYTES, Naming, Temporality},
        span::Output,
        transport::{Reply, Signal, Transport},
    },
};
use measure::Measure;
use message::{Told, Window};
use series::Series;
use std::{collections::VecDeque, sync::Arc};

/// A request of more is refused by back ends that take gRPC messages of 4 MiB; one metric has at most about 1 MiB.
const MOST_BYTES: usize = MOST_BATCH_BYTES - (64 << 10);

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
    /// What is being sent: the requests that are left of an export, and when its window ended.
    leaving: Option<Leaving>,
}

struct Leaving {
    requests: VecDeque<Vec<u8>>,
    end: Timestamp,
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
            leaving: None,
        }
    }

    /// All sums up to now, in as many requests as their size asks for: a metric is of one.
    fn pack(&mut self) -> Leaving {
        let end = Timestamp::now().max(self.start);
        let window = Window { start: self.start, end, temporality: self.temporality };
        let mut leaving = Leaving { requests: VecDeque::new(), end };
        let mut metrics: Vec<Vec<u8>> = Vec::new();
        for metric in self.series.metrics() {
            let mut bytes = Vec::new();
            self.envelope.encode(&Told(metric, window), &mut bytes);
            if metrics.iter().map(Vec::len).sum::<usize>() + bytes.len() > MOST_BYTES && !metrics.is_empty() {
                leaving.requests.push_back(self.request(&metrics));
                metrics.clear();
            }
            metrics.push(bytes);
        }
        leaving.requests.push_back(self.request(&metrics));
        leaving
    }

    fn request(&self, metrics: &[Vec<u8>]) -> Vec<u8> {
        let items: Vec<&[u8]> = metrics.iter().map(Vec::as_slice).collect();
        let mut request = Vec::new();
        self.envelope.wrap(&items, &mut request);
        request
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

    /// Sums take no more room for more spans; while some of them leave, none is changed.
    fn is_full(&self) -> bool {
        self.leaving.is_some()
    }

    fn is_empty(&self) -> bool {
        !self.series.has_news
    }

    fn send(&mut self) -> Sent {
        let mut leaving = self.leaving.take().unwrap_or_else(|| self.pack());
        while let Some(request) = leaving.requests.front() {
            self.counters.request();
            match self.transport.send(Signal::Metrics, request) {
                Reply::Accepted => self.counters.accepted(1),
                // What they reject is data points; what is counted here is requests.
                Reply::Partial { rejected, message } => {
                    self.counters.accepted(u64::from(rejected == 0));
                    self.counters.rejected(rejected.min(1), &message);
                }
                Reply::TooLarge(why) | Reply::Refused(why) => self.counters.dropped(1, &why),
                Reply::Retry { after, why } => {
                    self.leaving = Some(leaving);
                    return Sent::Again { after, why };
                }
            }
            leaving.requests.pop_front();
        }
        self.settled(leaving.end)
    }
}
