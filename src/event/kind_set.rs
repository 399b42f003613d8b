//! `KindSet`: which kinds somebody wants to see.

use super::Kind;
use crate::Error;
use std::{fmt, str::FromStr};

/// A set of kinds. Small: a bit for each.
///
/// Read from a text, it is a list of their tags with commas between: `data-step-end,data-text-delta`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KindSet(u128);

/// The last kind: those of other versions, all in one.
const LAST: u32 = Kind::Unknown as u32;
const _: () = assert!(LAST < u128::BITS);

impl KindSet {
    /// Every kind, also those of other versions.
    pub const ALL: Self = Self(u128::MAX >> (u128::BITS - 1 - LAST));

    /// No kind.
    pub const NONE: Self = Self(0);

    /// The same and this kind.
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | 1 << kind as u32)
    }

    /// Whether the kind is one of them.
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u32 != 0
    }

    /// Whether each of the others is one of them.
    pub const fn contains_all(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }

    /// Whether any of the others is one of them.
    pub const fn contains_any(self, others: Self) -> bool {
        others.0 & self.0 != 0
    }

    /// Its kinds, in the order of their declaration.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        let all = Kind::ALL.iter().copied().chain([Kind::Unknown]);
        all.filter(move |kind| self.contains(*kind))
    }
}

impl FromIterator<Kind> for KindSet {
    fn from_iter<T: IntoIterator<Item = Kind>>(kinds: T) -> Self {
        kinds.into_iter().fold(Self::NONE, Self::with)
    }
}

impl From<Kind> for KindSet {
    fn from(kind: Kind) -> Self {
        Self::NONE.with(kind)
    }
}

impl FromStr for KindSet {
    type Err = Error;

    fn from_str(list: &str) -> Result<Self, Error> {
        let kind = |tag: &str| {
            Kind::from_tag(tag).ok_or_else(|| {
                let shown: String = tag.chars().take(64).collect();
                Error::invalid(format!(
                    "kind {shown:?}: tags of events as in docs/events.md are accepted, with commas between"
                ))
            })
        };
        list.split(',').map(|tag| kind(tag.trim())).collect()
    }
}

impl fmt::Debug for KindSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.write_str("KindSet::ALL");
        }
        f.debug_set().entries(self.iter()).finish()
    }
}
