//! What an open span tells while a stream is read in it: text, reasoning, and the input of tools.

use super::{
    contract::Slot,
    fields::Fields,
    listener::Listener,
    open::{OpenSpan, SegmentKind},
};
use crate::{
    Recorder, Text,
    event::{
        Outcome, ReasoningDelta, ReasoningEnd, ReasoningStart, TextDelta, TextEnd, TextStart, ToolInputDelta,
        ToolInputStart,
    },
};

/// A piece of a stream, as an event of the delta target says it.
pub(super) enum Piece {
    Text(SegmentKind, Text),
    ToolInput {
        id: Text,
        name: Option<Text>,
        input: Text,
    },
    /// The text that was being written is whole.
    End,
}

/// Calls of one span whose input is told.
const MAX_CALLS: usize = 256;

impl Piece {
    pub(super) fn of(fields: &Fields) -> Option<Self> {
        if let Some(text) = fields.text(Slot::DeltaText) {
            return Some(Self::Text(SegmentKind::Text, text));
        }
        if let Some(text) = fields.text(Slot::DeltaReasoning) {
            return Some(Self::Text(SegmentKind::Reasoning, text));
        }
        if let Some(id) = fields.text(Slot::DeltaToolCallId) {
            let (name, input) = (fields.text(Slot::DeltaToolName), fields.text(Slot::DeltaToolInput));
            return Some(Self::ToolInput { id, name, input: input.unwrap_or_default() });
        }
        fields.has(Slot::DeltaEnd).then_some(Self::End)
    }
}

impl OpenSpan {
    /// Emits a piece, and the start of what it is a piece of.
    pub(super) fn write(&mut self, recorder: &Recorder, piece: Piece) {
        match piece {
            Piece::Text(kind, text) => self.write_text(recorder, kind, text),
            Piece::ToolInput { id, name, input } => self.write_tool_input(recorder, id, name, input),
            Piece::End => self.close_segment(recorder, None),
        }
    }

    fn write_text(&mut self, recorder: &Recorder, kind: SegmentKind, piece: Text) {
        let id = match &self.segment.open {
            Some((open, id)) if *open == kind => id.clone(),
            _ => self.open_segment(recorder, kind),
        };
        match kind {
            SegmentKind::Text => self.emit(recorder, TextDelta::new(id, piece)),
            SegmentKind::Reasoning => self.emit(recorder, ReasoningDelta::new(id, piece)),
        }
    }

    fn open_segment(&mut self, recorder: &Recorder, kind: SegmentKind) -> Text {
        self.close_segment(recorder, None);
        let id = self.next_segment_id();
        match kind {
            SegmentKind::Text => self.emit(recorder, TextStart::new(id.clone())),
            SegmentKind::Reasoning => self.emit(recorder, ReasoningStart::new(id.clone())),
        }
        self.segment.open = Some((kind, id.clone()));
        id
    }

    /// Ends the open segment, if any: something else begins, or the span is over.
    pub(super) fn close_segment(&mut self, recorder: &impl Listener, outcome: Option<Outcome>) {
        let Some((kind, id)) = self.segment.open.take() else { return };
        match kind {
            SegmentKind::Text => {
                let mut end = TextEnd::new(id);
                end.outcome = outcome;
                self.emit(recorder, end);
            }
            SegmentKind::Reasoning => {
                let mut end = ReasoningEnd::new(id);
                end.outcome = outcome;
                self.emit(recorder, end);
            }
        }
    }

    fn write_tool_input(&mut self, recorder: &Recorder, id: Text, name: Option<Text>, input: Text) {
        if !self.announced_calls.contains(&id) && !self.announce_call(recorder, &id, name.unwrap_or_default()) {
            return;
        }
        if !input.is_empty() {
            self.emit(recorder, ToolInputDelta::new(id, input));
        }
    }

    /// The model begins to write a call. False where there is no room to remember it until its tool runs: a call that
    /// begins must end.
    fn announce_call(&mut self, recorder: &Recorder, id: &Text, name: Text) -> bool {
        let has_room = self.announced_calls.len() < MAX_CALLS && self.note_call(id.clone(), name.clone());
        if has_room {
            self.close_segment(recorder, None);
            self.announced_calls.push(id.clone());
            let mut start = ToolInputStart::new(id.clone(), name);
            start.parent_step_id = Some(self.step_id.clone());
            self.emit(recorder, start);
        }
        has_room
    }
}
