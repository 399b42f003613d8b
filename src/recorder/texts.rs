//! The texts that are being written in an execution: their pieces are not kept, so their whole is put into their end.

use crate::{
    StepId, StreamEvent, Text,
    event::{Body, Concept},
};
use std::collections::HashMap;

#[derive(Default)]
pub(super) struct Texts {
    /// The text that was written last: most pieces go on with it.
    last: Option<(Key, Writing)>,
    others: HashMap<Key, Writing>,
    /// Whether a text was given up for want of room, or begun where it was not seen: one that is not known may be that
    /// one.
    gave_up: bool,
}

/// Ids of texts are their emitters' own: two steps may use the same, and so may an answer and its reasoning.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key(Concept, Option<StepId>, Text);

#[derive(Default)]
struct Writing {
    text: String,
    truncated: bool,
}

/// The longest text that is kept whole, in bytes; of a longer one the beginning is.
const MAX_TEXT_BYTES: usize = 1 << 20;
/// Texts of one execution that are written at the same time; with more than that, some end without their whole.
const MAX_TEXTS: usize = 64;

impl Texts {
    /// Of an execution that goes on: whatever had come of its texts, nobody here has it.
    pub(super) fn going_on() -> Self {
        Self { gave_up: true, ..Self::default() }
    }

    pub(super) fn apply(&mut self, event: &mut StreamEvent) {
        let key = |concept, id: &Text| Key(concept, event.step_id.clone(), id.clone());
        match &mut event.body {
            Body::TextDelta(piece) => self.write(key(Concept::Text, &piece.id), &piece.delta),
            Body::ReasoningDelta(piece) => self.write(key(Concept::Reasoning, &piece.id), &piece.delta),
            // A second try begins anew.
            Body::TextStart(start) => self.begin(key(Concept::Text, &start.id)),
            Body::ReasoningStart(start) => self.begin(key(Concept::Reasoning, &start.id)),
            Body::TextEnd(end) => {
                let written = self.take(&key(Concept::Text, &end.id));
                finish(written, &mut end.final_text, &mut end.truncated);
            }
            Body::ReasoningEnd(end) => {
                let written = self.take(&key(Concept::Reasoning, &end.id));
                finish(written, &mut end.final_text, &mut end.truncated);
            }
            _ => {}
        }
    }

    /// Some pieces of some text were lost; which, nobody knows.
    pub(super) fn lost_pieces(&mut self) {
        let last = self.last.iter_mut().map(|(_, writing)| writing);
        last.chain(self.others.values_mut()).for_each(|writing| writing.truncated = true);
    }

    fn begin(&mut self, key: Key) {
        drop(self.take(&key));
        if self.gave_up {
            self.writing(key).truncated = false;
        }
    }

    fn write(&mut self, key: Key, piece: &str) {
        let writing = self.writing(key);
        if writing.truncated || writing.text.len() + piece.len() > MAX_TEXT_BYTES {
            writing.truncated = true;
        } else {
            writing.text.push_str(piece);
        }
    }

    /// The text of this key; the one that was written last is put aside for it.
    fn writing(&mut self, key: Key) -> &mut Writing {
        if self.last.as_ref().is_some_and(|(last, _)| *last != key) {
            self.put_aside();
        }
        let (others, truncated) = (&mut self.others, self.gave_up);
        let (_, writing) = self.last.get_or_insert_with(|| {
            let new = || Writing { truncated, ..Writing::default() };
            let writing = others.remove(&key).unwrap_or_else(new);
            (key, writing)
        });
        writing
    }

    fn put_aside(&mut self) {
        let aside = self.last.take();
        match self.others.len() < MAX_TEXTS {
            true => self.others.extend(aside),
            false => self.gave_up = true,
        }
    }

    fn take(&mut self, key: &Key) -> Option<Writing> {
        let last = self.last.take_if(|(last, _)| last == key).map(|(_, writing)| writing);
        last.or_else(|| self.others.remove(key))
    }
}

/// What the emitter itself says of the whole text is taken as it is.
fn finish(written: Option<Writing>, final_text: &mut Option<Text>, truncated: &mut Option<bool>) {
    if let (Some(writing), None) = (written, &final_text) {
        *final_text = Some(writing.text.into());
        *truncated = writing.truncated.then_some(true);
    }
}
