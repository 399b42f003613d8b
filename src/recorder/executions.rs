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
    known: HashMap<ExecutionId, Execution>,
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
        Self { known: HashMap::new(), ended: VecDeque::new(), log, started_ms }
    }

    /// Gives the event its numbers; a text's end gets the whole of its text.
    pub(super) fn record(&mut self, mut event: StreamEvent, shown: bool) -> Recorded {
        let Some(id) = event.execution_id.clone() else { return Recorded::new(event, 0, 0, shown) };
        let execution = self.execution(&id, event.kind());
        execution.apply(&mut event);
        let recorded = Recorded::new(event, execution.sequence, execution.pieces, shown);
        let recorded = recorded.of_session(execution.session_id.clone());
        if recorded.event.kind().life() == Life::Closes(Concept::Execution) {
            self.end(id);
        }
        recorded
    }

    fn execution(&mut self, id: &ExecutionId, kind: Kind) -> &mut Execution {
        if !self.known.contains_key(id) {
            let found = self.look_up(id, kind);
            self.known.insert(id.clone(), found);
        }
        self.known.entry(id.clone()).or_default()
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
            texts: HashMap::new(),
        })
    }

    fn end(&mut self, id: ExecutionId) {
        self.ended.push_back(id);
        if self.ended.len() > MAX_ENDED
            && let Some(oldest) = self.ended.pop_front()
        {
            self.known.remove(&oldest);
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
            _ if life == Life::Closes(Concept::Execution) => self.texts.clear(),
            _ => {}
        }
    }

    fn write(&mut self, id: &Text, piece: &str) {
        let writing = self.texts.entry(id.clone()).or_default();
        if writing.truncated || writing.text.len() + piece.len() > MAX_TEXT_BYTES {
            writing.truncated = true;
        } else {
            writing.text.push_str(piece);
        }
    }

    /// What the emitter itself says of the whole text is taken as it is.
    fn finish(&mut self, id: &Text, final_text: &mut Option<Text>, truncated: &mut Option<bool>) {
        let Some(writing) = self.texts.remove(id) else { return };
        if final_text.is_none() {
            *final_text = Some(writing.text.into());
            *truncated = writing.truncated.then_some(true);
        }
    }
}
