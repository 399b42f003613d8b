//! The columns of a drawn tree: what on the left, details in the middle, time and money on the right.

use super::line::{Line, Style};

/// What stands in the columns of one line.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// The root has no left column: its text runs over to the detail, which stands right.
    pub(super) is_root: bool,
    pub(super) left: Line,
    pub(super) detail: Line,
    pub(super) time: String,
    pub(super) money: String,
}

/// Widths that all lines of a drawing share.
#[derive(Debug)]
pub(super) struct Columns {
    left: usize,
    detail: usize,
    time: usize,
    money: usize,
    width: usize,
}

const GAP: usize = 2;
/// Details in fewer columns than this are left out.
const DETAIL_MIN: usize = 8;
/// Below this width, money is left out.
const MONEY_WIDTH_MIN: usize = 50;
/// Below this width, times are left out.
const TIME_WIDTH_MIN: usize = 24;

impl Columns {
    pub(super) fn fit(cells: &[Cells], width: usize) -> Self {
        let most = |of: fn(&Cells) -> usize| cells.iter().map(of).max().unwrap_or(0);
        // Wide enough for most: the column should not move when a time gets a digit more.
        let time = if width < TIME_WIDTH_MIN { 0 } else { most(|cells| cells.time.chars().count()).max(6) };
        let money = if width < MONEY_WIDTH_MIN { 0 } else { most(|cells| cells.money.chars().count()) };
        let right: usize = [time, money].into_iter().filter(|column| *column > 0).map(|column| column + GAP).sum();
        let rest = width.saturating_sub(right);
        let wanted = most(|cells| if cells.is_root { 0 } else { cells.left.columns() });
        let left = wanted.min((rest / 2).max(20)).min(rest);
        let detail = rest.saturating_sub(left + GAP);
        match detail < DETAIL_MIN {
            true => Self { left: rest, detail: 0, time, money, width },
            false => Self { left, detail, time, money, width },
        }
    }

    pub(super) fn line(&self, cells: Cells) -> Line {
        let (detail_at, right_at) = (self.left + GAP, self.left + self.detail + if self.detail > 0 { GAP } else { 0 });
        let main = match (cells.is_root, self.detail) {
            (true, _) => root(cells.left, cells.detail, right_at),
            (false, 0) => cells.left.cut_to(self.left),
            (false, _) => cells.left.cut_to(self.left).filled_to(detail_at).join(cells.detail.cut_to(self.detail)),
        };
        let mut line = main.filled_to(right_at);
        for (text, width) in [(cells.time, self.time), (cells.money, self.money)] {
            if width > 0 {
                line = line.and(Style::Plain, format!("{:GAP$}{text:>width$}", ""));
            }
        }
        line.cut_to(self.width)
    }
}

/// The totals keep their place; what was asked is cut for them.
fn root(left: Line, totals: Line, width: usize) -> Line {
    if left.columns().min(24) + GAP + totals.columns() > width {
        return left.cut_to(width);
    }
    let room = if totals.columns() > 0 { width - totals.columns() - GAP } else { width };
    left.cut_to(room).filled_to(width - totals.columns()).join(totals)
}
