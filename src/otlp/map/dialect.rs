//! Which names a destination gets.

use crate::otlp::settings::{Naming, OpenInference};

/// Names of the GenAI convention are always written; the others go along with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Dialect {
    pub(crate) naming: Naming,
    pub(crate) openinference: OpenInference,
    /// What Langfuse reads before anything else.
    pub(crate) langfuse: bool,
}

impl Dialect {
    pub(super) fn is_latest(&self) -> bool {
        self.naming == Naming::Latest
    }

    pub(super) fn has_openinference(&self) -> bool {
        self.openinference != OpenInference::Off
    }

    pub(super) fn is_full_openinference(&self) -> bool {
        self.openinference == OpenInference::Full
    }
}
