//! The language of [`assert_steps`](super::Recording::assert_steps): read, and written from a run.

use std::fmt;

/// What should have been done beside each other, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps(pub(super) Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// `..`: anything, also nothing.
    Gap,
    /// `a, b`: these, in any order.
    Group(Vec<Step>),
}

/// `name`, or `name(what was done inside it)`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) name: String,
    /// None says nothing about what was done inside.
    pub(super) inside: Option<Steps>,
}

/// Characters that mean something in the language.
const SIGNS: [char; 5] = ['>', ',', '(', ')', '"'];

impl Steps {
    /// Reads a text of the language; what is wrong with it, and where, as a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { text, rest: text };
        let steps = reader.steps(0)?;
        reader.skip_space();
        match reader.rest {
            "" => Ok(steps),
            _ => Err(reader.wrong("`>` or the end")),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

/// Deeper nesting is refused: reading and comparing go into themselves.
pub(super) const DEPTH_MAX: usize = 64;

impl Reader<'_> {
    fn steps(&mut self, depth: usize) -> Result<Steps, String> {
        if depth > DEPTH_MAX {
            return Err(format!("nested deeper than {DEPTH_MAX}"));
        }
        self.skip_space();
        if self.rest.is_empty() || self.rest.starts_with(')') {
            return Ok(Steps(Vec::new()));
        }
        let mut parts = vec![self.part(depth)?];
        while self.take(">") {
            parts.push(self.part(depth)?);
        }
        Ok(Steps(parts))
    }

    fn part(&mut self, depth: usize) -> Result<Part, String> {
        if self.take("..") {
            return Ok(Part::Gap);
        }
        let mut steps = vec![self.step(depth)?];
        while self.take(",") {
            steps.push(self.step(depth)?);
        }
        Ok(Part::Group(steps))
    }

    fn step(&mut self, depth: usize) -> Result<Step, String> {
        let name = self.name()?;
        let mut inside = None;
        if self.take("(") {
            inside = Some(self.steps(depth + 1)?);
            if !self.take(")") {
                return Err(self.wrong("`)`"));
            }
        }
        Ok(Step { name, inside })
    }

    fn name(&mut self) -> Result<String, String> {
        if self.take("\"") {
            return self.quoted();
        }
        self.skip_space();
        let end = self.rest.find(SIGNS).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        match name.trim() {
            "" | ".." => Err(self.wrong("a name")),
            name => {
                self.rest = rest;
                Ok(name.to_owned())
            }
        }
    }

    /// Up to the next `"`; two of them stand for one in the name.
    fn quoted(&mut self) -> Result<String, String> {
        let mut name = String::new();
        loop {
            let (part, rest) = self.rest.split_once('"').ok_or_else(|| self.wrong("a name that ends in `\"`"))?;
            name.push_str(part);
            self.rest = rest;
            match rest.strip_prefix('"') {
                Some(rest) => self.rest = rest,
                None => return Ok(name),
            }
            name.push('"');
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn wrong(&self, accepted: &str) -> String {
        let read = &self.text[..self.text.len() - self.rest.len()];
        match self.rest.chars().next() {
            Some(found) => format!("{accepted} should stand where `{found}` stands, after `{}`", read.trim()),
            None => format!("{accepted} should stand at the end, after `{}`", read.trim()),
        }
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(&self.0, " > ", f)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap => f.write_str(".."),
            Self::Group(steps) => write_list(steps, ", ", f),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = !self.name.is_empty() && !self.name.starts_with("..") && !self.name.contains(SIGNS);
        if plain {
            f.write_str(&self.name)?
        } else {
            write!(f, "\"{}\"", self.name.replace('"', "\"\""))?
        }
        match &self.inside {
            Some(inside) => write!(f, "({inside})"),
            None => Ok(()),
        }
    }
}

fn write_list(items: &[impl fmt::Display], between: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}
