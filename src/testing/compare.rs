//! What a run did against what it should have done: whether it fits, and where it first does not.

use super::steps::{DEPTH_MAX, Part, Step, Steps};
use crate::view::{RunTree, words};
use std::fmt;

/// What was done, each thing with what was done inside it.
pub(super) struct Things {
    all: Vec<Thing>,
    top: Vec<usize>,
}

struct Thing {
    /// As it is called: its name; the word for its kind where it has none.
    name: String,
    /// As the tree says it: kind and name.
    title: String,
    inside: Vec<usize>,
}

/// Where a run first differs.
#[derive(Debug)]
pub(super) struct Difference {
    /// Inside of what, from outside in.
    inside: Vec<String>,
    after: Option<String>,
    expected: String,
    found: String,
}

impl Things {
    /// What was done in an execution; of several, the executions themselves.
    pub(super) fn of(trees: &[RunTree]) -> Self {
        let mut this = Self { all: Vec::new(), top: Vec::new() };
        for tree in trees {
            let root = this.all.len();
            this.top.push(root);
            this.all.extend(tree.nodes().iter().map(|node| {
                let name = if node.name.is_empty() { node.kind.as_str() } else { node.name.as_str() };
                Thing { name: name.to_owned(), title: words::title(node), inside: Vec::new() }
            }));
            for (at, parent) in tree.parents().into_iter().enumerate().skip(1) {
                this.all[root + parent].inside.push(root + at);
            }
        }
        if let [only] = this.top[..] {
            this.top.clone_from(&this.all[only].inside);
        }
        this
    }

    /// The steps that say all of it, as deep as steps can be read.
    pub(super) fn steps(&self) -> Steps {
        self.steps_of(&self.top, DEPTH_MAX)
    }

    fn steps_of(&self, things: &[usize], depth: usize) -> Steps {
        let step = |at: &usize| {
            let Thing { name, inside, .. } = &self.all[*at];
            let told = depth > 0 && !inside.is_empty();
            Step { name: name.clone(), inside: told.then(|| self.steps_of(inside, depth - 1)) }
        };
        Steps(things.iter().map(|at| Part::Group(vec![step(at)])).collect())
    }

    /// Whether these steps are what was done.
    pub(super) fn fit(&self, steps: &Steps) -> Result<(), Difference> {
        self.fit_in(steps, &self.top)
    }

    /// What stands between gaps has a fixed length, so the first place where it fits is as good as any.
    fn fit_in(&self, Steps(parts): &Steps, found: &[usize]) -> Result<(), Difference> {
        let mut runs = parts.split(|part| matches!(part, Part::Gap));
        let mut at = self.fit_at(runs.next().unwrap_or_default(), found, 0)?;
        let mut runs = runs.peekable();
        while let Some(run) = runs.next() {
            at = match runs.peek() {
                Some(_) => self.fit_somewhere(run, found, at)?,
                None => self.fit_at_the_end(run, found, at)?,
            };
        }
        match found.get(at) {
            Some(more) if !matches!(parts.last(), Some(Part::Gap)) => {
                Err(Difference::new("the end", self.quoted(*more)).after(self.before(found, at)))
            }
            _ => Ok(()),
        }
    }

    /// Fits groups from this place on; the place after them.
    fn fit_at(&self, groups: &[Part], found: &[usize], mut at: usize) -> Result<usize, Difference> {
        for group in groups {
            let Part::Group(steps) = group else { continue };
            let Some(here) = found.get(at..at + steps.len()) else {
                let rest = self.list(found.get(at..).unwrap_or_default());
                return Err(Difference::new(format!("`{group}`"), rest).after(self.before(found, at)));
            };
            self.fit_group(steps, here).map_err(|difference| difference.after(self.before(found, at)))?;
            at += steps.len();
        }
        Ok(at)
    }

    fn fit_somewhere(&self, groups: &[Part], found: &[usize], at: usize) -> Result<usize, Difference> {
        let fitting = (at..=found.len()).find_map(|start| self.fit_at(groups, found, start).ok());
        fitting.ok_or_else(|| {
            let expected = format!("`{}` somewhere", Steps(groups.to_vec()));
            Difference::new(expected, self.list(&found[at..])).after(self.before(found, at))
        })
    }

