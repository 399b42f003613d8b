//! How far a body has come: what of it was taken, what was refused, and where a retry goes on.

use super::{
    limits::{LISTED, REASON_CHARS},
    split::Item,
    stop::Stop,
};
use crate::{Cursor, Intake, Recorder, Text};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Of one body, over all the requests that brought it.
#[derive(Debug, Default)]
pub(super) struct Progress {
    place: Place,
    /// The last place at which everything before was durable: the log may lose what comes after.
    durable: Place,
    /// Events that the log had lost there, whoever's. With more, what came since may be lost: also while no request is
    /// under way.
    unlogged: u64,
    /// What the recorder has of it; it counts what it denies.
    intake: Option<Intake>,
    /// Denied by an earlier intake.
    denied_before: u64,
    /// Whether the body was read to its end, and all of it is durable.
    pub(super) whole: bool,
}

/// A place in the body, and what became of everything before it.
#[derive(Debug, Clone, Default)]
struct Place {
    events: u64,
    /// Of the texts of these events: a body that begins otherwise is another one.
    hash: Sha256,
    refused: Refused,
    denied: u64,
    cursor: Option<Cursor>,
}

/// What was refused: the first of them one by one, the others by their number.
#[derive(Debug, Clone, Default)]
pub(super) struct Refused {
    pub(super) listed: Vec<Refusal>,
    pub(super) count: u64,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Refusal {
    /// Number of the line, or place in the array, from 1.
    line: u64,
    error: Text,
}

/// The same body again, as far as it was read: nothing of it is taken a second time.
#[derive(Debug)]
pub(super) struct Replay {
    /// Events that were dealt with before, and are still to come again.
    left: u64,
    hash: Sha256,
}

impl Progress {
    /// That through which its events go to the recorder.
    pub(super) fn intake(&mut self, recorder: &Recorder, tenant: Option<&Text>) -> &Intake {
        self.intake.get_or_insert_with(|| recorder.on_behalf_of(tenant.cloned()))
    }

    /// A request goes on with it. Where nothing is on its way to the log, what the log lost before is nothing of this.
    pub(super) fn goes_on(&mut self, unlogged: u64) {
        if self.place.events == self.durable.events {
            self.unlogged = unlogged;
        }
    }

    /// Events that were dealt with.
    pub(super) fn events(&self) -> u64 {
        self.place.events
    }

    /// Of what is durable: in the record.
    pub(super) fn accepted(&self) -> u64 {
        self.durable.events - self.durable.refused.count - self.durable.denied
    }

    /// Of what was dealt with up to there, what is not in the record.
    pub(super) fn refused(&self) -> &Refused {
        &self.durable.refused
    }

    pub(super) fn denied(&self) -> u64 {
        self.durable.denied
    }

    pub(super) fn cursor(&self) -> Option<Cursor> {
        self.durable.cursor
    }

    /// An event was given to the recorder, or refused: in the same breath, so that neither is forgotten.
    pub(super) fn took(&mut self, item: &Item, outcome: Result<(), String>) {
        self.place.events += 1;
        add(&mut self.place.hash, item);
        if let Err(why) = outcome {
            self.place.refused.add(item.place, &why);
        }
    }

    /// Whether something of it may be lost, now that the log has lost so many events.
    pub(super) fn may_have_lost(&self, unlogged: u64) -> bool {
        unlogged > self.unlogged
    }

    /// Everything so far is on disk.
    pub(super) fn is_durable(&mut self, denied: u64, cursor: Cursor) {
        self.place.denied = self.denied_before + denied;
        self.place.cursor = Some(cursor);
        self.durable = self.place.clone();
    }

    /// The log lost something, and nobody knows whose it was: a retry goes on where everything was durable.
    pub(super) fn fall_back(&mut self, unlogged: u64) {
        self.place = self.durable.clone();
        self.unlogged = unlogged;
        self.denied_before = self.place.denied;
        self.intake = None;
    }

    /// Memory held, for the bound on what is remembered.
    pub(super) fn size_bytes(&self) -> usize {
        let listed =
            |place: &Place| place.refused.listed.iter().map(|one| size_of::<Refusal>() + one.error.len()).sum();
        let sizes: [usize; 2] = [&self.place, &self.durable].map(listed);
        size_of::<Self>() + sizes.iter().sum::<usize>()
    }
}

impl Refused {
    fn add(&mut self, line: u64, why: &str) {
        self.count += 1;
        if self.listed.len() < LISTED {
            let error: String = why.chars().take(REASON_CHARS).collect();
            self.listed.push(Refusal { line, error: error.into() });
        }
    }
}

impl Replay {
    pub(super) fn of(progress: &Progress) -> Self {
        Self { left: progress.place.events, hash: Sha256::new() }
    }

    /// Whether this event was dealt with before; a body that is another one is found out before anything of it is taken.
    pub(super) fn passes(&mut self, item: &Item, progress: &Progress) -> Result<bool, Stop> {
        if self.left == 0 {
            return if progress.whole { Err(Stop::another_body()) } else { Ok(false) };
        }
        self.left -= 1;
        add(&mut self.hash, item);
        if self.left == 0 && self.hash.clone().finalize() != progress.place.hash.clone().finalize() {
            return Err(Stop::another_body());
        }
        Ok(true)
    }

    /// At the end of the body: it must not be shorter than what was taken of it.
    pub(super) fn end(&self) -> Result<(), Stop> {
        if self.left == 0 { Ok(()) } else { Err(Stop::another_body()) }
    }
}

fn add(hash: &mut Sha256, item: &Item) {
    hash.update(item.text.len().to_le_bytes());
    hash.update(&item.text);
}
