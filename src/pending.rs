//! An answer that another thread will give: awaited on any async runtime, or waited for with none.

use crate::Error;
use futures_channel::oneshot;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker, ready},
    thread::Thread,
    time::{Duration, Instant},
};

/// The answer to a question asked of the recorder or a log.
///
/// Await it, or block on it with [`wait`](Pending::wait) where there is no runtime. Dropping it gives up the answer,
/// not the work.
#[must_use = "nothing is known to be done until the answer is awaited"]
pub struct Pending<T>(State<T>);

enum State<T> {
    Ready(Option<Result<T, Error>>),
    Asked(oneshot::Receiver<Result<T, Error>>),
}

/// Where the answer to a [`Pending`] is to be put. Dropping it answers with `is_closed`.
pub struct Answer<T>(oneshot::Sender<Result<T, Error>>);

impl<T> Pending<T> {
    /// A question, and the place for its answer: for logs that answer from a thread or a task of their own.
    pub fn asked() -> (Answer<T>, Self) {
        let (sender, receiver) = oneshot::channel();
        (Answer(sender), Self(State::Asked(receiver)))
    }

    /// An answer that is known already.
    pub fn ready(answer: Result<T, Error>) -> Self {
        Self(State::Ready(Some(answer)))
    }

    /// Blocks this thread until the answer is there, `limit` at the longest. Not for async code: await it there.
    ///
    /// # Errors
    /// What the answer says; `is_timed_out` when it did not come in time; `is_closed` when nobody is left to give it.
    pub fn wait(mut self, limit: Duration) -> Result<T, Error> {
        let answer = park_until(crate::time::deadline(limit), |cx| Pin::new(&mut self).poll(cx));
        answer.unwrap_or_else(|| Err(Error::timed_out(format!("no answer within {limit:?}"))))
    }
}

fn gone() -> Error {
    Error::closed("the recorder or log that was asked has shut down")
}

impl<T> Answer<T> {
    /// Gives the answer. Nobody waiting for it is no fault.
    pub fn give(self, answer: Result<T, Error>) {
        let _ = self.0.send(answer);
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.get_mut().0 {
            State::Ready(answer) => Poll::Ready(answer.take().unwrap_or_else(|| Err(gone()))),
            State::Asked(receiver) => {
                let answer = ready!(Pin::new(receiver).poll(cx));
                Poll::Ready(answer.unwrap_or_else(|_| Err(gone())))
            }
        }
    }
}

impl<T> Unpin for Pending<T> {}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

/// Polls on this thread until something is ready, and parks in between; none past the deadline.
pub(crate) fn park_until<T>(deadline: Instant, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Option<T> {
    let waker = thread_waker(std::thread::current());
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(ready) = poll(&mut cx) {
            return Some(ready);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        std::thread::park_timeout(left);
    }
}

/// Wakes a thread that polls without a runtime and parks in between.
pub(crate) fn thread_waker(thread: Thread) -> Waker {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    Waker::from(Arc::new(Unpark(thread)))
}