    fn fit_at_the_end(&self, groups: &[Part], found: &[usize], at: usize) -> Result<usize, Difference> {
        let length: usize = groups.iter().map(Part::len).sum();
        match found.len().checked_sub(length).filter(|start| *start >= at) {
            Some(start) => self.fit_at(groups, found, start),
            None => {
                let expected = format!("`{}` at the end", Steps(groups.to_vec()));
                Err(Difference::new(expected, self.list(&found[at..])).after(self.before(found, at)))
            }
        }
    }

    /// Fits steps to as many things in any order.
    fn fit_group(&self, steps: &[Step], found: &[usize]) -> Result<(), Difference> {
        if let ([step], [thing]) = (steps, found) {
            return self.fit_one(step, *thing);
        }
        let fits: Vec<Vec<bool>> =
            steps.iter().map(|step| found.iter().map(|thing| self.fit_one(step, *thing).is_ok()).collect()).collect();
        let mut taken_by = vec![None; found.len()];
        for step in 0..steps.len() {
            if !place(step, &fits, &mut taken_by, &mut vec![false; found.len()]) {
                let free = found.iter().zip(&taken_by).filter(|(_, by)| by.is_none()).map(|(thing, _)| *thing);
                return Err(self.unplaced(&steps[step], steps, found, free));
            }
        }
        Ok(())
    }

    /// A step that is left over: where something of its name is, too, what is different inside.
    fn unplaced(&self, step: &Step, steps: &[Step], found: &[usize], free: impl Iterator<Item = usize>) -> Difference {
        let same_name = free.into_iter().find(|thing| self.is_called(*thing, &step.name));
        let inside = same_name.and_then(|thing| self.fit_one(step, thing).err());
        inside.unwrap_or_else(|| {
            Difference::new(format!("`{}` in any order", Part::Group(steps.to_vec())), self.list(found))
        })
    }

    fn fit_one(&self, step: &Step, thing: usize) -> Result<(), Difference> {
        if !self.is_called(thing, &step.name) {
            return Err(Difference::new(format!("`{}`", step.name), self.quoted(thing)));
        }
        let Some(inside) = &step.inside else { return Ok(()) };
        self.fit_in(inside, &self.all[thing].inside).map_err(|mut difference| {
            difference.inside.insert(0, self.all[thing].name.clone());
            difference
        })
    }

    fn is_called(&self, thing: usize, name: &str) -> bool {
        self.all[thing].name == name || self.all[thing].title == name
    }

    /// What was done before this place.
    fn before(&self, found: &[usize], at: usize) -> Option<String> {
        at.checked_sub(1).and_then(|before| found.get(before)).map(|before| self.all[*before].name.clone())
    }

    fn quoted(&self, thing: usize) -> String {
        format!("`{}`", self.all[thing].name)
    }

    fn list(&self, things: &[usize]) -> String {
        if things.is_empty() { "nothing".into() } else { format!("`{}`", self.steps_of(things, 0)) }
    }
}

impl Part {
    /// How many things it stands for, where it is no gap.
    fn len(&self) -> usize {
        match self {
            Self::Gap => 0,
            Self::Group(steps) => steps.len(),
        }
    }
}

/// Finds a thing for a step; one that another step has is taken over where that one finds another (Kuhn's algorithm).
fn place(step: usize, fits: &[Vec<bool>], taken_by: &mut [Option<usize>], asked: &mut Vec<bool>) -> bool {
    for thing in 0..taken_by.len() {
        if !fits[step][thing] || std::mem::replace(&mut asked[thing], true) {
            continue;
        }
        if taken_by[thing].is_none_or(|other| place(other, fits, taken_by, asked)) {
            taken_by[thing] = Some(step);
            return true;
        }
    }
    false
}

impl Difference {
    fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { inside: Vec::new(), after: None, expected: expected.into(), found: found.into() }
    }

    /// The innermost place counts.
    fn after(mut self, before: Option<String>) -> Self {
        if self.inside.is_empty() {
            self.after = self.after.or(before);
        }
        self
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.inside {
            write!(f, "inside `{name}`, ")?;
        }
        match &self.after {
            Some(name) => write!(f, "after `{name}`: ")?,
            None => f.write_str("at the beginning: ")?,
        }
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}
