//! How far executions are, as far as somebody looked: bounded, ended ones go first.

use crate::ExecutionId;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

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
#[derive(Debug)]
pub(super) struct Known {
    parts: Parts,
    /// In the order in which they are forgotten.
    order: BTreeMap<Place, ExecutionId>,
    added: u64,
    forgot: bool,
    /// What was known before anything was looked at here, of executions that were not looked at since.
    before: Parts,
}

/// Executions by their slots, or all in one. A part that somebody else has too is copied before it is changed: so what the
/// hub knows is handed out without a copy of the whole, and the hub copies the few parts that it changes then.
type Parts = Vec<Arc<HashMap<ExecutionId, Entry>>>;

/// Slots that executions are spread over.
const SLOTS: u32 = 64;

/// The slot of an execution, below [`SLOTS`].
pub(super) fn slot(id: &ExecutionId) -> u32 {
    let trace = id.trace_id();
    (((trace ^ (trace >> 64)) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SLOTS.ilog2())) as u32
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    numbers: Numbers,
    place: Place,
}

/// Whether it runs, and when it came: ended ones go before all that run, the oldest first.
type Place = (bool, u64);

impl Default for Known {
    fn default() -> Self {
        Self::in_parts(1)
    }
}

impl Known {
    /// To be handed out often.
    pub(super) fn in_slots() -> Self {
        Self::in_parts(SLOTS as usize)
    }

    fn in_parts(parts: usize) -> Self {
        let parts = (0..parts).map(|_| Arc::default()).collect();
        Self { parts, order: BTreeMap::new(), added: 0, forgot: false, before: Vec::new() }
    }

    /// The same for somebody who goes on from here: costs the same however many are known.
    pub(super) fn hand_out(&self) -> Self {
        Self { before: self.parts.clone(), forgot: self.forgot, ..Self::default() }
    }

    /// Takes note of an execution; gives what was known before. An ended one stays until others need the room: what
    /// comes late changes its numbers and adds nothing.
    pub(super) fn note(&mut self, id: &ExecutionId, numbers: Numbers, ends: bool) -> Option<Numbers> {
        let part = part(&self.parts, id);
        let Some(entry) = self.parts.get_mut(part).and_then(|part| Arc::make_mut(part).get_mut(id)) else {
            let old = look(&self.before, id);
            self.add(part, id.clone(), numbers, ends);
            return old;
        };
        let old = std::mem::replace(&mut entry.numbers, numbers);
        if ends && entry.place.0 {
            let running = entry.place;
            entry.place = (false, running.1);
            let place = entry.place;
            if let Some(id) = self.order.remove(&running) {
                self.order.insert(place, id);
            }
        }
        Some(old)
    }

    fn add(&mut self, to: usize, id: ExecutionId, numbers: Numbers, ends: bool) {
        if self.order.len() >= MAX_KNOWN
            && let Some((_, oldest)) = self.order.pop_first()
        {
            let from = part(&self.parts, &oldest);
            Arc::make_mut(&mut self.parts[from]).remove(&oldest);
            self.forgot = true;
            // What was known before may be of one that was looked at since, and is not true then.
            self.before.clear();
        }
        self.added += 1;
        let place = (!ends, self.added);
        self.order.insert(place, id.clone());
        Arc::make_mut(&mut self.parts[to]).insert(id, Entry { numbers, place });
    }

    pub(super) fn of(&self, id: &ExecutionId) -> Option<Numbers> {
        look(&self.parts, id).or_else(|| look(&self.before, id))
    }

    /// True when nothing was forgotten: who is not here was never looked at.
    pub(super) fn is_whole(&self) -> bool {
        !self.forgot
    }
}

fn part(parts: &Parts, id: &ExecutionId) -> usize {
    if parts.len() > 1 { slot(id) as usize } else { 0 }
}

fn look(parts: &Parts, id: &ExecutionId) -> Option<Numbers> {
    parts.get(part(parts, id))?.get(id).map(|entry| entry.numbers)
}

#[cfg(test)]
mod tests {
    use super::{Known, MAX_KNOWN, Numbers};
    use crate::ExecutionId;

    fn id(n: usize) -> ExecutionId {
        ExecutionId::from_trace_id(n as u128 + 1)
    }

    fn numbers(sequence: u64) -> Numbers {
        Numbers { sequence, pieces: 2 }
    }

    #[test]
    fn ended_ones_are_forgotten_first_and_late_events_add_nothing() {
        let mut known = Known::in_slots();
        let numbers = numbers(1);
        (0..MAX_KNOWN).for_each(|n| assert!(known.note(&id(n), numbers, n == 7).is_none()));
        assert_eq!(known.note(&id(8), Numbers::default(), true), Some(numbers));
        assert_eq!(known.note(&id(8), numbers, false), Some(Numbers::default()), "late, and still there");
        assert!(known.is_whole());
        for n in 0..3 {
            known.note(&id(MAX_KNOWN + n), numbers, false);
        }
        let gone: Vec<_> = (0..MAX_KNOWN).filter(|n| known.of(&id(*n)).is_none()).collect();
        assert_eq!((gone, known.order.len()), (vec![0, 7, 8], MAX_KNOWN));
        assert_eq!(known.parts.iter().map(|part| part.len()).sum::<usize>(), MAX_KNOWN);
        assert!(!known.is_whole());
    }

    #[test]
    fn what_is_handed_out_stays_as_it_was_and_each_goes_on_by_itself() {
        let mut known = Known::in_slots();
        (0..100).for_each(|n| assert!(known.note(&id(n), numbers(1), false).is_none()));
        let mut first = known.hand_out();
        (0..100).for_each(|n| assert_eq!(known.note(&id(n), numbers(2), false), Some(numbers(1))));
        let second = known.hand_out();
        assert_eq!(
            (first.of(&id(3)), second.of(&id(3)), first.of(&id(100))),
            (Some(numbers(1)), Some(numbers(2)), None)
        );
        assert_eq!(first.note(&id(3), numbers(5), true), Some(numbers(1)));
        assert_eq!(first.note(&id(3), numbers(6), false), Some(numbers(5)));
        assert_eq!(
            (first.of(&id(3)), first.of(&id(4)), known.of(&id(3))),
            (Some(numbers(6)), Some(numbers(1)), Some(numbers(2)))
        );
        // Who forgets one does not take up again what was known of it before.
        (0..MAX_KNOWN).for_each(|n| assert!(first.note(&id(1_000 + n), numbers(1), false).is_none()));
        assert_eq!((first.of(&id(3)), first.is_whole(), second.is_whole()), (None, false, true));
    }

    #[test]
    fn a_change_copies_its_part_alone_and_only_where_it_was_handed_out() {
        let mut known = Known::in_slots();
        (0..1_000).for_each(|n| assert!(known.note(&id(n), numbers(1), false).is_none()));
        let of = |known: &Known| known.parts.iter().map(std::sync::Arc::as_ptr).collect::<Vec<_>>();
        let own = of(&known);
        known.note(&id(1), numbers(2), false);
        assert_eq!(of(&known), own);
        let _handed_out = known.hand_out();
        known.note(&id(1), numbers(3), false);
        assert_eq!(of(&known).iter().zip(&own).filter(|(new, old)| new != old).count(), 1);
    }
}
