//! Where the spans of a trace belong: which is around which, and which stands for the execution.

use super::span::Span;
use std::collections::{HashMap, HashSet};

/// How far up is looked.
const MAX_DEPTH: usize = 256;

pub(super) struct Tree {
    /// The spans, each id once, in the order of their beginning.
    pub(super) spans: Vec<Span>,
    /// The place of the one around each; none for those that nothing is around.
    pub(super) around: Vec<Option<usize>>,
    pub(super) depth: Vec<usize>,
}

impl Tree {
    pub(super) fn of(mut spans: Vec<Span>) -> Self {
        // What was delivered twice is there once: the first counts, as with back ends.
        let mut seen = HashSet::new();
        spans.retain(|span| seen.insert(span.span_id));
        spans.sort_by_key(|span| span.start);
        let mut around = around(&spans);
        // Parents in a ring are nobody's: whoever is that deep is cut off.
        for at in 0..spans.len() {
            if ancestors(&around, at).count() >= MAX_DEPTH {
                around[at] = Some(0).filter(|_| at > 0);
            }
        }
        let depth = (0..spans.len()).map(|at| ancestors(&around, at).count()).collect();
        Self { spans, around, depth }
    }

    /// Those around one, the nearest first.
    pub(super) fn ancestors(&self, at: usize) -> impl Iterator<Item = usize> {
        ancestors(&self.around, at)
    }

    pub(super) fn is_root(&self, at: usize) -> bool {
        self.around[at].is_none()
    }
}

fn ancestors(around: &[Option<usize>], at: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(around[at], |at| around[*at]).take(MAX_DEPTH)
}

/// A span whose parent is not there is part of the root; where there is no root, the first of these is it.
fn around(spans: &[Span]) -> Vec<Option<usize>> {
    let places: HashMap<u64, usize> = spans.iter().enumerate().map(|(at, span)| (span.span_id, at)).collect();
    let known = |span: &Span| span.parent.and_then(|parent| places.get(&parent).copied());
    let root = spans.iter().position(|span| span.parent.is_none());
    let root = root.or_else(|| spans.iter().position(|span| known(span).is_none())).unwrap_or(0);
    let place = |(at, span): (usize, &Span)| match span.parent {
        None => None,
        Some(_) if at == root => None,
        Some(_) => Some(known(span).filter(|parent| *parent != at).unwrap_or(root)),
    };
    spans.iter().enumerate().map(place).collect()
}
