//! `Live`: the runs at work as one picture, and the times at which to draw it. Pure: the clock is handed in.

use super::{Screen, Size, inert_footer};
use crate::{
    ExecutionId, StreamEvent, Timestamp,
    view::{DrawOptions, Line, RunTree, Runs, Style},
};
use std::{collections::HashSet, time::Duration};

/// The picture of what runs, drawn at most ten times a second.
#[derive(Debug)]
pub struct Live {
    runs: Runs,
    screen: Screen,
    footer: String,
    /// Finished runs that have been drawn for good.
    settled: HashSet<ExecutionId>,
    changed: bool,
    drawn: Option<Timestamp>,
}

/// Time between two drawings.
const PAUSE: Duration = Duration::from_millis(100);
/// Wider lines are hard to read across.
const WIDTH_MAX: usize = 110;
/// A finished run is left on the screen in so many lines at most.
const SETTLED_LINES_MAX: usize = 100;
/// Finished runs that are remembered, so that a late event does not show one anew.
const FINISHED_MAX: usize = 32;

impl Live {
    /// Nothing to show yet; the footer says where the record is.
    pub fn new(coloured: bool, footer: &str) -> Self {
        Self {
            runs: Runs::new(FINISHED_MAX),
            screen: Screen::new(coloured),
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
        match self.drawn {
            _ if !self.changed && !ticks => Duration::MAX,
            // A clock that was set back would else make the wait as long as it was set back by.
            Some(drawn) if drawn <= now => PAUSE.saturating_sub(now.since(drawn)),
            _ => Duration::ZERO,
        }
    }

    /// The bytes that show things as they are now.
    pub fn frame(&mut self, now: Timestamp, size: Size) -> String {
        (self.changed, self.drawn) = (false, Some(now));
        let settled = self.settle(size);
        let live = self.live(now, size);
        self.screen.redraw(&settled, &live, size)
    }

    /// The last bytes: what still runs is left as it is.
    pub fn last_frame(&mut self, now: Timestamp, size: Size) -> String {
        self.frame(now, size)
    }

    /// The lines of runs that have ended since the last drawing.
    fn settle(&mut self, size: Size) -> Vec<Line> {
        let Self { runs, settled, .. } = self;
        settled.retain(|id| runs.get(id).is_some());
        let options = DrawOptions::default().width(width(size)).height(SETTLED_LINES_MAX);
        let ended = runs.finished().filter(|run| run.id().is_some_and(|id| settled.insert(id.clone())));
        ended.flat_map(|run| run.draw(options)).collect()
    }

    /// The lines of what runs, and the footer. The runs that came last have the room; the others are counted.
    fn live(&self, now: Timestamp, size: Size) -> Vec<Line> {
        let foot = self.foot();
        let room = size.height.saturating_sub(1 + foot.len()).max(1);
        let count = self.runs.running().len();
        let (shown, hidden) = if count <= room { (count, 0) } else { (room - 1, count - (room - 1)) };
        let options = DrawOptions::default().width(width(size)).now(now);
        let mut lines = Vec::new();
        if hidden > 0 {
            lines.push(Line::new().and(Style::Dim, format!("… {hidden} more runs")));
        }
        lines.extend(self.shares(room - lines.len(), shown).flat_map(|(run, height)| run.draw(options.height(height))));
        lines.extend(foot);
        lines
    }

    /// The last `count` runs, each with its lines: what a small one leaves over goes to the next.
    fn shares(&self, room: usize, count: usize) -> impl Iterator<Item = (&RunTree, usize)> {
        let skipped = self.runs.running().len() - count;
        let (mut room, mut waiting) = (room, count);
        self.runs.running().skip(skipped).map(move |run| {
            let height = run.nodes().len().min(room / waiting.max(1));
            (room, waiting) = (room - height, waiting - 1);
            (run, height)
        })
    }

    fn foot(&self) -> Vec<Line> {
        let missed = self.runs.missed();
        let missed = (missed > 0).then(|| Line::new().and(Style::Warning, format!("{missed} events were not shown")));
        let footer = (!self.footer.is_empty()).then(|| Line::new().and(Style::Dim, self.footer.as_str()));
        missed.into_iter().chain(footer).collect()
    }
}

fn width(size: Size) -> usize {
    size.width.saturating_sub(1).min(WIDTH_MAX)
}
