//! The tree as it is drawn for people: marks, names, details, times and money in columns.

use super::{
    Node, NodeKind, RunTree, Status,
    arrange::{self, What},
    columns::{Cells, Columns},
    line::{Line, Style},
    words::{self, Mark},
};
use crate::Timestamp;

/// How a tree is to be drawn.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct DrawOptions {
    /// Columns that are filled.
    pub width: usize,
    /// The most lines: where nodes are more, those that run and those seen last are drawn.
    pub height: usize,
    /// The time up to which what runs has run; none for the time of the last event.
    pub now: Option<Timestamp>,
}

impl Default for DrawOptions {
    fn default() -> Self {
        Self { width: 100, height: usize::MAX, now: None }
    }
}

impl DrawOptions {
    /// In this many columns.
    pub const fn width(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// In at most this many lines.
    pub const fn height(mut self, height: usize) -> Self {
        self.height = height;
        self
    }

    /// As it stands at this time.
    pub const fn now(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }
}

impl RunTree {
    /// The tree as lines. What it costs depends on the nodes held, but only those drawn are put into words.
    pub fn draw(&self, options: DrawOptions) -> Vec<Line> {
        let now = options.now.or(self.last);
        let rows = arrange::rows(self, options.height);
        let cells: Vec<Cells> = rows
            .into_iter()
            .map(|row| match row.what {
                What::Node(0) => self.root_cells(now),
                What::Node(at) => self.cells(&row.branches, &self.nodes[at], now),
                What::Hidden(count) => hidden(&row.branches, count),
            })
            .collect();
        let columns = Columns::fit(&cells, options.width);
        cells.into_iter().map(|cells| columns.line(cells)).collect()
    }

    fn root_cells(&self, now: Option<Timestamp>) -> Cells {
        let (root, over) = (self.root(), self.is_finished());
        let name = if root.name.is_empty() { root.kind.as_str() } else { &root.name };
        let mark = Mark::of(root, over);
        let left = Line::new().and(style(mark), mark.symbol()).and(Style::Strong, format!(" {name}"));
        let left = left.and(Style::Dim, self.short_id()).and(detail_style(mark), gap(words::detail(root, over, true)));
        let money = self.cost_in_words().unwrap_or_default();
        Cells {
            is_root: true,
            left,
            detail: Line::new().and(Style::Plain, self.totals_in_words()),
            time: time(root, now, over),
            money,
        }
    }

    /// The end of the id, by which two runs of one agent can be told apart.
    pub(crate) fn short_id(&self) -> String {
        let id = self.id.as_ref().map(|id| super::Inert::new(&id.to_string(), usize::MAX));
        let Some(id) = id else { return String::new() };
        let skipped = id.chars().count().saturating_sub(4);
        format!(" {}", id.chars().skip(skipped).collect::<String>())
    }

    pub(crate) fn totals_in_words(&self) -> String {
        let totals = &self.totals;
        let mut parts = Vec::new();
        if totals.tokens > 0 {
            let cached = totals.cached_tokens;
            let cached = if cached > 0 { format!(" ({} cached)", words::count(cached)) } else { String::new() };
            let bound = words::at_least(totals.are_tokens_a_lower_bound());
            parts.push(format!("{bound}{} tok{cached}", words::count(totals.tokens)));
        }
        parts.extend(totals.context_pct.map(|part| format!("context {part:.0} %")));
        parts.join(" · ")
    }

    /// What it cost; `≥` where that is not all.
    pub(crate) fn cost_in_words(&self) -> Option<String> {
        let bound = words::at_least(self.totals.is_cost_a_lower_bound());
        self.totals.cost_usd.map(|cost| format!("{bound}{}", words::money(cost)))
    }

    fn cells(&self, branches: &str, node: &Node, now: Option<Timestamp>) -> Cells {
        let over = self.is_finished();
        let mark = Mark::of(node, over);
        let left = Line::new().and(Style::Dim, branches).and(style(mark), mark.symbol());
        let left = left.and(Style::Dim, format!(" {}", node.kind.as_str())).and(Style::Plain, gap_one(&node.name));
        Cells {
            is_root: false,
            left,
            detail: Line::new().and(detail_style(mark), words::detail(node, over, true)),
            time: time(node, now, over),
            money: node
                .facts
                .usage
                .cost_usd
                .filter(|_| node.kind != NodeKind::Run)
                .map(words::money)
                .unwrap_or_default(),
        }
    }
}

fn hidden(branches: &str, count: usize) -> Cells {
    let words = format!("… {} more", words::count(count as u64));
    Cells { left: Line::new().and(Style::Dim, format!("{branches}{words}")), ..Cells::default() }
}

fn gap(text: String) -> String {
    if text.is_empty() { text } else { format!("  {text}") }
}

fn gap_one(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" {text}") }
}

fn time(node: &Node, now: Option<Timestamp>, over: bool) -> String {
    let in_words = if node.status == Status::Running { words::ticking } else { words::duration };
    let now = now.filter(|_| !over);
    node.elapsed(now).map(in_words).unwrap_or_default()
}

const fn style(mark: Mark) -> Style {
    match mark {
        Mark::Running => Style::Active,
        Mark::Good => Style::Good,
        Mark::Bad => Style::Bad,
        Mark::Waiting | Mark::Doubtful => Style::Warning,
        Mark::GivenUp | Mark::Unknown => Style::Dim,
    }
}

/// What needs a look has the colour of its mark, the rest is of less weight than the names.
const fn detail_style(mark: Mark) -> Style {
    match mark {
        Mark::Bad | Mark::Waiting | Mark::Doubtful => style(mark),
        _ => Style::Dim,
    }
}
