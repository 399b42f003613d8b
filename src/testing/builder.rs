//! Settings of a recording, for a program that has settings of its own in production.

use super::{Recording, session::Session};
use crate::{ContentPolicy, RecorderBuilder, Rules, ledger::Prices};
use tracing::{dispatcher, instrument::WithSubscriber};

/// Settings of a recording; see [`builder`](super::builder). What is not set is as with [`record`](super::record).
#[derive(Debug, Clone, Default)]
#[must_use = "nothing is recorded until `record` or `record_async` is called"]
pub struct Builder {
    pub(super) recorder: RecorderBuilder,
    pub(super) rules: Rules,
}

impl Builder {
    /// What spans of your own mean, as in [`Builder::rules`](crate::Builder::rules).
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// What calls cost, as in [`Builder::prices`](crate::Builder::prices).
    pub fn prices(mut self, prices: Prices) -> Self {
        self.recorder = self.recorder.prices(prices);
        self
    }

    /// What may be recorded of content, as in [`Builder::content`](crate::Builder::content).
    pub fn content(mut self, policy: ContentPolicy) -> Self {
        self.recorder = self.recorder.content(policy);
        self
    }

    /// As [`record`](super::record), with these settings.
    ///
    /// # Panics
    /// As [`record`](super::record), and when the content policy cannot be used.
    #[track_caller]
    pub fn record<T>(self, work: impl FnOnce() -> T) -> Recording<T> {
        let session = Session::begin(self);
        let output = dispatcher::with_default(&session.dispatch, work);
        Recording::new(output, session.end())
    }

    /// As [`record_async`](super::record_async), with these settings.
    ///
    /// # Panics
    /// As [`record`](Self::record).
    pub async fn record_async<F: Future>(self, future: F) -> Recording<F::Output> {
        let session = Session::begin(self);
        let output = future.with_subscriber(session.dispatch.clone()).await;
        // Here, so that the wait at the end is none: this thread may have other tasks.
        let _ = session.recorder.flush().await;
        Recording::new(output, session.end())
    }
}
