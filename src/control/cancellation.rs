//! Being told to stop.

use super::Control;
use crate::Text;
use std::{fmt, sync::Arc};

/// Tells when an execution was cancelled: to be looked at between two pieces of work, or awaited beside one.
///
/// Clones are the same. It never cancels by itself: [`ExecutionHandle::cancel`](crate::ExecutionHandle::cancel) does.
#[derive(Clone)]
pub struct Cancellation(Option<Arc<Control>>);

impl Cancellation {
    pub(crate) fn of(control: Arc<Control>) -> Self {
        Self(Some(control))
    }

    /// One that never comes, for where nobody could cancel.
    pub(crate) fn never() -> Self {
        Self(None)
    }

    /// Why the execution was cancelled, if it was.
    pub fn cancelled(&self) -> Option<Cancelled> {
        self.0.as_ref()?.cancelled().map(Cancelled::new)
    }

    /// Whether the execution was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled().is_some()
    }

    /// Until the execution is cancelled; for ever where it never is. Made for `select!`. Works on any runtime.
    pub async fn wait(&self) -> Cancelled {
        if let Some(control) = &self.0
            && let Some(reason) = control.cancelled_or_over().await
        {
            return Cancelled::new(reason);
        }
        std::future::pending().await
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancellation").field(&self.is_cancelled()).finish()
    }
}

/// The execution was cancelled. Return it as an error, in one of your own if you like: the execution then ends as
/// cancelled, not as failed. A step inside that returns it ends with that error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    reason: Text,
}

impl Cancelled {
    pub(crate) fn new(reason: Text) -> Self {
        Self { reason }
    }

    /// By whom or why, in the words of who cancelled.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cancelled: {}", self.reason)
    }
}

impl std::error::Error for Cancelled {}
