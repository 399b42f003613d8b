//! The streams that functions give: read as the pieces of one answer; and those that the return type does not show,
//! because an alias stands there, known by the type of the value. As in `autoref`, method lookup takes the boxed streams
//! first, and leaves everything else as it is.

use std::cell::RefCell;
use std::pin::Pin;

use futures_core::Stream;

use super::{AgentSpan, ChunkReader, ReadItems, Told};

/// Reads the items of a stream as pieces of one answer.
#[derive(Debug)]
pub struct Chunks<J> {
    reader: ChunkReader,
    read: J,
    count: usize,
}

impl<J> Chunks<J> {
    /// The stream, read by this as it passes.
    pub(crate) fn told<S: Stream>(span: AgentSpan, stream: S, read: J) -> Told<S, Self>
    where
        J: FnMut(&mut ChunkReader, &AgentSpan, &S::Item),
    {
        Told::new(span, stream, Self { reader: ChunkReader::new(), read, count: 0 })
    }
}

impl<T, J: FnMut(&mut ChunkReader, &AgentSpan, &T)> ReadItems<T> for Chunks<J> {
    fn item(&mut self, span: &AgentSpan, item: &T) {
        self.count += 1;
        (self.read)(&mut self.reader, span, item);
    }

    fn end(&mut self, span: &AgentSpan) {
        self.reader.end(span);
        self.dropped(span);
    }

    /// An answer that nobody read to its end is not one that broke off: its reader is not asked.
    fn dropped(&mut self, span: &AgentSpan) {
        // Of what a memory gives; other spans do not know the name.
        span.records(self.count);
    }
}

/// What a function gave.
#[derive(Debug)]
pub struct Made<T>(RefCell<Option<T>>);

impl<T> Made<T> {
    /// To be asked once.
    pub fn new(made: T) -> Self {
        Self(RefCell::new(Some(made)))
    }

    fn take(&self) -> T {
        let Some(made) = self.0.take() else { panic!("asked twice") };
        made
    }
}

/// A boxed stream, or a `Result` of one: it goes on in the span.
pub trait MadeStream {
    /// What the function gave.
    type Given;
    /// What the stream gives.
    type Item;

    /// The same, its items read as they pass.
    fn told<J>(&self, span: AgentSpan, read: J) -> Self::Given
    where
        J: FnMut(&mut ChunkReader, &AgentSpan, &Self::Item) + Send + 'static;
}

/// Anything else: the span is over.
pub trait MadeOther {
    /// What the function gave.
    type Given;

    /// The same.
    fn told<J: FnMut(&mut ChunkReader, &AgentSpan, &())>(&self, span: AgentSpan, read: J) -> Self::Given;
}

macro_rules! boxed_streams {
    ($($stream:ty),+) => {$(
        impl<'a, T: 'a> MadeStream for &Made<$stream> {
            type Given = $stream;
            type Item = T;

            fn told<J>(&self, span: AgentSpan, read: J) -> Self::Given
            where
                J: FnMut(&mut ChunkReader, &AgentSpan, &T) + Send + 'static,
            {
                Box::pin(Chunks::told(span, self.take(), read))
            }
        }

        impl<'a, T: 'a, E> MadeStream for &Made<Result<$stream, E>> {
            type Given = Result<$stream, E>;
            type Item = T;

            fn told<J>(&self, span: AgentSpan, read: J) -> Self::Given
            where
                J: FnMut(&mut ChunkReader, &AgentSpan, &T) + Send + 'static,
            {
                self.take().map(|stream| Box::pin(Chunks::told(span, stream, read)) as $stream)
            }
        }
    )+};
}

boxed_streams!(Pin<Box<dyn Stream<Item = T> + Send + 'a>>, Pin<Box<dyn Stream<Item = T> + 'a>>);

impl<T> MadeOther for Made<T> {
    type Given = T;

    fn told<J: FnMut(&mut ChunkReader, &AgentSpan, &())>(&self, _: AgentSpan, _: J) -> T {
        self.take()
    }
}
