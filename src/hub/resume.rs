//! A reader that comes back with a cursor: where that leads, and what it is told where it leads nowhere.

use super::{
    account::Unseen,
    subscription::{Slice, State, Subscription},
};
use crate::{
    Cursor, Error,
    log::{Resolved, Scope},
};

impl Subscription {
    pub(super) fn resolved(&mut self, cursor: Cursor, resolved: Result<Resolved, Error>) -> Option<Slice> {
        self.state = State::Reading;
        let told = self.go_to(cursor, resolved);
        // Who was told of a gap came with a cursor that leads there again, and needs another.
        self.named = if told.is_none() { self.next - 1 } else { 0 };
        self.began = self.next - 1;
        told
    }

    fn go_to(&mut self, cursor: Cursor, resolved: Result<Resolved, Error>) -> Option<Slice> {
        match resolved {
            Ok(Resolved::At(offset)) => {
                self.next = offset + 1;
                None
            }
            Ok(Resolved::Past(offset)) => {
                self.next = offset + 1;
                Some(self.told_gap(cursor))
            }
            // A stream of everything goes on from now: its whole record may be long, and nobody asked for it.
            Ok(Resolved::Unknown) | Err(_) => {
                if self.filter.scope != Scope::Everything {
                    self.next = self.begin_again();
                }
                Some(self.told_gap(cursor))
            }
        }
    }

    /// Offset of the first event that can be had.
    fn begin_again(&mut self) -> u64 {
        if self.hub.log.is_none() {
            return self.hub.ring().first_offset();
        }
        self.account.set_unseen(Unseen::FromStart);
        1
    }
}
