//! A future in its span: entered at every poll, settled by its output, cancelled when dropped before.

use std::mem::replace;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project::{pin_project, pinned_drop};

use super::AgentSpan;

/// What [`AgentSpan::run`] returns: the same future, with the same output, and `Send` exactly when that was.
#[pin_project(PinnedDrop)]
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Run<F, J> {
    #[pin]
    future: Option<F>,
    read: Option<J>,
    span: AgentSpan,
}

impl<F, J> Run<F, J> {
    pub(crate) fn new(span: AgentSpan, future: F, read: J) -> Self {
        Self { future: Some(future), read: Some(read), span }
    }
}

impl<F, J> Future for Run<F, J>
where
    F: Future,
    J: FnOnce(&AgentSpan, &F::Output),
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else { panic!("polled after completion") };
        let output = ready!(this.span.watch(|| future.poll(context)));
        this.span.watch(|| this.future.set(None));
        // The span ends here and not when the finished future is dropped: a `join!` keeps it for long.
        let span = replace(this.span, AgentSpan::none());
        if let Some(read) = this.read.take() {
            span.settle(&output, read);
        }
        Poll::Ready(output)
    }
}

#[pinned_drop]
impl<F, J> PinnedDrop for Run<F, J> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.future.is_some() {
            this.span.abandon(|span| {
                span.give_up();
                // Inside, so that what the future still holds open ends under its own parent.
                span.watch(|| this.future.set(None));
            });
        }
    }
}
