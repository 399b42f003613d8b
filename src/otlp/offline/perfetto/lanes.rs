//! Which lane a slice is drawn on: on one lane slices are nested or follow each other, and what is nested is inside.

use super::slice::Slice;
use std::collections::HashMap;

/// How far up a slice is looked for.
const MAX_DEPTH: usize = 256;

/// What is drawn, in this order: a reader sorts by time, and of what is at one time it takes what comes first for the
/// earlier. Slices and moments are told by their places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mark {
    /// And the innermost that it is drawn in.
    Begin {
        slice: usize,
        lane: usize,
        around: Option<usize>,
    },
    Moment {
        slice: usize,
        moment: usize,
        lane: usize,
    },
    End {
        slice: usize,
        lane: usize,
    },
}

impl Mark {
    pub(super) const fn lane(&self) -> usize {
        let (Self::Begin { lane, .. } | Self::Moment { lane, .. } | Self::End { lane, .. }) = self;
        *lane
    }
}

/// Puts slices in the order of their beginning and says how they are drawn: on lane 0 the first root and what fits into it.
pub(super) fn arrange(slices: &mut [Slice]) -> Vec<Mark> {
    let parents: HashMap<u64, Option<u64>> = slices.iter().map(|slice| (slice.span_id, slice.parent)).collect();
    let order = order(slices, &parents);
    slices.sort_by_cached_key(|slice| (slice.start, -slice.end, order.get(&slice.span_id).cloned()));
    slices.iter_mut().for_each(|slice| slice.moments.sort_by_key(|moment| moment.time));
    let mut lanes = Lanes { slices, parents, lanes: Vec::new(), of: HashMap::new(), marks: Vec::new() };
    (0..lanes.slices.len()).for_each(|slice| lanes.place(slice));
    lanes.close_all();
    lanes.marks
}

/// Of those that begin and end together what is around comes first. Of those without length all that is inside of one comes
/// before the next one, so that nothing ends before what is inside of it has come: for these the way to each from the root.
fn order(slices: &[Slice], parents: &HashMap<u64, Option<u64>>) -> HashMap<u64, Vec<(i64, i64, usize)>> {
    let place = |(at, slice): (usize, &Slice)| (slice.span_id, (slice.start, -slice.end, at));
    let places: HashMap<u64, _> = slices.iter().enumerate().map(place).collect();
    let way = |slice: &Slice| {
        let up = ancestors(parents, Some(slice.span_id));
        let mut way: Vec<_> = up.filter_map(|id| places.get(&id).copied()).collect();
        if slice.start < slice.end {
            // Only how long it is counts.
            way.fill((0, 0, 0));
        }
        way.reverse();
        (slice.span_id, way)
    };
    slices.iter().map(way).collect()
}

/// This span and those around it, the nearest first.
fn ancestors(parents: &HashMap<u64, Option<u64>>, first: Option<u64>) -> impl Iterator<Item = u64> {
    let up = |id: &u64| parents.get(id).copied().flatten();
    std::iter::successors(first, up).take(MAX_DEPTH)
}

struct Lanes<'a> {
    slices: &'a [Slice],
    parents: HashMap<u64, Option<u64>>,
    /// What is open on each, the innermost last.
    lanes: Vec<Vec<Open>>,
    /// Where each span was put.
    of: HashMap<u64, usize>,
    marks: Vec<Mark>,
}

struct Open {
    slice: usize,
    /// The first of its moments that is not drawn yet.
    moment: usize,
}

impl Lanes<'_> {
    fn place(&mut self, at: usize) {
        let slice = &self.slices[at];
        let around: Vec<u64> = ancestors(&self.parents, slice.parent).collect();
        for lane in 0..self.lanes.len() {
            while self.lanes[lane].last().is_some_and(|open| self.is_over(open, slice, &around)) {
                self.close(lane);
            }
        }
        let lane = self.beside_parent(slice, &around).or_else(|| self.lanes.iter().position(Vec::is_empty));
        let lane = lane.unwrap_or_else(|| {
            self.lanes.push(Vec::new());
            self.lanes.len() - 1
        });
        (0..self.lanes[lane].len()).for_each(|depth| self.moments(lane, depth, slice.start));
        let around = self.lanes[lane].last().map(|open| open.slice);
        self.marks.push(Mark::Begin { slice: at, lane, around });
        self.lanes[lane].push(Open { slice: at, moment: 0 });
        self.of.insert(slice.span_id, lane);
    }

    /// Whether it ends before this one begins. One without length, at the end of what is around it, is inside.
    fn is_over(&self, open: &Open, slice: &Slice, around: &[u64]) -> bool {
        let end = self.slices[open.slice].end;
        end < slice.start || (end == slice.start && !self.has_room(open, slice, around))
    }

    fn has_room(&self, open: &Open, slice: &Slice, around: &[u64]) -> bool {
        let open = &self.slices[open.slice];
        open.end >= slice.end && around.contains(&open.span_id)
    }

    /// The lane of the nearest slice around it that is known, if it fits in there now.
    fn beside_parent(&self, slice: &Slice, around: &[u64]) -> Option<usize> {
        let lane = *around.iter().find_map(|id| self.of.get(id))?;
        let is_free = self.lanes[lane].last().is_none_or(|open| self.has_room(open, slice, around));
        is_free.then_some(lane)
    }

    /// Draws the moments of an open slice up to this time.
    fn moments(&mut self, lane: usize, depth: usize, time: i64) {
        let open = &mut self.lanes[lane][depth];
        let moments = &self.slices[open.slice].moments;
        while moments.get(open.moment).is_some_and(|moment| moment.time <= time) {
            self.marks.push(Mark::Moment { slice: open.slice, moment: open.moment, lane });
            open.moment += 1;
        }
    }

    /// Ends the innermost. What happened at its end is inside, what came later is not.
    fn close(&mut self, lane: usize) {
        let Some(depth) = self.lanes[lane].len().checked_sub(1) else { return };
        let slice = self.lanes[lane][depth].slice;
        self.moments(lane, depth, self.slices[slice].end);
        self.marks.push(Mark::End { slice, lane });
        self.moments(lane, depth, i64::MAX);
        self.lanes[lane].pop();
    }

    fn close_all(&mut self) {
        for lane in 0..self.lanes.len() {
            while !self.lanes[lane].is_empty() {
                self.close(lane);
            }
        }
    }
}
