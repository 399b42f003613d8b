//! How far executions are, as far as somebody looked: bounded, ended ones go first.

use crate::ExecutionId;
use std::collections::{BTreeMap, HashMap};

/// How much of an execution there was when it was last looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    /// Of what is kept.
    pub(super) sequence: u64,
    /// Of pieces that were to be shown.
    pub(super) pieces: u64,
}

/// Executions that are remembered at most.
const MAX_KNOWN: usize = 4_096;

/// The numbers of the executions that were looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    executions: HashMap<ExecutionId, Entry>,
    /// In the order in which they are forgotten.
    order: BTreeMap<Place, ExecutionId>,
    added: u64,
    forgot: bool,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    numbers: Numbers,
    place: Place,
}

/// Whether it runs, and when it came: ended ones go before all that run, the oldest first.
type Place = (bool, u64);

impl Known {
    /// Takes note of an execution; gives what was known before. An ended one stays until others need the room: what
    /// comes late changes its numbers and adds nothing.
    pub(super) fn note(&mut self, id: &ExecutionId, numbers: Numbers, ends: bool) -> Option<Numbers> {
        let Some(entry) = self.executions.get_mut(id) else {
            self.add(id.clone(), numbers, ends);
            return None;
        };
        let old = std::mem::replace(&mut entry.numbers, numbers);
        if ends && entry.place.0 {
            let running = entry.place;
            entry.place = (false, running.1);
            if let Some(id) = self.order.remove(&running) {
                self.order.insert(entry.place, id);
            }
        }
        Some(old)
    }

    fn add(&mut self, id: ExecutionId, numbers: Numbers, ends: bool) {
        if self.executions.len() >= MAX_KNOWN
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.executions.remove(&oldest);
            self.forgot = true;
        }
        self.added += 1;
        let place = (!ends, self.added);
        self.order.insert(place, id.clone());
        self.executions.insert(id, Entry { numbers, place });
    }

    pub(super) fn of(&self, id: &ExecutionId) -> Option<Numbers> {
        self.executions.get(id).map(|entry| entry.numbers)
    }

    /// True when nothing was forgotten: who is not here was never looked at.
    pub(super) fn is_whole(&self) -> bool {
        !self.forgot
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, MAX_KNOWN, Numbers};
    use crate::ExecutionId;

    #[test]
    fn ended_ones_are_forgotten_first_and_late_events_add_nothing() {
        let mut known = Known::default();
        let id = |n: usize| ExecutionId::from_trace_id(n as u128 + 1);
        let numbers = Numbers { sequence: 1, pieces: 2 };
        (0..MAX_KNOWN).for_each(|n| assert!(known.note(&id(n), numbers, n == 7).is_none()));
        assert_eq!(known.note(&id(8), Numbers::default(), true), Some(numbers));
        assert_eq!(known.note(&id(8), numbers, false), Some(Numbers::default()), "late, and still there");
        assert!(known.is_whole());
        for n in 0..3 {
            known.note(&id(MAX_KNOWN + n), numbers, false);
        }
        let gone: Vec<_> = (0..MAX_KNOWN).filter(|n| known.of(&id(*n)).is_none()).collect();
        assert_eq!((gone, known.executions.len(), known.order.len()), (vec![0, 7, 8], MAX_KNOWN, MAX_KNOWN));
        assert!(!known.is_whole());
    }
}
