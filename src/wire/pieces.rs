//! What of each open text was said so far, so that its end can add the rest.

use crate::{
    StreamEvent, Text,
    event::{Body, Concept, ReasoningDelta, TextDelta},
};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The open texts and reasonings of a run.
#[derive(Default)]
pub(super) struct Pieces {
    open: HashMap<(bool, Text), Said>,
    /// Pieces were lost: what comes now does not join on to what was said.
    gap: u64,
}

#[derive(Default)]
struct Said {
    bytes: usize,
    hash: Sha256,
    /// How many gaps there had been when it began; more now mean that one is in it.
    gap: u64,
}

impl Pieces {
    /// Pieces were lost here. Open texts say nothing more before their end.
    pub(super) fn hold(&mut self) {
        self.gap += 1;
    }

    /// Takes note of a piece; false when it is not to be said now.
    pub(super) fn takes(&mut self, concept: Concept, event: &StreamEvent) -> bool {
        let (Body::TextDelta(TextDelta { id, delta, .. }) | Body::ReasoningDelta(ReasoningDelta { id, delta, .. })) =
            &event.body
        else {
            return true;
        };
        let gap = self.gap;
        let said = self.open.entry((concept == Concept::Text, id.clone())).or_insert(Said { gap, ..Said::default() });
        let joins = said.gap == self.gap;
        if joins {
            said.bytes += delta.len();
            said.hash.update(delta.as_bytes());
        }
        joins
    }

    /// A text ends: the rest of it that was not said. An error where the whole does not begin with what was said, or
    /// is not known although pieces are missing.
    pub(super) fn end(&mut self, concept: Concept, event: &StreamEvent) -> Result<Option<Body>, Unhealed> {
        let (id, whole) = match &event.body {
            Body::TextEnd(end) => (&end.id, &end.final_text),
            Body::ReasoningEnd(end) => (&end.id, &end.final_text),
            _ => return Ok(None),
        };
        let gap = self.gap;
        let said = self.open.remove(&(concept == Concept::Text, id.clone())).unwrap_or(Said { gap, ..Said::default() });
        let Some(whole) = whole else {
            return if said.gap == gap { Ok(None) } else { Err(Unhealed) };
        };
        let rest = match whole.get(..said.bytes) {
            Some(start) if Sha256::digest(start) == said.hash.finalize() => &whole[said.bytes..],
            // More was said than is kept: the record's text is cut.
            None if said.gap == gap => return Ok(None),
            _ => return Err(Unhealed),
        };
        Ok((!rest.is_empty()).then(|| piece(concept, id, rest)))
    }
}

/// What was said of a text cannot be made whole.
#[derive(Debug)]
pub(super) struct Unhealed;

fn piece(concept: Concept, id: &Text, rest: &str) -> Body {
    match concept {
        Concept::Reasoning => ReasoningDelta::new(id.clone(), rest).into(),
        _ => TextDelta::new(id.clone(), rest).into(),
    }
}
