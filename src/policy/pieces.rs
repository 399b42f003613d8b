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
    /// Counts the texts that were put aside.
    aside: u64,
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
    /// When it was put aside last.
    aside: u64,
}

/// A piece that the gate makes itself, and whether it is shown.
pub(crate) type Released = (StreamEvent, bool);

/// The longest word that is held back without a look at it, in bytes.
const MAX_HELD_BYTES: usize = 16 << 10;
/// Texts of which something is held back; for further ones those go that were not written for longest, so that texts
/// which nobody ever ends are in nobody's way. What was held back of them is not shown.
const MAX_TEXTS: usize = 4_096;
/// So many go at a time.
const FORGOTTEN_AT_ONCE: usize = 1_024;
/// Of what cannot be told.
const UNKNOWN: &str = "text";

impl Pieces {
    pub(crate) fn new(redactor: Arc<Redactor>) -> Self {
        Self { redactor, last: None, others: HashMap::new(), aside: 0 }
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
        let held = self.held(key);
        let goes_on = held.goes_on(piece);
        held.push(piece, shown);
        let out = if goes_on { String::new() } else { held.release(&redactor) };
        *piece = out.as_str().into();
        !out.is_empty()
    }

    /// What is held back of the texts that this event ends, as their last pieces. Of a text that begins anew nothing is.
    pub(crate) fn rest_before(&mut self, event: &StreamEvent) -> Vec<Released> {
        let (execution_id, step_id) = (&event.execution_id, &event.step_id);
        if self.is_empty() {
            return Vec::new();
        }
        let released = match (event.kind().life(), event.body.key()) {
            (Life::Closes(Concept::Execution), _) => self.take_all(|key| key.0 == *execution_id),
            // The tool runs in another step than the model that wrote its input.
            (Life::Opens(Concept::ToolCall) | Life::Closes(Concept::ToolCall), Some(id)) => {
                self.take_all(|key| key.2 == Concept::ToolCall && key.3 == *id && key.0 == *execution_id)
            }
            // What a model writes of a tool's input is over when the model is.
            (Life::Closes(Concept::LlmCall), _) if step_id.is_some() => {
                self.take_all(|key| key.2 == Concept::ToolCall && key.1 == *step_id && key.0 == *execution_id)
            }
            (Life::Closes(concept), Some(id)) => {
                self.take(&Key(execution_id.clone(), step_id.clone(), concept, id.clone())).into_iter().collect()
            }
            (Life::Opens(concept @ (Concept::Text | Concept::Reasoning)), Some(id)) => {
                self.take(&Key(execution_id.clone(), step_id.clone(), concept, id.clone()));
                Vec::new()
            }
            _ => return Vec::new(),
        };
        let mut rests = self.rests(released);
        rests.iter_mut().for_each(|(rest, _)| rest.time = event.time);
        rests
    }

    /// All that is held back, when nothing more can come. At no time yet.
    pub(crate) fn rest(&mut self) -> Vec<Released> {
        let all = self.take_all(|_| true);
        self.rests(all)
    }

    /// In the order in which they were written last.
    fn rests(&self, mut taken: Vec<(Key, Held)>) -> Vec<Released> {
        taken.sort_by_key(|(_, held)| held.aside);
        taken.into_iter().filter_map(|(key, held)| held.last_piece(key, &self.redactor)).collect()
    }

    fn is_empty(&self) -> bool {
        self.others.is_empty() && self.last.as_ref().is_none_or(|(_, held)| held.is_idle())
    }

    /// Some pieces of some text were lost; which, nobody knows.
    pub(crate) fn lost_pieces(&mut self) {
        let last = self.last.iter_mut().map(|(_, held)| held);
        last.chain(self.others.values_mut()).for_each(Held::break_off);
    }

    fn take(&mut self, key: &Key) -> Option<(Key, Held)> {
        self.last.take_if(|(last, _)| last == key).or_else(|| self.others.remove_entry(key))
    }

    fn take_all(&mut self, wanted: impl Fn(&Key) -> bool) -> Vec<(Key, Held)> {
        let mut taken: Vec<_> = self.others.extract_if(|key, _| wanted(key)).collect();
        let last = self.last.take_if(|(key, _)| wanted(key));
        taken.extend(last.map(|(key, held)| (key, Held { aside: u64::MAX, ..held })));
        taken
    }

    /// What is held back of this text; the one that was written last is put aside for it.
    fn held(&mut self, key: Key) -> &mut Held {
        let text = match self.last.take() {
            Some((last, held)) if last == key => (last, held),
            before => {
                let held = self.others.remove(&key).unwrap_or_default();
                before.into_iter().for_each(|(key, held)| self.put_aside(key, held));
                (key, held)
            }
        };
        let (_, held) = self.last.insert(text);
        held
    }

    fn put_aside(&mut self, key: Key, held: Held) {
        if !held.is_idle() {
            self.aside += 1;
            self.others.insert(key, Held { aside: self.aside, ..held });
            self.bound();
        }
    }

    fn bound(&mut self) {
        if self.others.len() > MAX_TEXTS {
            let mut ages: Vec<_> = self.others.values().map(|held| held.aside).collect();
            let (_, newest, _) = ages.select_nth_unstable(FORGOTTEN_AT_ONCE);
            let newest = *newest;
            self.others.retain(|_, held| held.aside > newest);
        }
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

    /// Nothing needs to be remembered of it.
    fn is_idle(&self) -> bool {
        self.text.is_empty() && !self.broken
    }

    /// The text has ended.
    fn last_piece(&self, key: Key, redactor: &Redactor) -> Option<Released> {
        let Key(execution_id, step_id, concept, id) = key;
        let rest = Some(redactor.text(&self.text)).filter(|rest| !rest.is_empty())?;
        let body = last_piece(concept, id, &rest)?;
        Some((StreamEvent { execution_id, step_id, ..StreamEvent::new(body) }, self.shown))
    }
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
