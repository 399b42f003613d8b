//! What all requests share: the recorder, the settings, the counters, and how far the server's life is.

use super::{Settings, counters::Counters, digest::Digests, translated::Translations};
use crate::Recorder;
use std::{future::Future, pin::Pin, sync::Arc};
use tokio::sync::watch;

#[derive(Debug)]
pub(super) struct App {
    pub(super) recorder: Recorder,
    pub(super) settings: Settings,
    pub(super) counters: Counters,
    pub(super) translations: Translations,
    pub(super) digests: Digests,
    phase: watch::Sender<Phase>,
}

/// How far a server's life is. A router in someone else's server only ever serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Serving,
    /// Streams end; what is under way is finished.
    Ending,
    /// Connections that are still there are cut.
    Over,
}

/// Done when a phase has come.
pub(super) type Reached = Pin<Box<dyn Future<Output = ()> + Send>>;

impl App {
    pub(super) fn new(recorder: Recorder, settings: Settings) -> Arc<Self> {
        let phase = watch::Sender::new(Phase::Serving);
        Arc::new(Self {
            recorder,
            settings,
            counters: Counters::default(),
            translations: Translations::default(),
            digests: Digests::default(),
            phase,
        })
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    pub(super) fn reached(&self, phase: Phase) -> Reached {
        let mut watched = self.phase.subscribe();
        Box::pin(async move {
            // An app that is gone serves nobody either.
            let _ = watched.wait_for(|now| *now >= phase).await;
        })
    }
}
