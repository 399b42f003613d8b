//! What became of what was to be delivered: counted where it happens, readable at any time.

use crate::Error;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering::Relaxed},
};

#[derive(Debug, Default)]
pub(crate) struct Counters {
    accepted: AtomicU64,
    rejected: AtomicU64,
    dropped: AtomicU64,
    cut: AtomicU64,
    splits: AtomicU64,
    requests: AtomicU64,
    failures: AtomicU64,
    late: AtomicU64,
    undecodable: AtomicU64,
    place: AtomicU64,
    read_to: AtomicU64,
    last_error: Mutex<Option<String>>,
}

/// What became of what was to be delivered to one destination, of one signal (spans, metric exports, log events).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Items that the other side took.
    pub accepted: u64,
    /// Items that it said it would not take, of requests that it took.
    pub rejected: u64,
    /// Items that were given up: refused, or too large even when cut.
    pub dropped: u64,
    /// Items whose values were shortened: too large for a request by themselves, or refused for their size.
    pub cut: u64,
    /// Requests that were sent again in two halves for their size.
    pub splits: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Requests that failed and were, or will be, tried again.
    pub failures: u64,
    /// What was said after everything that it could belong to had ended, where no item is made of it: of the spans. It leaves
    /// with the log events, where these are sent.
    pub late: u64,
    /// Events of the log that could not be read, executions whose earlier ones could not when they went on, and the place
    /// itself.
    pub undecodable: u64,
    /// Offset of the log up to which everything is settled.
    pub place: u64,
    /// Offset of the log up to which it was read.
    pub read_to: u64,
    /// Why the last request failed or was refused, or what the log last said where it could not be read or keep the place;
    /// without credentials.
    pub last_error: Option<String>,
}

impl Counters {
    pub(crate) fn accepted(&self, items: u64) {
        self.accepted.fetch_add(items, Relaxed);
    }

    pub(crate) fn rejected(&self, items: u64, why: &str) {
        self.rejected.fetch_add(items, Relaxed);
        self.say(why);
    }

    pub(crate) fn dropped(&self, items: u64, why: &str) {
        self.dropped.fetch_add(items, Relaxed);
        self.say(why);
    }

    pub(crate) fn cut(&self) {
        self.cut.fetch_add(1, Relaxed);
    }

    pub(crate) fn split(&self) {
        self.splits.fetch_add(1, Relaxed);
    }

    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub(crate) fn failed(&self, why: &str) {
        self.failures.fetch_add(1, Relaxed);
        self.say(why);
    }

    pub(crate) fn late(&self) {
        self.late.fetch_add(1, Relaxed);
    }

    pub(crate) fn undecodable(&self) {
        self.undecodable.fetch_add(1, Relaxed);
    }

    pub(crate) fn at(&self, place: u64) {
        self.place.store(place, Relaxed);
    }

    pub(crate) fn read_to(&self, offset: u64) {
        self.read_to.store(offset, Relaxed);
    }

    /// What the log answered. One that has shut down is the end of everything, and no reason why something is left.
    pub(crate) fn of_log<T>(&self, answer: Result<T, Error>) -> Result<T, Error> {
        answer.inspect_err(|error| {
            if !error.is_closed() {
                self.say(&error.to_string());
            }
        })
    }

    /// A warning is remembered like an error: it is what a person looks for.
    pub(crate) fn say(&self, why: &str) {
        if !why.is_empty() {
            *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
        }
    }

    pub(crate) fn read(&self) -> Stats {
        Stats {
            accepted: self.accepted.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            cut: self.cut.load(Relaxed),
            splits: self.splits.load(Relaxed),
            requests: self.requests.load(Relaxed),
            failures: self.failures.load(Relaxed),
            late: self.late.load(Relaxed),
            undecodable: self.undecodable.load(Relaxed),
            place: self.place.load(Relaxed),
            read_to: self.read_to.load(Relaxed),
            last_error: self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}
