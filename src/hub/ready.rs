//! What a stream has ready for its caller, and where its caller is meanwhile.

use super::subscription::Subscription;
use crate::Cursor;
use std::collections::VecDeque;

/// Read, and not given out yet.
pub(super) struct Ready<T> {
    /// Each with the cursor of its last event; what is told of the stream itself has none.
    waiting: VecDeque<(Option<Cursor>, T)>,
    /// Where the caller is while something waits: at what was given out last.
    at: Cursor,
}

impl<T> Ready<T> {
    pub(super) fn new(subscription: &Subscription) -> Self {
        Self { waiting: VecDeque::new(), at: subscription.cursor() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Events, up to the one with this cursor.
    pub(super) fn push(&mut self, last: Cursor, item: T) {
        self.waiting.push_back((Some(last), item));
    }

    /// Something of the stream itself.
    pub(super) fn tell(&mut self, item: T) {
        self.waiting.push_back((None, item));
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let (cursor, item) = self.waiting.pop_front()?;
        self.at = cursor.unwrap_or(self.at);
        Some(item)
    }

    /// Nothing waits, and more is about to be read: so far the caller has come.
    pub(super) fn begin(&mut self, subscription: &Subscription) {
        self.at = subscription.cursor();
    }

    /// The cursor of what was given out last, whatever was passed since.
    #[cfg(feature = "serve")]
    pub(super) fn given(&self) -> Cursor {
        self.at
    }

    /// Where another stream can go on.
    pub(super) fn cursor(&self, subscription: &Subscription) -> Cursor {
        if self.is_empty() { subscription.cursor() } else { self.at }
    }
}
