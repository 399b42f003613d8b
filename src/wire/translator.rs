//! One run as a front end of another kind is told of it: set right first, then said in its words.

use super::{
    Dialect, ag_ui::AgUi, ai_sdk_ui::AiSdkUi, chat::Chat, gateway::Gateway, orderly::Orderly, sse, told::Told,
};
use crate::{ExecutionId, StreamEvent, Text};
use std::fmt;

/// What a dialect needs to know of the run besides its events.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Run {
    /// The execution.
    pub execution_id: ExecutionId,
    /// The conversation it belongs to, where the client named one.
    pub session_id: Option<Text>,
    /// Whether it had ended before the client came.
    pub is_replay: bool,
}

impl Run {
    /// A run that is told while it happens.
    pub const fn new(execution_id: ExecutionId) -> Self {
        Self { execution_id, session_id: None, is_replay: false }
    }

    /// The same, of this conversation.
    pub fn of_session(mut self, session_id: Option<Text>) -> Self {
        self.session_id = session_id;
        self
    }

    /// The same, told again.
    pub const fn replayed(mut self, is_replay: bool) -> Self {
        self.is_replay = is_replay;
        self
    }
}

/// A dialect's words. What it is told is in order: see [`Orderly`].
pub(super) trait Voice: Send {
    /// Appends the frames in which it says this, or none.
    fn say(&mut self, event: &StreamEvent, out: &mut String);

    /// A sign of life after a silence: a comment, unless the dialect has a word for it.
    fn ping(&self) -> &'static str {
        sse::KEEP_ALIVE
    }
}

/// Writes the events of one run, from its first on, in a dialect that tells a run as a whole.
///
/// Whatever comes, what is written keeps the dialect's grammar: what is continued was begun, what was begun is ended,
/// and the end comes last and comes once. Pieces that got lost are made up for from the text's whole.
pub struct Translator {
    orderly: Orderly,
    voice: Box<dyn Voice>,
}

impl Translator {
    /// A translator; none for dialects that write event by event.
    pub fn new(dialect: Dialect, run: &Run) -> Option<Self> {
        let voice: Box<dyn Voice> = match dialect {
            Dialect::AiSdkUi => Box::new(AiSdkUi::new(run)),
            Dialect::AgUi => Box::new(AgUi::new(run)),
            Dialect::Chat => Box::new(Chat::new(run)),
            Dialect::Gateway => Box::new(Gateway::new(run)),
            Dialect::Native | Dialect::Memory | Dialect::Hub => return None,
        };
        Some(Self { orderly: Orderly::new(run.execution_id.clone()), voice })
    }

    /// Appends what the dialect says of the next event.
    pub fn event(&mut self, event: &StreamEvent, out: &mut String) {
        let Self { orderly, voice } = self;
        orderly.take(event, &mut |event| voice.say(event, out));
    }

    /// What of the open texts was said so far.
    pub fn told(&self) -> Told {
        self.orderly.told()
    }

    /// From the next event on it is said to somebody who was told so much of the open texts by another translator.
    pub fn resume(&mut self, told: &Told) {
        self.orderly.resume(told);
    }

    /// Appends what is missing when no more events come: nothing where the run has ended.
    pub fn end(&mut self, out: &mut String) {
        let Self { orderly, voice } = self;
        orderly.finish(&mut |event| voice.say(event, out));
    }

    /// A sign of life after a silence.
    pub fn ping(&self) -> &'static str {
        self.voice.ping()
    }

    /// Whether the run's start was told.
    #[cfg(feature = "serve")]
    pub(crate) fn has_begun(&self) -> bool {
        self.orderly.has_begun()
    }

    /// Whether the run's end was told.
    pub fn is_over(&self) -> bool {
        self.orderly.is_over()
    }

    /// What was out of order so far: added, left out or made up for.
    pub fn repairs(&self) -> u64 {
        self.orderly.repairs()
    }
}

impl fmt::Debug for Translator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Translator").field("is_over", &self.is_over()).field("repairs", &self.repairs()).finish()
    }
}
