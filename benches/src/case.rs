//! What is measured: an operation, repeated in bursts, by one system.

/// The operations. All systems record the same values with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// A piece of work with six run-time values, begun and ended: a span, or a model call's start and end event.
    Span,
    /// A step's start and end event: three values. Only for systems of events.
    Step,
    /// An event with eight values: two ids, four integers, two floats.
    Event,
    /// A piece of text: 20 bytes, and the 18-byte id of its segment.
    Delta,
    /// A text of 4 KB with quotes and line breaks in it. Only for frames.
    LongText,
    /// A finished span of an agent's run, on its way out over OTLP without what was said and given.
    Exported,
    /// The same with it.
    ExportedContent,
}

impl Op {
    /// Every operation.
    pub const ALL: [Self; 7] =
        [Self::Span, Self::Step, Self::Event, Self::Delta, Self::LongText, Self::Exported, Self::ExportedContent];

    /// Its name on a command line.
    pub fn key(self) -> &'static str {
        match self {
            Self::Span => "span",
            Self::Step => "step",
            Self::Event => "event",
            Self::Delta => "delta",
            Self::LongText => "long-text",
            Self::Exported => "without content",
            Self::ExportedContent => "with content",
        }
    }

    /// The operation of this name.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.key() == key)
    }
}

/// One thread's part of a system at work.
pub trait Case: Send {
    /// Makes what the next burst takes. Not part of any cost.
    fn prepare(&mut self) {}

    /// Does the operation this often.
    fn burst(&mut self, times: usize);

    /// Waits until nothing of the bursts so far is left to do. Not part of the calling thread's cost.
    fn drain(&mut self) {}
}

/// Gives each thread its case; called once for each.
pub type Cases = Box<dyn Fn() -> Box<dyn Case>>;

/// A system that can be measured.
pub struct System {
    /// Its name on a command line.
    pub key: &'static str,
    /// Its name in tables.
    pub title: &'static str,
    /// Sets it up, once per process.
    pub start: fn(Op) -> Cases,
    /// The operations it knows.
    pub ops: &'static [Op],
}

/// Operations of one burst.
pub const BURST: usize = 2_000;
/// Operations that share a parent, where a system has parents.
pub const PER_PARENT: usize = 100;
