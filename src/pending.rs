//! An answer that another thread will give: awaited on any async runtime, or waited for with none.

use crate::Error;
use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
    time::Duration,
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
    Awaited(oneshot::AsyncReceiver<Result<T, Error>>),
    Gone,
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
    pub fn wait(self, limit: Duration) -> Result<T, Error> {
        match self.0 {
            State::Ready(answer) => answer.unwrap_or_else(|| Err(gone())),
            // Only a future that was polled and then given to this method: it cannot be moved back.
            State::Gone | State::Awaited(_) => Err(gone()),
            State::Asked(receiver) => match receiver.recv_deadline(crate::time::deadline(limit)) {
                Ok(answer) => answer,
                Err(oneshot::RecvTimeoutError::Timeout) => Err(Error::timed_out(format!("no answer within {limit:?}"))),
                Err(oneshot::RecvTimeoutError::Disconnected) => Err(gone()),
            },
        }
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
        let this = self.get_mut();
        let mut receiver = match std::mem::replace(&mut this.0, State::Gone) {
            State::Ready(answer) => return Poll::Ready(answer.unwrap_or_else(|| Err(gone()))),
            State::Gone => return Poll::Ready(Err(gone())),
            State::Asked(receiver) => receiver.into_future(),
            State::Awaited(receiver) => receiver,
        };
        match Pin::new(&mut receiver).poll(cx) {
            Poll::Ready(answer) => Poll::Ready(answer.unwrap_or_else(|_| Err(gone()))),
            Poll::Pending => {
                this.0 = State::Awaited(receiver);
                Poll::Pending
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
