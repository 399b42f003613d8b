//! An event of the record, from the log or from memory that still has it.

use crate::{
    ExecutionId,
    event::Batch,
    log::{LoggedEvent, Page},
    otlp::fold::Entry,
    recorder::Newest,
};
use std::sync::Arc;

#[expect(clippy::large_enum_variant, reason = "a page is of one kind, and read events come as large as that")]
pub(super) enum Found {
    Logged(LoggedEvent),
    /// At this index; one of those that the log keeps.
    Held(Arc<Batch>, usize),
}

/// What follows a place in the record.
pub(super) struct Leaf {
    pub(super) events: std::vec::IntoIter<Found>,
    /// Everything up to this offset is on it.
    pub(super) read_to: u64,
    pub(super) more: bool,
}

impl Leaf {
    pub(super) fn empty(place: u64) -> Self {
        Self { events: Vec::new().into_iter(), read_to: place, more: false }
    }

    pub(super) fn logged(page: Page, place: u64) -> Self {
        let events: Vec<_> = page.events.into_iter().map(Found::Logged).collect();
        Self { events: events.into_iter(), read_to: page.read_to.max(place), more: !page.complete }
    }

    pub(super) fn held(newest: &Newest, place: u64) -> Self {
        let wanted = |offset: u64| place < offset && offset <= newest.to;
        let logged = newest.batches.iter().flat_map(|batch| {
            let kept =
                batch.iter().enumerate().filter(move |(_, (cursor, one))| wanted(cursor.offset) && one.is_logged());
            kept.map(|(index, _)| Found::Held(batch.clone(), index))
        });
        Self { events: logged.collect::<Vec<_>>().into_iter(), read_to: newest.to, more: newest.more }
    }
}

impl Found {
    pub(super) fn offset(&self) -> u64 {
        match self {
            Self::Logged(event) => event.cursor.offset,
            Self::Held(batch, index) => batch.cursor(*index).offset,
        }
    }

    pub(super) fn sequence(&self) -> u64 {
        match self {
            Self::Logged(event) => event.sequence,
            Self::Held(batch, index) => batch.events[*index].sequence,
        }
    }

    pub(super) fn execution_id(&self) -> Option<&ExecutionId> {
        match self {
            Self::Logged(event) => Some(&event.context.execution_id),
            Self::Held(batch, index) => batch.events[*index].event.execution_id.as_ref(),
        }
    }

    /// None where what the log has fits no event.
    pub(super) fn entry(&self) -> Option<Entry<'_>> {
        match self {
            Self::Logged(event) => Entry::logged(event).ok(),
            Self::Held(batch, index) => Entry::held(&batch.events[*index]),
        }
    }
}
