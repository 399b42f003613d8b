//! A reader that is behind the ring: on in the log, and what is told where that has not all of it.

use super::{
    account::{Base, Unseen},
    subscription::{Slice, State, Step, Subscription},
};
use crate::{
    Cursor, Error,
    event::{KindSet, StreamMode},
    log::{LoggedEvent, Page, Query, Scope},
};

/// Events read from the log in one go.
const PAGE_EVENTS: usize = 512;

impl Subscription {
    /// The ring has moved on past this reader: on in the log, or over the gap.
    pub(super) fn fall_back(&mut self) -> Step {
        let Some(log) = &self.hub.log else { return Step::Slice(self.give_up_behind()) };
        let mut query = Query::new(self.filter.scope.clone(), self.next - 1, PAGE_EVENTS);
        query.tenant_id.clone_from(&self.filter.tenant_id);
        self.state = State::CatchingUp(log.read(query));
        Step::Again
    }

    pub(super) fn caught_up(&mut self, page: Result<Page, Error>) -> Option<Slice> {
        self.state = State::Reading;
        let Ok(mut page) = page else { return Some(self.give_up_behind()) };
        self.leave_to_ring(&mut page);
        // Whatever a log says of more to come: a page that leads nowhere would be asked for without end.
        if page.read_to < self.next {
            if std::mem::take(&mut self.flushed) {
                return Some(self.give_up_behind());
            }
            // The ring has let go of what the log has not kept yet; it will have when it is flushed.
            self.state = State::Flushing(self.hub.log.as_ref()?.flush());
            return None;
        }
        self.flushed = false;
        match (&self.filter.scope, &self.hub.log) {
            (Scope::Execution(id), Some(log)) if self.account.needs_base(id) => {
                self.state = State::Basing(Box::new((log.last_before(id.clone(), self.began), page)));
                None
            }
            _ => Some(self.take_page(page)),
        }
    }

    /// Without an answer nothing is known, and a gap is told where there may be one.
    pub(super) fn based(&mut self, row: Result<Option<LoggedEvent>, Error>, page: Page) -> Slice {
        self.state = State::Reading;
        if let Ok(row) = row {
            let base = Base::new(row.as_ref(), self.began, self.account.knows_all());
            self.account.set_unseen(Unseen::Base(base));
        } else {
            self.account.set_unseen(Unseen::Unanswered);
        }
        self.take_page(page)
    }

    /// A page has no pieces. Where everything is read, one without a hole has lost none.
    fn take_page(&mut self, page: Page) -> Slice {
        let offsets = (page.read_to + 1).saturating_sub(self.next);
        if !self.filter.is_of_everyone() || (page.events.len() as u64) < offsets {
            self.account.without_pieces(Cursor::new(self.hub.epoch, self.next - 1));
        }
        self.pass_to(page.read_to + 1);
        Slice::Logged(page.events)
    }

    /// What the ring still holds is read there: it has the pieces too.
    fn leave_to_ring(&self, page: &mut Page) {
        let first = self.hub.ring().first_offset();
        if page.read_to >= first {
            page.read_to = first - 1;
            page.complete = true;
            page.events.truncate(page.events.partition_point(|event| event.cursor.offset < first));
        }
    }

    /// Jumps to the oldest event that can be had, and says so.
    pub(super) fn give_up_behind(&mut self) -> Slice {
        let first = self.hub.ring().first_offset();
        let from = Cursor::new(self.hub.epoch, self.next - 1);
        // Of others nobody knows how many of them would have been shown: the numbers of the next ones tell.
        if self.filter.is_of_everyone() && self.filter.mode == StreamMode::Full && self.filter.kinds == KindSet::ALL {
            self.account.lost_all(first.saturating_sub(self.next));
        }
        self.pass_to(first);
        self.told_gap(from)
    }
}
