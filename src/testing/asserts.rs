//! Assertions on a recording: each says what is different first, and shows the tree.

use super::{Recording, compare::Things, steps::Steps};
use crate::view::{Node, RunTree, words};
use std::fmt::Display;

/// An assertion fails, too, when nothing was recorded: about nothing everything is true.
impl<T> Recording<T> {
    /// What was done, in the language of [`assert_steps`](Self::assert_steps).
    pub fn steps(&self) -> String {
        Things::of(&self.trees).steps().to_string()
    }

    /// Asserts what the run did, in which order. A step is a line of the tree below its root, whatever its kind:
    ///
    /// | text | what was done |
    /// |---|---|
    /// | `plan > search > answer` | these three, begun in this order, and nothing else beside them |
    /// | `search, fetch` | these two, in any order: for what runs at the same time |
    /// | `plan > .. > answer` | anything in between, also nothing |
    /// | `plan(search > fetch)` | inside `plan` these two; without parentheses nothing is said about the inside |
    /// | `plan()` | inside `plan` nothing |
    /// | `"a > b"` | a name with signs in it; a `"` in it is doubled |
    ///
    /// `>` holds together less than `,`. A step is called by its name (a model call by its model), or by kind and name
    /// as the tree has them, `tool search`. Of several executions that were recorded, the executions themselves are
    /// what stands outermost.
    ///
    /// # Panics
    /// When something else was done, with the first difference; when the text cannot be read.
    #[track_caller]
    pub fn assert_steps(&self, steps: &str) {
        let wanted = match Steps::parse(steps) {
            Ok(wanted) => wanted,
            Err(wrong) => panic!("the steps `{steps}` cannot be read: {wrong}"),
        };
        self.assert_recorded();
        let things = Things::of(&self.trees);
        if let Err(difference) = things.fit(&wanted) {
            self.fail(format_args!(
                "expected the steps `{steps}`\n   found the steps `{}`\n{difference}",
                things.steps()
            ))
        }
    }

    /// Asserts that these tools were called and no others, begun in this order, wherever in the run; those that failed
    /// count. For calls at the same time, compare a sorted [`tools`](Self::tools).
    ///
    /// # Panics
    /// When other tools were called, with the first difference.
    #[track_caller]
    pub fn assert_tools_called<const N: usize>(&self, names: [&str; N]) {
        self.assert_recorded();
        let called = self.tools();
        if called != names {
            let at = called.iter().zip(&names).take_while(|(called, name)| called == name).count();
            let or_none = |name: Option<&&str>| name.map_or("no call".into(), |name| format!("`{name}`"));
            let (found, expected) = (or_none(called.get(at)), or_none(names.get(at)));
            self.fail(format_args!("call {} of a tool: expected {expected}, found {found}", at + 1))
        }
    }

    /// Asserts that nothing went wrong: see [`errors`](Self::errors) for what counts.
    ///
    /// # Panics
    /// When something did, with all of it.
    #[track_caller]
    pub fn assert_no_errors(&self) {
        self.assert_recorded();
        let errors = self.errors();
        if !errors.is_empty() {
            self.fail(format_args!("expected no errors, found {}:\n  {}", errors.len(), errors.join("\n  ")))
        }
    }

    /// Asserts that the run cost less than this, in USD.
    ///
    /// # Panics
    /// When it cost as much or more, and when the price of a model call is not known: that is not 0.
    #[track_caller]
    pub fn assert_cost_below(&self, usd: f64) {
        self.assert_recorded();
        match self.cost_usd() {
            None => {
                let calls = self.without(|node| node.facts.usage.cost_usd.is_some());
                self.fail(format_args!("the cost is not known: no price for {}", list(&calls)))
            }
            Some(cost) if cost < usd => {}
            Some(cost) => self.fail(format_args!("expected a cost below {usd} USD, found {cost} USD")),
        }
    }

    /// Asserts that the run used fewer tokens than this, in and out.
    ///
    /// # Panics
    /// When it used as many or more, and when a model call did not tell.
    #[track_caller]
    pub fn assert_tokens_below(&self, tokens: u64) {
        self.assert_recorded();
        match self.tokens() {
            None => {
                let calls = self.without(|node| node.facts.usage.input.or(node.facts.usage.output).is_some());
                self.fail(format_args!("the tokens are not known: no usage from {}", list(&calls)))
            }
            Some(used) if used < tokens => {}
            Some(used) => self.fail(format_args!("expected fewer than {tokens} tokens, found {used}")),
        }
    }

    /// About nothing, and about what is held only in part, nothing can be said.
    #[track_caller]
    fn assert_recorded(&self) {
        let forgotten: usize = self.trees.iter().map(RunTree::forgotten).sum();
        if self.trees.is_empty() {
            panic!(
                "nothing was recorded: no agent span was opened on the thread of the work, nor where `span::spawn` or \
                 `span::in_context` took it"
            );
        }
        if forgotten > 0 {
            let most = RunTree::NODES_MAX;
            panic!("an execution did more than {most} things, of which {forgotten} are not held: look at its events");
        }
    }

    #[track_caller]
    fn fail(&self, what: impl Display) -> ! {
        panic!("{what}\nthe run:\n{}", self.tree())
    }
}

fn list(calls: &[&Node]) -> String {
    calls.iter().map(|call| format!("`{}`", words::title(call))).collect::<Vec<_>>().join(", ")
}
