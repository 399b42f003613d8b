//! JSON of unknown form, looked into without a tree: members and elements are the texts that stand there.

use crate::otlp::map::content::decoded;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// The members of a JSON object, in order.
pub(in crate::otlp::map) struct Object<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Object<'a> {
    pub(in crate::otlp::map) fn read(json: &'a str) -> Option<Self> {
        if !json.starts_with('{') {
            return None;
        }
        serde_json::Deserializer::from_str(json).deserialize_map(Members).ok().map(Self)
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

    pub(in crate::otlp::map) fn object(&self, name: &str) -> Option<Self> {
        Self::read(self.get(name)?)
    }

    pub(in crate::otlp::map) fn members(&self) -> &[(Cow<'a, str>, &'a str)] {
        &self.0
    }
}

struct Members;

impl<'a> Visitor<'a> for Members {
    type Value = Vec<(Cow<'a, str>, &'a str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<Key<'a>>()? {
            members.push((name.0, map.next_value::<&'a RawValue>()?.get()));
        }
        Ok(members)
    }
}

/// A name, borrowed where it needs no decoding.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// The elements of a JSON array.
pub(in crate::otlp::map) fn elements(json: &str) -> Option<Vec<&str>> {
    if !json.starts_with('[') {
        return None;
    }
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}
