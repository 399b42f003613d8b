//! What of each open text was said so far, so that its end can add the rest.

use crate::{
    StreamEvent, Text,
    event::{Body, Concept, ReasoningDelta, TextDelta, ToolInputDelta},
};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The open texts, reasonings and tool inputs of a run.
#[derive(Default)]
pub(super) struct Pieces {
    open: HashMap<(Concept, Text), Said>,
    /// How often pieces were lost: what comes after a loss does not join on to what was said before.
    losses: u64,
}

#[derive(Default)]
struct Said {
    bytes: usize,
    hash: Sha256,
    /// How many losses there had been when it began; none where its beginning was not seen.
    losses: Option<u64>,
}

impl Pieces {
    /// Pieces were lost here. Open texts say nothing more before their end.
    pub(super) fn hold(&mut self) {
        self.losses += 1;
    }

    /// Whether pieces of something open were lost.
    #[cfg(feature = "serve")]
    pub(super) fn has_holes(&self) -> bool {
        self.losses > 0 && self.open.values().any(|said| said.losses != Some(self.losses))
    }

    /// A text begins, if this is a start of one.
    pub(super) fn begin(&mut self, event: &StreamEvent) {
        let concept = match &event.body {
            Body::TextStart(_) => Concept::Text,
            Body::ReasoningStart(_) => Concept::Reasoning,
            Body::ToolInputStart(_) => Concept::ToolCall,
            _ => return,
        };
        let Some(id) = event.body.key() else { return };
        self.open.insert((concept, id.clone()), Said { losses: Some(self.losses), ..Said::default() });
    }

    /// The start of this piece's text was not seen. Where something was lost, pieces before this one may have been.
    pub(super) fn begun_late(&mut self, event: &StreamEvent) {
        let has_losses = self.losses > 0;
        if let Some(said) = piece(&event.body).and_then(|(concept, id, _)| self.open.get_mut(&(concept, id.clone()))) {
            said.losses = said.losses.filter(|_| !has_losses);
        }
    }

    /// Takes note of a piece; false when it is not to be said now.
    pub(super) fn takes(&mut self, event: &StreamEvent) -> bool {
        let Some((concept, id, delta)) = piece(&event.body) else { return true };
        let Some(said) = self.open.get_mut(&(concept, id.clone())) else { return true };
        let joins = said.losses == Some(self.losses);
        if joins {
            said.bytes += delta.len();
            said.hash.update(delta.as_bytes());
        }
        joins
    }

    /// A text's whole is there: the rest of it that was not said. An error where the whole does not begin with what was
    /// said, or is not known although pieces are missing.
    pub(super) fn end(&mut self, event: &StreamEvent) -> Result<Option<Body>, Unhealed> {
        let (concept, id, whole) = match &event.body {
            Body::TextEnd(end) => (Concept::Text, &end.id, end.final_text.as_deref()),
            Body::ReasoningEnd(end) => (Concept::Reasoning, &end.id, end.final_text.as_deref()),
            Body::ToolInputAvailable(call) => (Concept::ToolCall, &call.tool_call_id, Some(call.input.as_str())),
            _ => return Ok(None),
        };
        let Some(said) = self.open.remove(&(concept, id.clone())) else { return Ok(None) };
        let is_complete = said.losses == Some(self.losses);
        // An input's pieces are as its model wrote them, which need not be how it is written here; and where nothing was
        // said of it, it says itself.
        if concept == Concept::ToolCall && (is_complete || said.bytes == 0) {
            return Ok(None);
        }
        let Some(whole) = whole else { return if is_complete { Ok(None) } else { Err(Unhealed) } };
        let rest = match whole.get(..said.bytes) {
            Some(start) if Sha256::digest(start) == said.hash.finalize() => &whole[said.bytes..],
            // More was said than is kept: the record's text is cut.
            None if is_complete => return Ok(None),
            _ => return Err(Unhealed),
        };
        Ok((!rest.is_empty()).then(|| rest_of(concept, id, rest)))
    }
}

/// What was said of a text cannot be made whole.
#[derive(Debug)]
pub(super) struct Unhealed;

fn piece(body: &Body) -> Option<(Concept, &Text, &Text)> {
    match body {
        Body::TextDelta(piece) => Some((Concept::Text, &piece.id, &piece.delta)),
        Body::ReasoningDelta(piece) => Some((Concept::Reasoning, &piece.id, &piece.delta)),
        Body::ToolInputDelta(piece) => Some((Concept::ToolCall, &piece.tool_call_id, &piece.input_text_delta)),
        _ => None,
    }
}

fn rest_of(concept: Concept, id: &Text, rest: &str) -> Body {
    match concept {
        Concept::Reasoning => ReasoningDelta::new(id.clone(), rest).into(),
        Concept::ToolCall => ToolInputDelta::new(id.clone(), rest).into(),
        _ => TextDelta::new(id.clone(), rest).into(),
    }
}
