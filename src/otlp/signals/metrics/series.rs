//! What was measured so far, summed up for each metric and each set of attributes.

use super::instruments::{Instrument, Kind};
use crate::Text;
use std::collections::BTreeMap;

/// What tells one series of a metric from the others, in the order in which it is sent.
pub(super) type Attributes = Vec<(&'static str, Label)>;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    Text(Text),
    Int(i64),
}

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// All metrics, by their names.
#[derive(Debug, Default)]
pub(super) struct Series {
    metrics: BTreeMap<&'static str, Metric>,
    /// Whether something was measured that was not sent.
    pub(super) has_news: bool,
}

#[derive(Debug)]
pub(super) struct Metric {
    pub(super) instrument: &'static Instrument,
    pub(super) points: BTreeMap<Attributes, Sum>,
    /// What came after there were too many series.
    pub(super) overflow: Option<Sum>,
}

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sum {
    Counter(u64),
    Histogram(Histogram),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Histogram {
    pub(super) count: u64,
    pub(super) sum: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    /// One more than there are boundaries.
    pub(super) buckets: Vec<u64>,
}

/// Series of one metric, the one for everything past it among them ("Metrics SDK, Cardinality limits": 2000).
pub(super) const MAX_SERIES: usize = 2_000;

impl Series {
    /// What is no number would make none of the sum, for good.
    pub(super) fn record(&mut self, instrument: &'static Instrument, attributes: Attributes, value: f64) {
        if !value.is_finite() {
            return;
        }
        let new = || Metric { instrument, points: BTreeMap::new(), overflow: None };
        let metric = self.metrics.entry(instrument.name).or_insert_with(new);
        metric.series(attributes).add(value, instrument.kind);
        self.has_news = true;
    }

    pub(super) fn metrics(&self) -> impl Iterator<Item = &Metric> {
        self.metrics.values()
    }

    pub(super) fn clear(&mut self) {
        self.metrics.clear();
    }
}

impl Metric {
    fn series(&mut self, attributes: Attributes) -> &mut Sum {
        let new = || Sum::new(self.instrument.kind);
        if self.points.len() + 1 >= MAX_SERIES && !self.points.contains_key(&attributes) {
            return self.overflow.get_or_insert_with(new);
        }
        self.points.entry(attributes).or_insert_with(new)
    }
}

impl Sum {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter(0),
            Kind::Histogram(bounds) => Self::Histogram(Histogram {
                count: 0,
                sum: 0.0,
                min: f64::INFINITY,
                max: f64::NEG_INFINITY,
                buckets: vec![0; bounds.len() + 1],
            }),
        }
    }

    fn add(&mut self, value: f64, kind: Kind) {
        match (self, kind) {
            (Self::Counter(sum), _) => *sum = sum.saturating_add(value as u64),
            (Self::Histogram(histogram), Kind::Histogram(bounds)) => histogram.add(value, bounds),
            (Self::Histogram(_), Kind::Counter) => {}
        }
    }
}

impl Histogram {
    /// "Bucket upper-boundaries are inclusive".
    fn add(&mut self, value: f64, bounds: &[f64]) {
        self.count += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.buckets[bounds.partition_point(|bound| *bound < value)] += 1;
    }
}
