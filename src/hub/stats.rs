//! What became of events at all readers together: sums, added to when a reader comes for more.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What became of the events that were published since a stream began. For a stream of everything the three add up to
/// the number of offsets that it passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Handed to the reader.
    pub delivered: u64,
    /// Not of its scope or not of its mode.
    pub filtered: u64,
    /// Would have been delivered, but could not; the reader was told. Where it was told a gap, at least so many.
    pub dropped: u64,
}

impl Counts {
    pub(super) fn of(passed: u64, delivered: u64, dropped: u64) -> Self {
        Self { delivered, filtered: passed.saturating_sub(delivered + dropped), dropped }
    }
}

/// Who reads, and what all readers got so far, also those that are gone. Each counts for itself: an event that three
/// readers were handed is delivered three times. What a reader is handed shows here when it comes for more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct HubStats {
    /// Readers now.
    pub readers: u64,
    /// Readers so far.
    pub readers_total: u64,
    /// Events handed to a reader.
    pub delivered: u64,
    /// Events that were not of a reader's scope, mode or kinds.
    pub filtered: u64,
    /// Events that a reader would have been handed, but could not; it was told.
    pub dropped: u64,
}

#[derive(Debug, Default)]
pub(super) struct Sums {
    readers: AtomicU64,
    gone: AtomicU64,
    passed: AtomicU64,
    delivered: AtomicU64,
    dropped: AtomicU64,
}

/// What a reader has added to the sums so far; each of the numbers only rises. (What is filtered is what was passed and is
/// neither of the others: amid a slice that is not known yet.)
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    pub(super) passed: u64,
    pub(super) delivered: u64,
    pub(super) dropped: u64,
}

impl Sums {
    pub(super) fn enter(&self) {
        self.readers.fetch_add(1, Relaxed);
    }

    pub(super) fn leave(&self) {
        self.gone.fetch_add(1, Relaxed);
    }

    pub(super) fn add(&self, old: Share, new: Share) {
        let add = |sum: &AtomicU64, news: u64| {
            if news > 0 {
                sum.fetch_add(news, Relaxed);
            }
        };
        add(&self.passed, new.passed - old.passed);
        add(&self.delivered, new.delivered - old.delivered);
        add(&self.dropped, new.dropped - old.dropped);
    }

    pub(super) fn read(&self) -> HubStats {
        let [gone, total] = [&self.gone, &self.readers].map(|count| count.load(Relaxed));
        let [delivered, dropped, passed] = [&self.delivered, &self.dropped, &self.passed].map(|sum| sum.load(Relaxed));
        let Counts { delivered, filtered, dropped } = Counts::of(passed, delivered, dropped);
        HubStats { readers: total.saturating_sub(gone), readers_total: total, delivered, filtered, dropped }
    }
}
