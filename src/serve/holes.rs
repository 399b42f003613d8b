//! From where a translated run cannot be gone on with.

use std::ops::Range;

/// Where a text is half said of which pieces are gone. Who was told up to there was told more than is known here, and
/// what its end makes up for would be told twice.
#[derive(Default)]
pub(super) struct Holes(Vec<Range<u64>>);

/// Past these, one reaches from the last to the next.
const MAX_HOLES: usize = 1_024;

impl Holes {
    /// Whether there is one from this offset on.
    pub(super) fn note(&mut self, is_open: bool, offset: u64) {
        let is_full = self.0.len() >= MAX_HOLES;
        match self.0.last_mut() {
            Some(last) if last.end == u64::MAX && !is_open => last.end = offset,
            Some(last) if is_open && (last.end >= offset || is_full) => last.end = u64::MAX,
            _ if is_open => self.0.push(offset..u64::MAX),
            _ => {}
        }
    }

    pub(super) fn has(&self, offset: u64) -> bool {
        self.0.iter().any(|hole| hole.contains(&offset))
    }
}
