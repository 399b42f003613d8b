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
/// Texts of one execution that are written at the same time; further ones end without their whole.
const MAX_TEXTS: usize = 64;

impl Texts {
    pub(super) fn apply(&mut self, event: &mut StreamEvent) {
        let key = |concept, id: &Text| Key(concept, event.step_id.clone(), id.clone());
        match &mut event.body {
            Body::TextDelta(piece) => self.write(key(Concept::Text, &piece.id), &piece.delta),
            Body::ReasoningDelta(piece) => self.write(key(Concept::Reasoning, &piece.id), &piece.delta),
            // A second try begins anew.
            Body::TextStart(start) => drop(self.take(&key(Concept::Text, &start.id))),
            Body::ReasoningStart(start) => drop(self.take(&key(Concept::Reasoning, &start.id))),
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
            let aside = self.last.take().filter(|_| self.others.len() < MAX_TEXTS);
            self.others.extend(aside);
        }
        let others = &mut self.others;
        let (_, writing) = self.last.get_or_insert_with(|| {
            let writing = others.remove(&key).unwrap_or_default();
            (key, writing)
        });
        writing
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
