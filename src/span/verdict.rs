//! What a guardrail decided.

/// What a guardrail lets happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "the three words of the contract")]
pub enum Decision {
    /// It may go on.
    Pass,
    /// It may go on, and someone should look.
    Warn,
    /// It must not go on.
    Block,
}

impl Decision {
    /// The word on the span: `pass`, `warn` or `block`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }
}

/// What a function under `#[guardrail]` returns, if its span should say what was decided. `true` passes.
pub trait Verdict {
    /// What may happen.
    fn decision(&self) -> Decision;

    /// Why.
    fn reason(&self) -> Option<&str> {
        None
    }

    /// How sure, or how bad: from 0 to 1.
    fn score(&self) -> Option<f64> {
        None
    }
}

impl Verdict for bool {
    fn decision(&self) -> Decision {
        if *self { Decision::Pass } else { Decision::Block }
    }
}

impl Verdict for Decision {
    fn decision(&self) -> Decision {
        *self
    }
}
