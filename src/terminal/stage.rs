//! `Stage`: the screen, the runs that have left it, and when they did: what the thread that draws shares with the threads
//! that end runs. Pure.

use super::{Screen, Size};
use crate::{ExecutionId, Timestamp};
use std::{collections::VecDeque, time::Duration};

/// The screen, and the moments at which it was cleared so that the program could print.
#[derive(Debug, Default)]
pub struct Stage {
    pub(super) screen: Screen,
    /// Runs that have ended, whether or not their events have come by yet.
    gone: VecDeque<ExecutionId>,
    /// The first clearing since the last drawing.
    first_cleared: Option<Timestamp>,
    last_cleared: Option<Timestamp>,
}

/// How long after a clearing the program has the screen for itself: nothing that moves up again is drawn meanwhile.
pub(super) const QUIET: Duration = Duration::from_millis(100);
/// Runs that are remembered as gone; those whose events nobody is shown would else stay for ever.
const GONE_MAX: usize = 1024;

impl Stage {
    /// An empty one.
    pub fn new(coloured: bool) -> Self {
        Self { screen: Screen::new(coloured), ..Self::default() }
    }

    /// The bytes that take away what is drawn, because this run ends now and the program may print next. From here on
    /// the run is not drawn as one at work.
    pub fn clear(&mut self, ended: Option<&ExecutionId>, now: Timestamp, size: Size) -> String {
        self.gone.extend(ended.cloned());
        self.gone.drain(..self.gone.len().saturating_sub(GONE_MAX));
        self.note_clearing(now);
        self.screen.clear(size)
    }

    /// Leaves what is drawn where it is, and goes on below: a clearing came too late, and something may have been
    /// printed since. A frame that stays behind is a lesser evil than a lost answer.
    pub fn abandon(&mut self, now: Timestamp) {
        self.note_clearing(now);
        self.screen.forget();
    }

    fn note_clearing(&mut self, now: Timestamp) {
        self.first_cleared = self.first_cleared.or(Some(now));
        self.last_cleared = Some(now);
    }

    /// The first clearing since the last drawing. Not the last one: where runs end all the time, that would put off the
    /// drawing for ever.
    pub(super) const fn cleared_since_drawing(&self) -> Option<Timestamp> {
        self.first_cleared
    }

    /// To be called before a drawing; `is_over` tells the runs whose end is known from their events.
    pub(super) fn begin_drawing(&mut self, is_over: impl Fn(&ExecutionId) -> bool) {
        self.first_cleared = None;
        self.gone.retain(|id| !is_over(id));
    }

    /// False while the program may be printing: what is drawn now would be in its way.
    pub(super) fn is_free(&self, now: Timestamp) -> bool {
        // A clearing in the future is one before the clock was set back.
        self.last_cleared.is_none_or(|last| last > now || now.since(last) >= QUIET)
    }

    pub(super) fn is_gone(&self, id: &ExecutionId) -> bool {
        self.gone.contains(id)
    }
}
