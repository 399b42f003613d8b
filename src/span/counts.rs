//! Token counts: they grow while an answer is read, and each is told once, when its handle goes.
//!
//! Nobody needs them before the end, and a field that is recorded twice is a duplicate key for tracing-opentelemetry.

use std::sync::atomic::{AtomicI64, Ordering};

use tracing::Span;

use crate::semconv;

#[derive(Clone, Copy, Debug)]
pub(super) enum Count {
    Input,
    Output,
    CacheRead,
    CacheCreation,
    Reasoning,
}

const NAMES: [&str; 5] = [
    semconv::INPUT_TOKENS,
    semconv::OUTPUT_TOKENS,
    semconv::CACHE_READ_TOKENS,
    semconv::CACHE_CREATION_TOKENS,
    semconv::REASONING_TOKENS,
];

const UNKNOWN: i64 = -1;

/// The last word on each count.
#[derive(Debug)]
pub(super) struct Counts([AtomicI64; NAMES.len()]);

impl Counts {
    pub(super) const fn new() -> Self {
        Self([const { AtomicI64::new(UNKNOWN) }; NAMES.len()])
    }

    pub(super) fn set(&self, count: Count, n: u64) {
        self.0[count as usize].store(i64::try_from(n).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    pub(super) fn tell(&mut self, span: &Span) {
        for (name, count) in NAMES.iter().zip(&mut self.0) {
            let known = std::mem::replace(count.get_mut(), UNKNOWN);
            if known != UNKNOWN {
                span.record(*name, known);
            }
        }
    }
}
