//! `Plain`: one line for each start and each end, for logs, pipes and dumb terminals. Pure.

use super::inert_footer;
use crate::{
    StreamEvent, Timestamp,
    view::{Change, Node, RunTree, Runs, words},
};

/// Events as plain lines: `  12.3s  tool search              ok         420 ms  "rayleigh"`.
#[derive(Debug)]
pub struct Plain {
    runs: Runs,
    lines: String,
    footer: String,
    /// Two runs were at work at once: from then on each line says whose it is.
    several: bool,
}

/// Finished runs that are remembered, so that a late event finds its run.
const FINISHED_MAX: usize = 32;

impl Plain {
    /// Nothing to say yet; the footer says where the record is.
    pub fn new(footer: &str) -> Self {
        Self { runs: Runs::new(FINISHED_MAX), lines: String::new(), footer: inert_footer(footer), several: false }
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: &StreamEvent) {
        let is_new = event.execution_id.as_ref().is_some_and(|id| self.runs.get(id).is_none());
        self.several |= self.runs.running().len() + usize::from(is_new) > 1;
        if let Some((run, change)) = self.runs.apply(event)
            && let Some(line) = line(run, change, event.time, self.several)
        {
            self.lines.push_str(line.trim_end());
            self.lines.push('\n');
        }
    }

    /// True when lines wait to be written.
    pub fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// The lines that wait.
    pub fn take_lines(&mut self) -> String {
        std::mem::take(&mut self.lines)
    }

    /// The lines that wait, and the footer.
    pub fn last_lines(&mut self) -> String {
        let mut lines = self.take_lines();
        if !self.footer.is_empty() {
            lines.push_str(&self.footer);
            lines.push('\n');
        }
        lines
    }
}

fn line(run: &RunTree, change: Change, time: Option<Timestamp>, several: bool) -> Option<String> {
    let (at, word) = match change {
        Change::Started(at) => (at, "start"),
        Change::Waiting(at) => (at, "wait"),
        Change::Resumed(at) => (at, "go on"),
        Change::Ended(at) => (at, run.nodes().get(at)?.status.as_str()),
        Change::Nothing | Change::Updated => return None,
    };
    let node = run.nodes().get(at)?;
    let clock = time.zip(run.root().started).map(|(time, start)| format!("{:.1}s", time.since(start).as_secs_f64()));
    let whose = if several { format!("{}  ", run.short_id().trim()) } else { String::new() };
    let took = node.duration.map(words::duration).unwrap_or_default();
    let (clock, what) = (clock.unwrap_or_default(), words::title(node));
    Some(format!("{clock:>7}  {whose}{what:<24}  {word:<9}  {took:>7}  {}", facts(run, node)))
}

/// The words of the tree's line, and the sums where a run ends.
fn facts(run: &RunTree, node: &Node) -> String {
    let detail = words::detail(node, false, true);
    // How it ended stands before them already.
    let ending = detail.strip_prefix(node.status.as_str()).map(|rest| rest.trim_start_matches([':', ' ', '·']));
    let mut parts = vec![ending.unwrap_or(&detail).to_owned()];
    let is_root = std::ptr::eq(run.root(), node);
    if is_root && run.is_finished() {
        parts.push(run.totals_in_words());
    }
    parts.extend(match is_root {
        true => run.cost_in_words().filter(|_| run.is_finished()),
        false => node.facts.usage.cost_usd.map(words::money),
    });
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}
