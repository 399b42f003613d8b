//! `Events`: a stream that comes back by itself, to be polled, awaited or received from.

use super::{
    line::Line,
    update::{Counts, Tally, Update},
    watch::Watch,
};
use crate::{Cursor, Error};
use futures_core::Stream;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::{Semaphore, mpsc};

/// The events of a [`Watch`], in order, each once, over as many connections as it takes.
///
/// A [`Stream`]; [`next`](Events::next) where no extension trait is at hand; [`into_receiver`](Events::into_receiver)
/// for a task of its own. It works on a tokio runtime. Nothing is read before it is asked for, so whoever is slow makes
/// the server wait, which tells what it had to leave out as `data-stream-lagged`.
///
/// Ends when the execution that is watched has ended and everything was told, and after an error: then it would be the
/// same error again.
#[must_use = "streams do nothing unless polled"]
pub struct Events {
    state: State,
    cursor: Option<Cursor>,
    tally: Arc<Tally>,
}

enum State {
    Resting(Box<Line>),
    /// A step that is under way. It goes on where it was, also when whoever waits gives up in between.
    Working(Pin<Box<dyn Future<Output = Box<Line>> + Send>>),
    Over,
}

impl Events {
    pub(super) fn new(watch: Watch) -> Self {
        let tally = Arc::new(Tally::default());
        let line = Box::new(Line::new(watch, tally.clone()));
        Self { state: State::Resting(line), cursor: None, tally }
    }

    /// What is next; none when the stream has ended. May be given up and called again: nothing is lost.
    pub async fn next(&mut self) -> Option<Result<Update, Error>> {
        std::future::poll_fn(|cx| self.poll_update(cx)).await
    }

    /// Where another stream goes on: how far the last event that was given out had come.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// What became of what came so far.
    pub fn counts(&self) -> Counts {
        self.tally.read()
    }

    /// A task reads the stream and sends up to `capacity` updates ahead. It and its connection end as soon as the
    /// receiver is dropped, also while nothing comes.
    ///
    /// # Errors
    /// `is_config` outside of a tokio runtime.
    pub fn into_receiver(mut self, capacity: usize) -> Result<mpsc::Receiver<Result<Update, Error>>, Error> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|source| Error::config("a receiver needs a tokio runtime to read from").with_source(source))?;
        let (sender, receiver) = mpsc::channel(capacity.clamp(1, Semaphore::MAX_PERMITS));
        runtime.spawn(async move {
            tokio::select! {
                () = self.send_all(&sender) => {}
                () = sender.closed() => {}
            }
        });
        Ok(receiver)
    }

    async fn send_all(&mut self, sender: &mpsc::Sender<Result<Update, Error>>) {
        while let Some(update) = self.next().await {
            if sender.send(update).await.is_err() {
                return;
            }
        }
    }

    fn poll_update(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Update, Error>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Poll::Ready(None),
                State::Resting(mut line) => {
                    if let Some(update) = line.take() {
                        self.state = State::Resting(line);
                        self.note(&update);
                        return Poll::Ready(Some(update));
                    }
                    if line.is_over() {
                        return Poll::Ready(None);
                    }
                    self.state = State::Working(Box::pin(async move {
                        line.advance().await;
                        line
                    }));
                }
                State::Working(mut step) => match step.as_mut().poll(cx) {
                    Poll::Ready(line) => self.state = State::Resting(line),
                    Poll::Pending => {
                        self.state = State::Working(step);
                        return Poll::Pending;
                    }
                },
            }
        }
    }

    fn note(&mut self, update: &Result<Update, Error>) {
        if let Ok(Update::Event(event)) = update {
            self.cursor = event.cursor;
        }
    }
}

impl Stream for Events {
    type Item = Result<Update, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_update(cx)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("cursor", &self.cursor).field("counts", &self.counts()).finish()
    }
}
