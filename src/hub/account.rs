//! What a reader got and what it lost: counted by the numbers that the gate gave each execution.

use super::{
    filter::{Share, Wants},
    known::{Known, Numbers},
    ring::{Extent, Segment},
};
use crate::{
    Cursor, ExecutionId, StreamEvent, Text,
    event::{Recorded, StreamGap, StreamLagged},
    log::{LoggedEvent, Status},
};

/// An event as far as a reader has to know it before it decides.
pub(super) struct Seen<'a> {
    pub(super) cursor: Cursor,
    pub(super) execution_id: Option<&'a ExecutionId>,
    pub(super) status: Option<Status>,
    pub(super) ends_execution: bool,
    /// With the event.
    pub(super) now: Numbers,
    /// Without it.
    pub(super) before: Numbers,
}

impl<'a> Seen<'a> {
    pub(super) fn live(cursor: Cursor, recorded: &'a Recorded) -> Self {
        let now = Numbers { sequence: recorded.sequence, pieces: recorded.pieces };
        let before = Numbers {
            sequence: now.sequence.saturating_sub(u64::from(recorded.is_logged())),
            // Pieces that are not shown are not numbered.
            pieces: now.pieces.saturating_sub(u64::from(recorded.is_piece() && recorded.shown)),
        };
        Self {
            cursor,
            execution_id: recorded.event.execution_id.as_ref(),
            status: Status::left_by(recorded),
            ends_execution: Status::left_by(recorded).is_some_and(Status::is_final),
            now,
            before,
        }
    }

    pub(super) fn logged(logged: &'a LoggedEvent) -> Self {
        let now = Numbers { sequence: logged.sequence, pieces: logged.pieces };
        Self {
            cursor: logged.cursor,
            execution_id: Some(&logged.context.execution_id),
            status: Status::after(logged.kind),
            ends_execution: Status::after(logged.kind).is_some_and(Status::is_final),
            now,
            before: Numbers { sequence: now.sequence.saturating_sub(1), ..now },
        }
    }
}

/// What a reader is to be told before the next event.
#[derive(Debug, Default)]
pub(super) struct Loss {
    /// So many are gone.
    sure: u64,
    /// Between these two some may be gone, nobody knows how many.
    gap: Option<(Cursor, Cursor)>,
}

impl Loss {
    pub(super) fn is_none(&self) -> bool {
        self.sure == 0 && self.gap.is_none()
    }

    fn add(&mut self, other: Self) {
        self.sure += other.sure;
        self.gap = match (self.gap, other.gap) {
            (Some((from, _)), Some((_, to))) => Some((from, to)),
            (one, other) => one.or(other),
        };
    }

    /// As events of the stream.
    pub(super) fn told(self) -> impl Iterator<Item = StreamEvent> {
        let lagged = (self.sure > 0).then(|| StreamLagged::new(self.sure).into());
        self.gap.map(|(from, to)| gap(from, to)).into_iter().chain(lagged)
    }
}

/// That something between the two cannot be had.
pub(super) fn gap(from: Cursor, to: Cursor) -> StreamEvent {
    StreamEvent::new(StreamGap::new().from(Text::from(from.to_string())).to(Text::from(to.to_string())))
}

/// How far an execution was, at or before the place where a reader of it began.
#[derive(Debug)]
pub(super) struct Base {
    numbers: Numbers,
    /// Where it had these numbers.
    offset: u64,
    /// After this one the reader began.
    began: u64,
}

impl Base {
    /// From the last event kept before `began`. It is `exact` when the execution had none since that was not kept.
    pub(super) fn new(row: Option<&LoggedEvent>, began: u64, exact: bool) -> Self {
        let numbers = row.map_or_else(Numbers::default, |row| Numbers { sequence: row.sequence, pieces: row.pieces });
        let offset = if exact { began } else { row.map_or(0, |row| row.cursor.offset) };
        Self { numbers, offset, began }
    }

    /// The least and the most pieces that are gone between the reader's beginning and this event, the first one that it
    /// looks at. Of the offsets since the base some are of this execution's pieces and the others are not; those before
    /// the beginning are not lost. Where all are the execution's own, as in a program that runs one, both are the same.
    fn gone(&self, event: &Seen<'_>) -> (u64, u64) {
        let pieces = event.before.pieces.saturating_sub(self.numbers.pieces);
        let between = event.cursor.offset.saturating_sub(self.offset + 1);
        let (others, had) = (between.saturating_sub(pieces), self.began.saturating_sub(self.offset));
        (pieces - had.min(pieces), pieces - had.saturating_sub(others).min(pieces))
    }
}

/// Where the numbers of an execution come from that is looked at for the first time.
#[derive(Debug)]
pub(super) enum Unseen {
    /// The reader began before all of them that it does not know.
    FromStart,
    /// Those that ran when the reader began are known; a new one begins with its first number.
    Known,
    /// Nothing is known of those that ran when the reader began.
    Unknown,
    /// The same, and the log could not say more.
    Unanswered,
    /// The one that is read, before the reader began.
    Base(Base),
}

/// The books of one reader.
pub(super) struct Account {
    wants: Wants,
    seen: Known,
    unseen: Unseen,
    /// After this offset pieces may be gone, also of executions that were not looked at yet.
    unsure: Option<Cursor>,
    /// Dropped and not told yet.
    owed: Loss,
    pub(super) delivered: u64,
    pub(super) dropped: u64,
}

impl Account {
    pub(super) fn new(wants: Wants, seen: Known, unseen: Unseen) -> Self {
        Self { wants, seen, unseen, unsure: None, owed: Loss::default(), delivered: 0, dropped: 0 }
    }

