//! A deadline that every sign of life moves on: that costs a look at the clock, the timer only moves when it fires.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep};

#[derive(Debug)]
pub(super) struct Deadline {
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    pub(super) fn new(limit: Duration) -> Self {
        Self { since: Instant::now(), timer: Box::pin(sleep(limit)) }
    }

    /// There was a sign of life.
    pub(super) fn touch(&mut self) {
        self.since = Instant::now();
    }

    /// Ready when the last sign of life is `limit` ago; the limit may be another each time.
    pub(super) fn poll_passed(&mut self, limit: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let due = self.since + limit;
        if due < self.timer.deadline() {
            self.timer.as_mut().reset(due);
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(due);
        }
    }
}
