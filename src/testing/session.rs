//! `Session`: a recorder for one run, and the subscriber that feeds it; both are gone when the run is.

use super::{Builder, Recording};
use crate::{
    AgentLayer, Error, QueueLimits, Recorder, StreamEvent,
    log::{LoggedEvent, MemoryLog, Query, Scope},
};
use std::{sync::LazyLock, time::Duration};
use tracing::{Dispatch, subscriber::NoSubscriber};
use tracing_subscriber::layer::SubscriberExt;

/// Far beyond what a loaded machine needs.
const LIMIT: Duration = Duration::from_secs(60);

/// Room for what a test does before the recorder's thread comes to it. It costs nothing until it is used.
const QUEUE: QueueLimits = QueueLimits::new(1 << 20, 1 << 30);

/// A second subscriber, which wants nothing and lives as long as the process.
///
/// `tracing` asks each callsite's interest once and keeps the answer. While only one subscriber is alive, it takes the
/// short way and asks that of the thread which comes by first: a thread without one answers "never", and a recording on
/// another thread loses the span. With two alive it asks all of them, under a lock, and again when a new one comes. It
/// never becomes anyone's default.
///
/// One window is left, and only around the first recording of a process: a thread that took the short way just before
/// may write its answer down just after.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));

pub(super) struct Session {
    pub(super) recorder: Recorder,
    pub(super) dispatch: Dispatch,
}

impl Session {
    #[track_caller]
    pub(super) fn begin(settings: Builder) -> Self {
        LazyLock::force(&SECOND);
        let builder = settings.recorder.log(MemoryLog::new()).queue(QUEUE).without_hub();
        let recorder = builder.start().expect("a recorder for the test");
        // The same filter as in production: what is not seen there is not seen here.
        let layer = AgentLayer::new(recorder.clone()).rules(settings.rules).filtered();
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        Self { recorder, dispatch }
    }

    /// What was recorded, in order. What comes later is refused.
    #[track_caller]
    pub(super) fn end(self) -> Vec<StreamEvent> {
        let events = self.read().expect("the record of the run");
        let stats = self.recorder.stats();
        let lost = stats.shed() + stats.unlogged;
        assert!(lost == 0, "{lost} events were lost: the run did more at once than can be kept");
        events
    }

    fn read(&self) -> Result<Vec<StreamEvent>, Error> {
        self.recorder.flush().wait(LIMIT)?;
        let Some(log) = self.recorder.log() else { return Ok(Vec::new()) };
        let page = log.read(Query::new(Scope::Everything, 0, usize::MAX)).wait(LIMIT)?;
        page.events.iter().map(LoggedEvent::to_stream).collect()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let events = self.read().unwrap_or_default();
            // Through the macro, which a test's captured output takes in.
            eprintln!("recorded up to the panic:\n{}", Recording::of(events));
        }
        // A task that outlives the run holds the subscriber, and would fill the log for ever.
        let _ = self.recorder.shutdown(LIMIT);
    }
}
