//! JSON of unknown form, looked into without a tree: members and elements are the texts that stand there.

use super::{reader::Reader, words::Words};
use crate::otlp::map::content::decoded;
use std::borrow::Cow;

/// The members of a JSON object, in order.
#[derive(Default)]
pub(in crate::otlp::map) struct Object<'a> {
    members: Vec<(Cow<'a, str>, &'a str)>,
    /// A bit for each length that a name has, up to a multiple of 64: most names that are asked for are not there.
    lengths: u64,
}

impl<'a> Object<'a> {
    pub(in crate::otlp::map) fn read(json: &'a str) -> Option<Self> {
        let mut object = Self::default();
        Reader::new(json).members(|reader, name| {
            let name = name.decoded()?;
            object.lengths |= bit(&name);
            object.members.push((name, reader.value()?.json()));
            Some(())
        })?;
        Some(object)
    }

    /// What the member holds; none where it is absent or null.
    pub(in crate::otlp::map) fn get(&self, name: &str) -> Option<&'a str> {
        if self.lengths & bit(name) == 0 {
            return None;
        }
        self.members.iter().find(|(known, _)| known == name).map(|(_, value)| *value).filter(|value| *value != "null")
    }

    pub(in crate::otlp::map) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The text that the first of these members holds.
    pub(in crate::otlp::map) fn text(&self, names: &[&str]) -> Option<Cow<'a, str>> {
        names.iter().find_map(|name| decoded(self.get(name)?))
    }

    /// The same, to be written again rather than read.
    pub(super) fn words(&self, names: &[&str]) -> Option<Words<'a>> {
        names.iter().find_map(|name| Words::of(self.get(name)?))
    }

    pub(in crate::otlp::map) fn object(&self, name: &str) -> Option<Self> {
        Self::read(self.get(name)?)
    }

    pub(in crate::otlp::map) fn members(&self) -> &[(Cow<'a, str>, &'a str)] {
        &self.members
    }
}

const fn bit(name: &str) -> u64 {
    1 << (name.len() % 64)
}

/// The elements of a JSON array.
pub(in crate::otlp::map) fn elements(json: &str) -> Option<Vec<&str>> {
    let mut elements = Vec::new();
    Reader::new(json).elements(|reader| {
        elements.push(reader.value()?.json());
        Some(())
    })?;
    Some(elements)
}
