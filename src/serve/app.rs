//! What all requests share: the recorder, the settings, the counters, and how far the server's life is.

use super::{Settings, counters::Counters, digest::Digests, ingest::Ingest, translated::Translations};
use crate::{Recorder, hub::bell::Bell};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};
use tokio::sync::watch;

#[derive(Debug)]
pub(super) struct App {
    pub(super) recorder: Recorder,
    pub(super) settings: Settings,
    pub(super) counters: Counters,
    pub(super) bell: Arc<Bell>,
    pub(super) ingest: Ingest,
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

/// Done when a phase has come. It is asked with each frame, so it does not wait anew each time.
pub(super) struct Reached {
    phase: Phase,
    watched: watch::Receiver<Phase>,
    change: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Who is woken by the next change after this phase.
    waits: Option<(Phase, Waker)>,
}

impl Future for Reached {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let now = *self.watched.borrow();
        // An app that is gone serves nobody either.
        if now >= self.phase || self.watched.has_changed().is_err() {
            return Poll::Ready(());
        }
        if self.waits.as_ref().is_some_and(|(since, waker)| *since == now && waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        self.waits = Some((now, cx.waker().clone()));
        self.change.as_mut().poll(cx)
    }
}

impl App {
    pub(super) fn new(recorder: Recorder, settings: Settings) -> Arc<Self> {
        let phase = watch::Sender::new(Phase::Serving);
        Arc::new(Self {
            recorder,
            settings,
            counters: Counters::default(),
            ingest: Ingest::default(),
            translations: Translations::default(),
            digests: Digests::default(),
            bell: Arc::default(),
            phase,
        })
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    pub(super) fn reached(&self, phase: Phase) -> Reached {
        let watched = self.phase.subscribe();
        let mut waiting = watched.clone();
        let change = Box::pin(async move { drop(waiting.wait_for(|now| *now >= phase).await) });
        Reached { phase, watched, change, waits: None }
    }
}
