//! Texts that come in pieces: a secret may be cut over several. What could be part of one is held back until it is known.

use super::{ContentLevel, Redactor, spans};
use crate::{
    ExecutionId, StepId, StreamEvent, Text,
    event::{Body, Concept, Life, ReasoningDelta, TextDelta, ToolInputDelta},
};
use std::{collections::HashMap, sync::Arc};

/// What is held back of the texts that are being written.
///
/// Everything shown of a text, put together, is what the redactor makes of the whole: a piece is let through as far as
/// nothing that follows could change it.
#[derive(Debug)]
pub(crate) struct Pieces {
    redactor: Arc<Redactor>,
    /// The text that was written last: most pieces go on with it.
    last: Option<(Key, Held)>,
    others: HashMap<Key, Held>,
}

/// Ids of texts are their emitters' own, see the recorder's texts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key(Option<ExecutionId>, Option<StepId>, Concept, Text);

#[derive(Default)]
struct Held {
    text: String,
    /// Whether all of it may be shown.
    shown: bool,
    /// Pieces are missing: what follows is left out until the word that they were in is over.
    broken: bool,
}

/// A piece that the gate makes itself, and whether it is shown.
pub(crate) type Released = (StreamEvent, bool);

/// The longest word that is held back without a look at it, in bytes.
const MAX_HELD_BYTES: usize = 16 << 10;
/// Texts of which something is held back; of further ones that part is masked.
const MAX_TEXTS: usize = 4_096;
/// Of what cannot be told.
const UNKNOWN: &str = "text";

impl Pieces {
    pub(crate) fn new(redactor: Arc<Redactor>) -> Self {
        Self { redactor, last: None, others: HashMap::new() }
    }

    /// Leaves of a piece what may be shown now, with what was held back before it. False when that is nothing.
    pub(crate) fn admit(&mut self, event: &mut StreamEvent, shown: &mut bool) -> bool {
        match self.redactor.level() {
            ContentLevel::Full => return true,
            ContentLevel::None => return false,
            ContentLevel::Redacted => {}
        }
        let Some(key) = key(event) else { return true };
        let Some(piece) = event.body.piece() else { return true };
        let redactor = self.redactor.clone();
        let Some(held) = self.held(key) else {
            *piece = masked_end(&redactor, piece).into();
            return true;
        };
        let goes_on = held.goes_on(piece);
        held.push(piece, shown);
        let out = if goes_on { String::new() } else { held.release(&redactor) };
        *piece = out.as_str().into();
        !out.is_empty()
    }

    /// What is held back of a text that this event ends or begins anew, as its last piece.
    pub(crate) fn rest_before(&mut self, event: &StreamEvent) -> Option<Released> {
        let (concept, ends) = match event.kind().life() {
            Life::Closes(Concept::Execution) => {
                self.forget(event.execution_id.as_ref());
                return None;
            }
            Life::Opens(concept @ (Concept::Text | Concept::Reasoning)) => (concept, false),
            Life::Opens(concept @ Concept::ToolCall) => (concept, true),
            Life::Closes(concept) => (concept, true),
            _ => return None,
        };
        let key = Key(event.execution_id.clone(), event.step_id.clone(), concept, event.body.key()?.clone());
        let held = self.take(&key)?;
        let body = last_piece(concept, key.3, &held.rest(&self.redactor)?)?;
        let piece = StreamEvent { body, ..event.clone() };
        ends.then_some((piece, held.shown))
    }

    /// Some pieces of some text were lost; which, nobody knows.
    pub(crate) fn lost_pieces(&mut self) {
        let last = self.last.iter_mut().map(|(_, held)| held);
        last.chain(self.others.values_mut()).for_each(Held::break_off);
    }

    fn forget(&mut self, execution_id: Option<&ExecutionId>) {
        self.last.take_if(|(key, _)| key.0.as_ref() == execution_id);
        if !self.others.is_empty() {
            self.others.retain(|key, _| key.0.as_ref() != execution_id);
        }
    }

    fn take(&mut self, key: &Key) -> Option<Held> {
        let last = self.last.take_if(|(last, _)| last == key).map(|(_, held)| held);
        last.or_else(|| self.others.remove(key))
    }

    /// What is held back of this text; the one that was written last is put aside for it. None where there is no place.
    fn held(&mut self, key: Key) -> Option<&mut Held> {
        if self.last.as_ref().is_some_and(|(last, _)| *last != key) {
            if self.others.len() >= MAX_TEXTS && !self.others.contains_key(&key) {
                return None;
            }
            self.others.extend(self.last.take().filter(|(_, held)| held.broken || !held.text.is_empty()));
        }
        let others = &mut self.others;
        let (_, held) = self.last.get_or_insert_with(|| {
            let held = others.remove(&key).unwrap_or_default();
            (key, held)
        });
        Some(held)
    }
}

impl Held {
    /// Together they are shown where both may be.
    fn push(&mut self, piece: &str, shown: &mut bool) {
        let piece = if self.broken { self.mend(piece) } else { piece };
        *shown &= self.shown || self.text.is_empty();
        self.shown = *shown;
        self.text.push_str(piece);
    }

    /// A piece without a gap only makes the last word longer.
    fn goes_on(&self, piece: &str) -> bool {
        let gap = |b: u8| b.is_ascii_whitespace() || !b.is_ascii();
        !self.text.is_empty() && self.text.len() + piece.len() <= MAX_HELD_BYTES && !piece.bytes().any(gap)
    }

    fn break_off(&mut self) {
        if !std::mem::replace(&mut self.broken, true) {
            self.text.clear();
            spans::write_mask(UNKNOWN, &mut self.text);
        }
    }

    fn mend<'a>(&mut self, piece: &'a str) -> &'a str {
        let end = piece.find(char::is_whitespace);
        self.broken = end.is_none();
        end.map_or("", |end| &piece[end..])
    }

    /// What is settled.
    fn release(&mut self, redactor: &Redactor) -> String {
        let (settled, end) = redactor.settled(&self.text);
        // One run that is longer than any secret that is looked for: the rest of it is masked with it.
        self.broken |= end == self.text.len() && end > MAX_HELD_BYTES;
        self.text.drain(..end);
        settled
    }

    /// The text has ended.
    fn rest(&self, redactor: &Redactor) -> Option<String> {
        let text = redactor.text(&self.text);
        (!text.is_empty()).then_some(text)
    }
}

fn masked_end(redactor: &Redactor, piece: &str) -> String {
    let (mut settled, end) = redactor.settled(piece);
    if end < piece.len() {
        spans::write_mask(UNKNOWN, &mut settled);
    }
    settled
}

fn key(event: &StreamEvent) -> Option<Key> {
    let Life::Continues(concept) = event.kind().life() else { return None };
    Some(Key(event.execution_id.clone(), event.step_id.clone(), concept, event.body.key()?.clone()))
}

fn last_piece(concept: Concept, id: Text, rest: &str) -> Option<Body> {
    Some(match concept {
        Concept::Text => TextDelta::new(id, rest).into(),
        Concept::Reasoning => ReasoningDelta::new(id, rest).into(),
        Concept::ToolCall => ToolInputDelta::new(id, rest).into(),
        _ => return None,
    })
}

/// Not what is held back.
impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("bytes", &self.text.len()).field("broken", &self.broken).finish_non_exhaustive()
    }
}