    pub(super) fn owes(&self) -> bool {
        !self.owed.is_none()
    }

    /// What is left to tell.
    pub(super) fn settle(&mut self) -> Loss {
        std::mem::take(&mut self.owed)
    }

    /// True when it has to be asked how far this execution was, before something of it is looked at.
    pub(super) fn needs_base(&self, id: &ExecutionId) -> bool {
        let open = matches!(self.unseen, Unseen::Known | Unseen::Unknown);
        open && self.wants.pieces != Share::None && self.seen.of(id).is_none()
    }

    /// True when an execution that is not known had nothing published before the reader began.
    pub(super) fn knows_all(&self) -> bool {
        matches!(self.unseen, Unseen::Known)
    }

    pub(super) fn set_unseen(&mut self, unseen: Unseen) {
        self.unseen = unseen;
    }

    /// Reading goes on after `from` where pieces are not kept.
    pub(super) fn without_pieces(&mut self, from: Cursor) {
        self.unsure.get_or_insert(from);
    }

    /// So many events of everyone are gone, and the reader is told: their numbers must not count them again.
    pub(super) fn lost_all(&mut self, events: u64) {
        self.dropped += events;
        (self.seen, self.unseen, self.unsure) = (Known::default(), Unseen::Unknown, None);
    }

    /// Takes note of an event in scope. None when it is not to be delivered; else what the reader must be told before.
    pub(super) fn deliver(&mut self, event: &Seen<'_>, shown: bool) -> Option<Loss> {
        if let Some(id) = event.execution_id {
            let lost = self.lost(id, event);
            self.dropped += lost.sure;
            self.owed.add(lost);
        }
        shown.then(|| {
            self.delivered += 1;
            self.settle()
        })
    }

    /// Takes note of a segment of which everything is delivered, a look for each execution instead of one for each event.
    /// False, and nothing is noted, where anything is to be told first: then each event must be looked at.
    pub(super) fn deliver_whole(&mut self, segment: &Segment) -> bool {
        let shown = self.wants.all && self.wants.kinds.contains_all(segment.kinds);
        let plain = shown && segment.is_plain && !self.owes();
        if !plain || !segment.extents.iter().all(|extent| self.goes_on(extent)) {
            return false;
        }
        for extent in &segment.extents {
            self.seen.note(&extent.id, extent.after, extent.ended);
        }
        self.delivered += segment.batch.events.len() as u64;
        true
    }

    /// Whether nothing can be gone of the execution before this.
    fn goes_on(&self, extent: &Extent) -> bool {
        match self.seen.of(&extent.id) {
            Some(numbers) => numbers == extent.before,
            None => self.unsure.is_none() && !matches!(self.unseen, Unseen::Base(_) | Unseen::FromStart),
        }
    }

    /// What is gone of this execution, of what the reader would have seen, since it last looked at it.
    fn lost(&mut self, id: &ExecutionId, event: &Seen<'_>) -> Loss {
        match self.seen.note(id, event.now, event.ends_execution) {
            Some(old) => self.lost_after(old, event),
            None => self.lost_unseen(event),
        }
    }

    /// Where a reader is shown pieces of some kinds only, it is told that some may be gone.
    fn lost_after(&mut self, old: Numbers, event: &Seen<'_>) -> Loss {
        let pieces = event.before.pieces.saturating_sub(old.pieces);
        let gap = match self.wants.pieces {
            Share::Some if pieces > 0 => self.unsure.replace(event.cursor).map(|from| (from, event.cursor)),
            _ => None,
        };
        let pieces = if self.wants.pieces == Share::All { pieces } else { 0 };
        Loss { sure: self.kept_after(old, event) + pieces, gap }
    }

    fn kept_after(&self, old: Numbers, event: &Seen<'_>) -> u64 {
        if self.wants.kept { event.before.sequence.saturating_sub(old.sequence) } else { 0 }
    }

    /// The same where the reader looks at the execution for the first time.
    fn lost_unseen(&mut self, event: &Seen<'_>) -> Loss {
        match (&self.unseen, self.unsure) {
            (Unseen::Base(base), _) => self.lost_since(base, event),
            // One that was forgotten meanwhile looks like a new one, but for its first number.
            (Unseen::FromStart, _) if self.seen.is_whole() || event.before.sequence == 0 => {
                self.lost_after(Numbers::default(), event)
            }
            // It was never behind: what was before, was before it began.
            (_, None) => Loss::default(),
            (Unseen::Known, _) if event.before.sequence == 0 => self.lost_after(Numbers::default(), event),
            (_, Some(from)) => self.may_be_lost(from, event),
        }
    }

    fn lost_since(&self, base: &Base, event: &Seen<'_>) -> Loss {
        let kept = self.kept_after(base.numbers, event);
        let (least, most) = match (self.wants.pieces, base.gone(event)) {
            (Share::None, _) => return Loss { sure: kept, gap: None },
            (Share::Some, (_, most)) => (0, most),
            (Share::All, between) => between,
        };
        let from = Cursor::new(event.cursor.epoch, base.began);
        Loss { sure: kept + least, gap: (least < most).then_some((from, event.cursor)) }
    }

    /// One gap stands for all executions up to here.
    fn may_be_lost(&mut self, from: Cursor, event: &Seen<'_>) -> Loss {
        if event.before.pieces == 0 || self.wants.pieces == Share::None {
            return Loss::default();
        }
        self.unsure = None;
        Loss { sure: 0, gap: Some((from, event.cursor)) }
    }
}
