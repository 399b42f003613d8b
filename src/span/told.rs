//! A stream in its span: entered at every poll, read item by item, ended by its last item.

use std::mem::replace;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project::{pin_project, pinned_drop};

use super::AgentSpan;
use super::outcome::Ending;

/// What looks at the items of a stream as they pass, inside the stream's span. A closure `|span, item|` is one.
pub trait ReadItems<T> {
    /// The next item, before the program gets it.
    fn item(&mut self, span: &AgentSpan, item: &T);

    /// The stream has ended: no item comes any more.
    fn end(&mut self, span: &AgentSpan) {
        let _ = span;
    }

    /// The stream was dropped before its end. What came until then was used.
    fn dropped(&mut self, span: &AgentSpan) {
        let _ = span;
    }
}

impl<T, F: FnMut(&AgentSpan, &T)> ReadItems<T> for F {
    fn item(&mut self, span: &AgentSpan, item: &T) {
        self(span, item);
    }
}

/// What [`AgentSpan::stream_with`] returns: the same stream, with the same items, and `Send` exactly when that was.
///
/// Its span is `ok` when the stream ends, and ends then, however long this is still held. Dropped before, it was
/// `cancelled`. A span of a model call learns how long the first item took. After the end there are no more items.
#[pin_project(PinnedDrop)]
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Told<S: Stream, J: ReadItems<S::Item>> {
    #[pin]
    stream: Option<S>,
    read: J,
    span: AgentSpan,
}

impl<S: Stream, J: ReadItems<S::Item>> Told<S, J> {
    pub(crate) fn new(span: AgentSpan, stream: S, read: J) -> Self {
        span.begins_stream();
        Self { stream: Some(stream), read, span }
    }
}

impl<S: Stream, J: ReadItems<S::Item>> Stream for Told<S, J> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let Some(stream) = this.stream.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let next = ready!(this.span.watch(|| stream.poll_next(context)));
        match &next {
            Some(item) => {
                this.span.first_chunk();
                this.span.look(|| this.read.item(this.span, item));
            }
            None => {
                this.span.watch(|| this.stream.set(None));
                // The span ends here and not when the finished stream is dropped.
                let span = replace(this.span, AgentSpan::none());
                span.look(|| this.read.end(&span));
                span.tell(Ending::Ok);
            }
        }
        Poll::Ready(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

#[pinned_drop]
impl<S: Stream, J: ReadItems<S::Item>> PinnedDrop for Told<S, J> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.stream.is_none() {
            return;
        }
        this.span.abandon(|span| {
            span.give_up();
            // Not while unwinding: a second panic would abort the program.
            if !std::thread::panicking() {
                span.look(|| this.read.dropped(span));
            }
            // Inside, so that what the stream still holds open ends under its own parent.
            span.watch(|| this.stream.set(None));
        });
    }
}
