//! What the gate remembers of each execution: its numbers, its conversation, and the texts that are being written.

use crate::{
    EventLog, ExecutionId, StreamEvent, Text,
    event::{Body, Concept, Kind, Life, Recorded},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub(super) struct Executions {
    places: HashMap<ExecutionId, usize>,
    known: Vec<Execution>,
    /// Places in `known` whose execution is forgotten.
    free: Vec<usize>,
    /// The execution that was looked for last: most events are of the one that the event before was of.
    last: Option<(ExecutionId, usize)>,
    /// Ended ones, oldest first: kept for late events, up to a bound.
    ended: VecDeque<ExecutionId>,
    log: Option<Arc<dyn EventLog>>,
    started_ms: u128,
}

#[derive(Default)]
struct Execution {
    sequence: u64,
    pieces: u64,
    session_id: Option<Text>,
    /// The text that was written last: most pieces go on with it.
    text: Option<(Text, Writing)>,
    /// The others that are being written.
    texts: HashMap<Text, Writing>,
}

/// A text that is being written.
#[derive(Default)]
struct Writing {
    text: String,
    truncated: bool,
}

/// Ended executions that are remembered.
const MAX_ENDED: usize = 4_096;
/// The longest text that is kept whole, in bytes; of a longer one the beginning is.
const MAX_TEXT_BYTES: usize = 1 << 20;
/// An id is taken as made by this process when it is at most this much younger than the recorder: 30 days, in ms.
const NEWER_MS: u128 = 30 * 24 * 3_600 * 1_000;
/// How long the log may take to say how far an execution had come.
const LOG_LIMIT: Duration = Duration::from_secs(5);

impl Executions {
    pub(super) fn new(log: Option<Arc<dyn EventLog>>) -> Self {
        let started_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let (places, known, free, ended) = (HashMap::new(), Vec::new(), Vec::new(), VecDeque::new());
        Self { places, known, free, last: None, ended, log, started_ms }
    }

    /// Gives the event its numbers; a text's end gets the whole of its text.
    pub(super) fn record(&mut self, mut event: StreamEvent, shown: bool) -> Recorded {
        let Some(id) = &event.execution_id else { return Recorded::new(event, 0, 0, shown) };
        let kind = event.kind();
        let place = self.place(id, kind);
        let ended = (kind.life() == Life::Closes(Concept::Execution)).then(|| id.clone());
        let execution = &mut self.known[place];
        execution.apply(&mut event);
        let Execution { sequence, pieces, ref session_id, .. } = *execution;
        let recorded = Recorded { event, sequence, pieces, shown, session_id: session_id.clone() };
        if let Some(id) = ended {
            self.end(id);
        }
        recorded
    }

    fn place(&mut self, id: &ExecutionId, kind: Kind) -> usize {
        if let Some((last, place)) = &self.last
            && last == id
        {
            return *place;
        }
        let place = match self.places.get(id) {
            Some(place) => *place,
            None => self.add(id, kind),
        };
        self.last = Some((id.clone(), place));
        place
    }

    fn add(&mut self, id: &ExecutionId, kind: Kind) -> usize {
        let found = self.look_up(id, kind);
        let place = self.free.pop().unwrap_or(self.known.len());
        match self.known.get_mut(place) {
            Some(free) => *free = found,
            None => self.known.push(found),
        }
        self.places.insert(id.clone(), place);
        place
    }

    /// An execution that this recorder does not remember may be an old one that goes on, or a late event of one.
    fn look_up(&self, id: &ExecutionId, kind: Kind) -> Execution {
        // The upper bound keeps out trace ids of other systems, whose digits are no time.
        let since_start = self.started_ms..self.started_ms + NEWER_MS;
        let new = kind == Kind::ExecutionStart && id.created_ms().is_some_and(|ms| since_start.contains(&ms));
        let row = match &self.log {
            Some(log) if !new => log.execution(id.clone()).wait(LOG_LIMIT).ok().flatten(),
            _ => None,
        };
        row.map_or_else(Execution::default, |row| Execution {
            sequence: row.events,
            pieces: row.pieces,
            session_id: row.session_id,
            ..Execution::default()
        })
    }

    fn end(&mut self, id: ExecutionId) {
        self.ended.push_back(id);
        if self.ended.len() > MAX_ENDED
            && let Some(oldest) = self.ended.pop_front()
        {
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, id: &ExecutionId) {
        if let Some(place) = self.places.remove(id) {
            self.known[place] = Execution::default();
            self.free.push(place);
            self.last = None;
        }
    }
}

impl Execution {
    fn apply(&mut self, event: &mut StreamEvent) {
        let life = event.kind().life();
        match life {
            Life::Continues(_) => self.pieces += 1,
            _ if event.kind().event_type().is_some() => self.sequence += 1,
            _ => {}
        }
        match &mut event.body {
            Body::ExecutionStart(start) if start.session_id.is_some() => self.session_id.clone_from(&start.session_id),
            Body::TextDelta(piece) => self.write(&piece.id, &piece.delta),
            Body::ReasoningDelta(piece) => self.write(&piece.id, &piece.delta),
            Body::TextEnd(end) => self.finish(&end.id, &mut end.final_text, &mut end.truncated),
            Body::ReasoningEnd(end) => self.finish(&end.id, &mut end.final_text, &mut end.truncated),
            _ if life == Life::Closes(Concept::Execution) => (self.text, self.texts) = (None, HashMap::new()),
            _ => {}
        }
    }

    fn write(&mut self, id: &Text, piece: &str) {
        let writing = self.text(id);
        if writing.truncated || writing.text.len() + piece.len() > MAX_TEXT_BYTES {
            writing.truncated = true;
        } else {
            writing.text.push_str(piece);
        }
    }

    /// The text with this id; the one that was written last is put aside for it.
    fn text(&mut self, id: &Text) -> &mut Writing {
        if self.text.as_ref().is_none_or(|(last, _)| last != id) {
            self.texts.extend(self.text.take());
            let writing = self.texts.remove(id).unwrap_or_default();
            self.text = Some((id.clone(), writing));
        }
        &mut self.text.get_or_insert_default().1
    }

    /// What the emitter itself says of the whole text is taken as it is.
    fn finish(&mut self, id: &Text, final_text: &mut Option<Text>, truncated: &mut Option<bool>) {
        let last = self.text.take_if(|(last, _)| last == id).map(|(_, writing)| writing);
        let Some(writing) = last.or_else(|| self.texts.remove(id)) else { return };
        if final_text.is_none() {
            *final_text = Some(writing.text.into());
            *truncated = writing.truncated.then_some(true);
        }
    }
}
