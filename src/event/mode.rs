//! Who is shown what, and what may be lost first.

/// How much of an execution is shown. It belongs to whoever watches (an emitter's own mode is a first filter of the
/// same kind); what is kept in the log does not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
#[non_exhaustive]
pub enum StreamMode {
    /// Everything.
    #[default]
    Full,
    /// Everything but the pieces of texts and tool inputs.
    Summary,
    /// Only what may need a person: paused, resumed, cancelled, failed, permissions, denials, blocks, inbox.
    ControlOnly,
    /// Nothing.
    Silent,
}

impl StreamMode {
    /// Every mode, from most to least shown.
    pub const ALL: [Self; 4] = [Self::Full, Self::Summary, Self::ControlOnly, Self::Silent];

    /// Whether events of this class are shown. Transport events are part of the stream itself and shown in each mode.
    pub const fn shows(self, class: Class) -> bool {
        // The modes stand in the order of how little they show.
        let last = match class {
            Class::Bulk => Self::Full,
            Class::Structural => Self::Summary,
            Class::Control => Self::ControlOnly,
            Class::Transport => Self::Silent,
        };
        self as u8 <= last as u8
    }

    /// The mode's name in queries and settings: `full`, `summary`, `control_only`, `silent`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Summary => "summary",
            Self::ControlOnly => "control_only",
            Self::Silent => "silent",
        }
    }

    /// The mode of a number that `as u8` made.
    pub(crate) const fn from_u8(number: u8) -> Self {
        match number {
            1 => Self::Summary,
            2 => Self::ControlOnly,
            3 => Self::Silent,
            _ => Self::Full,
        }
    }
}

impl std::str::FromStr for StreamMode {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| {
            let shown: String = text.chars().take(32).collect();
            crate::Error::invalid(format!("mode {shown:?}: full, summary, control_only or silent is accepted"))
        })
    }
}

/// What an event's loss would mean, and so what happens to it under pressure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// A person or a policy acts on it. Has a reserve in every queue.
    Control,
    /// The outline of what happened; logged. Shed only past a queue's bound, counted and told.
    Structural,
    /// Pieces of a text whose whole is kept at its end. Merged first, then shed with a count.
    Bulk,
    /// Of the stream itself (connected, ping, lagged, gap); made for one reader, never logged.
    Transport,
}
