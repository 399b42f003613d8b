//! The outline: a tree in words that are the same in every run, for tests.

use super::{
    Inert, RunTree,
    arrange::{self, Row, What},
    words::{self, Mark},
};
use std::fmt::Write;

impl RunTree {
    /// The tree as text without times, rates and ids: equal for two runs that did the same.
    ///
    /// One line a node: mark (`✓` ok, `✗` error, panic or time-out, `⊘` cancelled, `!` a guardrail's warning, `●` running,
    /// `◌` waiting for someone, `?` lost), kind, name, and what is known.
    pub fn outline(&self) -> String {
        self.outline_rows(arrange::rows(self, usize::MAX))
    }

    /// The outline with what is beside each other in the order of its text, not of its beginning: equal, too, for two
    /// runs that did the same at the same time.
    pub fn sorted_outline(&self) -> String {
        let line = |at: usize| {
            let mut line = String::new();
            self.outline_node(at, &mut line);
            line
        };
        self.outline_rows(arrange::sorted_rows(self, line))
    }

    fn outline_rows(&self, rows: Vec<Row>) -> String {
        let mut out = String::new();
        for row in rows {
            out.push_str(&row.branches);
            match row.what {
                What::Node(at) => self.outline_node(at, &mut out),
                What::Hidden(count) => hidden(count, &mut out),
            }
            out.push('\n');
        }
        out
    }

    fn outline_node(&self, at: usize, out: &mut String) {
        let (node, over) = (&self.nodes[at], self.is_finished());
        out.push_str(Mark::of(node, over).symbol());
        out.push(' ');
        out.push_str(&words::title(node));
        let mut detail = words::detail(node, over, false);
        if let Some(cost) = node.facts.usage.cost_usd {
            detail = format!("{detail} · {}", words::money(cost));
        }
        if !detail.is_empty() {
            out.push_str("  ");
            out.push_str(&Inert::new(&detail, usize::MAX));
        }
    }
}

fn hidden(count: usize, out: &mut String) {
    // Writing to a text cannot fail.
    let _ = write!(out, "… {} more", words::count(count as u64));
}
