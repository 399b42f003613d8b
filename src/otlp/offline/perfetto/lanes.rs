//! Which lane a slice is drawn on: on one lane slices are nested or follow each other, and what is nested is inside.

use super::slice::Slice;
use std::collections::HashMap;

/// How far up a slice is looked for.
const MAX_DEPTH: usize = 256;

/// Slices in the order in which they are drawn, and the lane of each: 0 for the first root and what fits into it.
pub(super) fn arrange(slices: &mut [Slice]) -> Vec<usize> {
    let parents: HashMap<u64, Option<u64>> = slices.iter().map(|slice| (slice.span_id, slice.parent)).collect();
    let depth = |slice: &Slice| ancestors(&parents, slice.parent).count();
    // Of those that begin together what is around comes first: readers take it for the outer one.
    slices.sort_by_cached_key(|slice| (slice.start, -slice.end, depth(slice)));
    let mut lanes = Lanes { parents, lanes: Vec::new(), of: HashMap::new() };
    slices.iter().map(|slice| lanes.place(slice)).collect()
}

/// This span and those around it, the nearest first.
fn ancestors(parents: &HashMap<u64, Option<u64>>, first: Option<u64>) -> impl Iterator<Item = u64> {
    let up = |id: &u64| parents.get(id).copied().flatten();
    std::iter::successors(first, up).take(MAX_DEPTH)
}

struct Lanes {
    parents: HashMap<u64, Option<u64>>,
    /// What is open on each, the innermost last: its span and its end.
    lanes: Vec<Vec<(u64, i64)>>,
    /// Where each span was put.
    of: HashMap<u64, usize>,
}

impl Lanes {
    fn place(&mut self, slice: &Slice) -> usize {
        for lane in &mut self.lanes {
            while lane.last().is_some_and(|(_, end)| *end <= slice.start) {
                lane.pop();
            }
        }
        let lane = self.beside_parent(slice).or_else(|| self.lanes.iter().position(Vec::is_empty));
        let lane = lane.unwrap_or_else(|| {
            self.lanes.push(Vec::new());
            self.lanes.len() - 1
        });
        self.lanes[lane].push((slice.span_id, slice.end));
        self.of.insert(slice.span_id, lane);
        lane
    }

    /// The lane of the nearest slice around it that is known, if it fits in there now.
    fn beside_parent(&self, slice: &Slice) -> Option<usize> {
        let around: Vec<u64> = ancestors(&self.parents, slice.parent).collect();
        let lane = *around.iter().find_map(|id| self.of.get(id))?;
        let fits = |(id, end): &(u64, i64)| *end >= slice.end && around.contains(id);
        let is_free = |lane: usize| self.lanes[lane].last().is_none_or(fits);
        is_free(lane).then_some(lane)
    }
}
