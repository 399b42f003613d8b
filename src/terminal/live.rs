//! `Live`: the runs at work as one picture, and the times at which to draw it. Pure: the clock is handed in.

use super::{Size, Stage, inert_footer, stage::QUIET};
use crate::{
    ExecutionId, StreamEvent, Timestamp,
    view::{DrawOptions, Line, RunTree, Runs, Style},
};
use std::{collections::HashSet, time::Duration};

/// The picture of what runs, drawn at most ten times a second.
#[derive(Debug)]
pub struct Live {
    runs: Runs,
    footer: String,
    /// Finished runs that have been drawn for good.
    settled: HashSet<ExecutionId>,
    changed: bool,
    drawn: Option<Timestamp>,
}

/// Time between two drawings.
const PAUSE: Duration = QUIET;
/// A run is drawn from this age on: a shorter one appears once, when it has ended. What is gone before it can be read
/// would only flicker.
const AGE_MIN: Duration = Duration::from_millis(300);
/// Wider lines are hard to read across.
const WIDTH_MAX: usize = 110;
/// A finished run is left on the screen in so many lines at most.
const SETTLED_LINES_MAX: usize = 100;
/// Finished runs that are remembered, so that a late event does not show one anew.
const FINISHED_MAX: usize = 32;

impl Live {
    /// Nothing to show yet; the footer stands below what runs and says where the record is.
    pub fn new(footer: &str) -> Self {
        Self {
            runs: Runs::new(FINISHED_MAX),
            footer: inert_footer(footer),
            settled: HashSet::new(),
            changed: false,
            drawn: None,
        }
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: &StreamEvent) {
        self.changed |= self.runs.apply(event).is_some();
    }

    /// How long to wait before the next drawing: none when it is due, for ever while nothing changes or runs.
    pub fn wait(&self, now: Timestamp) -> Duration {
        let ticks = self.runs.running().len() > 0;
        if self.changed || ticks { self.pause_left(now) } else { Duration::MAX }
    }

    fn pause_left(&self, now: Timestamp) -> Duration {
        match self.drawn {
            // A clock that was set back would else make the wait as long as it was set back by.
            Some(drawn) if drawn <= now => PAUSE.saturating_sub(now.since(drawn)),
            _ => Duration::ZERO,
        }
    }

    /// The bytes that show things as they are now. None for a moment after a clearing: the program prints then, and the
    /// finished tree is to stand below that and not in its middle.
    pub fn frame(&mut self, stage: &mut Stage, now: Timestamp, size: Size) -> String {
        if let Some(cleared) = stage.cleared_since_drawing() {
            self.drawn = self.drawn.max(Some(cleared));
            if !self.pause_left(now).is_zero() {
                return String::new();
            }
        }
        let settled = self.begin(stage, now, size);
        let live = if stage.is_free(now) { self.live(stage, now, size) } else { Vec::new() };
        stage.screen.redraw(&settled, &live, size)
    }

    /// The last bytes: what still runs is left as it is, and nothing is drawn over it again.
    pub fn last_frame(&mut self, stage: &mut Stage, now: Timestamp, size: Size) -> String {
        let mut lines = self.begin(stage, now, size);
        let running: Vec<_> = self.runs.running().collect();
        lines.extend(trees(&running, room(size), now, size));
        lines.extend(self.missed());
        stage.screen.redraw(&lines, &[], size)
    }

    /// The lines that are drawn for good now.
    fn begin(&mut self, stage: &mut Stage, now: Timestamp, size: Size) -> Vec<Line> {
        (self.changed, self.drawn) = (false, Some(now));
        stage.begin_drawing(|id| self.runs.get(id).is_some_and(RunTree::is_finished));
        self.settle(size)
    }

    /// The lines of runs that have ended since the last drawing.
    fn settle(&mut self, size: Size) -> Vec<Line> {
        let Self { runs, settled, .. } = self;
        settled.retain(|id| runs.get(id).is_some());
        let options = DrawOptions::default().width(width(size)).height(SETTLED_LINES_MAX);
        let ended = runs.finished().filter(|run| run.id().is_some_and(|id| settled.insert(id.clone())));
        ended.flat_map(|run| run.draw(options)).collect()
    }

    /// The lines of what runs, and the footer; none where nothing runs that is to be seen.
    fn live(&self, stage: &Stage, now: Timestamp, size: Size) -> Vec<Line> {
        let is_seen = |run: &&RunTree| is_old(run, now) && !run.id().is_some_and(|id| stage.is_gone(id));
        let runs: Vec<_> = self.runs.running().filter(is_seen).collect();
        if runs.is_empty() {
            return Vec::new();
        }
        let footer = (!self.footer.is_empty()).then(|| Line::new().and(Style::Dim, self.footer.as_str()));
        let foot: Vec<_> = self.missed().into_iter().chain(footer).collect();
        let mut lines = trees(&runs, room(size).saturating_sub(foot.len()), now, size);
        lines.extend(foot);
        lines
    }

    fn missed(&self) -> Option<Line> {
        let missed = self.runs.missed();
        (missed > 0).then(|| Line::new().and(Style::Warning, format!("{missed} events were not shown")))
    }
}

/// A run whose start was not seen is old already.
fn is_old(run: &RunTree, now: Timestamp) -> bool {
    run.root().started.is_none_or(|started| started > now || now.since(started) >= AGE_MIN)
}

/// Runs in so many lines. Those that came last have the room; the others are counted.
fn trees(runs: &[&RunTree], room: usize, now: Timestamp, size: Size) -> Vec<Line> {
    let (room, count) = (room.max(1), runs.len());
    let (shown, hidden) = if count <= room { (count, 0) } else { (room - 1, count - (room - 1)) };
    let options = DrawOptions::default().width(width(size)).now(now);
    let mut lines = Vec::new();
    if hidden > 0 {
        lines.push(Line::new().and(Style::Dim, format!("… {hidden} more runs")));
    }
    let shares = shares(&runs[count - shown..], room - lines.len());
    lines.extend(shares.flat_map(|(run, height)| run.draw(options.height(height))));
    lines
}

/// Each run with its lines: what a small one leaves over goes to the next.
fn shares<'a>(runs: &'a [&RunTree], mut room: usize) -> impl Iterator<Item = (&'a RunTree, usize)> {
    runs.iter().enumerate().map(move |(index, run)| {
        let height = run.nodes().len().min(room / (runs.len() - index));
        room -= height;
        (*run, height)
    })
}

/// The line of the cursor is left free.
fn room(size: Size) -> usize {
    size.height.saturating_sub(1)
}

fn width(size: Size) -> usize {
    size.width.saturating_sub(1).min(WIDTH_MAX)
}
