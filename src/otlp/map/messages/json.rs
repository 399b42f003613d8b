//! JSON of unknown form, looked into without a tree: members and elements are the texts that stand there.

use super::{reader::Reader, words::Words};
use crate::otlp::map::content::decoded;
use std::borrow::Cow;

/// The members of a JSON object, in order.
pub(in crate::otlp::map) struct Object<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Object<'a> {
    pub(in crate::otlp::map) fn read(json: &'a str) -> Option<Self> {
        let mut members = Vec::new();
        Reader::new(json).members(|reader, name| {
            members.push((name.decoded()?, reader.value()?.json()));
            Some(())
        })?;
        Some(Self(members))
    }

    /// What the member holds; none where it is absent or null.
    pub(in crate::otlp::map) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| *value).filter(|value| *value != "null")
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
        &self.0
    }
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
