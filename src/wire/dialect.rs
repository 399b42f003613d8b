//! The dialects: in which form a stream's events are written.

use super::{hub, memory, sse};
use crate::{Cursor, Error, StreamEvent};

/// The form in which a stream's events are written. What each cannot say stands in `docs/wire.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Dialect {
    /// Our own: every event, whole, by name.
    #[default]
    Native,
    /// Vercel's AI SDK, UI message stream v1: what `useChat` reads.
    AiSdkUi,
    /// AG-UI 1.0: what `@ag-ui/client` reads.
    AgUi,
    /// A chat turn: started, ping, delta, tool, citations, done or error.
    Chat,
    /// A gateway's messages: start, chunk, thinking, tools, end; downloads and installs.
    Gateway,
    /// Memory and operations: what was stored, recalled, forgotten, and how far work is.
    Memory,
    /// A hub's envelope: id, type, session, payload.
    Hub,
}

/// Writes one event as a frame, or nothing where the dialect has no word for it. Without a cursor it is of the stream
/// itself, and gets no id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameWriter {
    /// Its place among the writers: frames are kept for each.
    pub(crate) slot: usize,
    pub(crate) write: fn(Option<Cursor>, &StreamEvent, &mut String),
}

impl FrameWriter {
    pub(crate) const COUNT: usize = 3;
    pub(crate) const NATIVE: Self = Self { slot: 0, write: sse::write };
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 7] =
        [Self::Native, Self::AiSdkUi, Self::AgUi, Self::Chat, Self::Gateway, Self::Memory, Self::Hub];

    /// The dialect's name in queries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::AiSdkUi => "ai-sdk-ui",
            Self::AgUi => "ag-ui",
            Self::Chat => "chat",
            Self::Gateway => "gateway",
            Self::Memory => "memory",
            Self::Hub => "hub",
        }
    }

    /// Whether an event is written from nothing but itself. The others tell one run as a whole, by a
    /// [`Translator`](super::Translator).
    pub const fn is_per_event(self) -> bool {
        self.writer().is_some()
    }

    /// Whether it says that all is well only when the record has it: whoever serves it flushes before the last frame.
    pub const fn ends_when_durable(self) -> bool {
        matches!(self, Self::Chat)
    }

    /// Headers that its clients expect, besides those of every stream: names in lower case, and values.
    pub const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            // "x-vercel-ai-ui-message-stream: v1" (AI SDK, stream protocol).
            Self::AiSdkUi => &[("x-vercel-ai-ui-message-stream", "v1")],
            _ => &[],
        }
    }

    pub(crate) const fn writer(self) -> Option<FrameWriter> {
        Some(match self {
            Self::Native => FrameWriter::NATIVE,
            Self::Hub => FrameWriter { slot: 1, write: hub::write },
            Self::Memory => FrameWriter { slot: 2, write: memory::write },
            Self::AiSdkUi | Self::AgUi | Self::Chat | Self::Gateway => return None,
        })
    }
}

impl std::str::FromStr for Dialect {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == text).ok_or_else(|| {
            let (shown, names): (String, _) = (text.chars().take(32).collect(), Self::ALL.map(Self::as_str).join(", "));
            Error::invalid(format!("dialect {shown:?}: {names} are accepted"))
        })
    }
}
