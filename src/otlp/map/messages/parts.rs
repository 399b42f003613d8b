//! The parts of a message. Most have one, which needs no allocation.

use super::Part;
use std::ops::Deref;

#[derive(Debug, Clone)]
pub(in crate::otlp::map) enum Parts<'a> {
    One([Part<'a>; 1]),
    /// None, or several.
    Many(Vec<Part<'a>>),
}

impl<'a> Parts<'a> {
    pub(super) fn push(&mut self, part: Part<'a>) {
        *self = match std::mem::take(self) {
            Self::Many(parts) if parts.is_empty() => Self::One([part]),
            Self::Many(mut parts) => {
                parts.push(part);
                Self::Many(parts)
            }
            Self::One([first]) => Self::Many(vec![first, part]),
        };
    }
}

impl Default for Parts<'_> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<'a> Deref for Parts<'a> {
    type Target = [Part<'a>];

    fn deref(&self) -> &[Part<'a>] {
        match self {
            Self::One(part) => part,
            Self::Many(parts) => parts,
        }
    }
}

impl<'a> From<Part<'a>> for Parts<'a> {
    fn from(part: Part<'a>) -> Self {
        Self::One([part])
    }
}

impl<'a> From<Vec<Part<'a>>> for Parts<'a> {
    fn from(parts: Vec<Part<'a>>) -> Self {
        Self::Many(parts)
    }
}

impl<'a> Extend<Part<'a>> for Parts<'a> {
    fn extend<T: IntoIterator<Item = Part<'a>>>(&mut self, parts: T) {
        parts.into_iter().for_each(|part| self.push(part));
    }
}

impl PartialEq for Parts<'_> {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}
