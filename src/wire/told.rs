//! How much of the open texts a reader was told: what a place to resume from says in the middle of them.

use crate::{Cursor, Error};
use std::fmt::Write;

/// How many bytes of each open text, reasoning and tool input were told, in the order in which they began. Pieces are not
/// in the log: who comes back when they have left the ring too is told the rest of the whole, and needs to know where
/// that begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[must_use = "it goes after the cursor in the id of a frame"]
pub struct Told(Vec<usize>);

/// Texts that are written at once and still told apart. Past it nothing is said, and a text that is resumed without
/// its pieces is told anew.
const MOST: usize = 8;

impl Told {
    pub(super) fn new(bytes: Vec<usize>) -> Self {
        let says_something = bytes.len() <= MOST && bytes.iter().any(|bytes| *bytes > 0);
        Self(if says_something { bytes } else { Vec::new() })
    }

    /// Whether no text is half told.
    pub fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(&self) -> &[usize] {
        &self.0
    }

    /// Appends `.12` for each, after a cursor.
    pub(super) fn write(&self, out: &mut String) {
        for bytes in &self.0 {
            // Writing to a string cannot fail.
            let _ = write!(out, ".{bytes}");
        }
    }

    /// A place to resume from, as [`write_place`](super::sse::write_place) writes it: a cursor, and what of open texts
    /// was told up to there.
    ///
    /// # Errors
    /// `is_invalid` for anything else.
    pub fn parse(text: &str) -> Result<(Cursor, Self), Error> {
        let mut parts = text.split('.');
        let cursor = parts.next().unwrap_or_default().parse()?;
        let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten();
        let bytes: Option<Vec<usize>> = parts.by_ref().take(MOST).map(number).collect();
        match (bytes, parts.next()) {
            (Some(bytes), None) => Ok((cursor, Self::new(bytes))),
            _ => Err(Error::invalid(format!("after a cursor up to {MOST} numbers are accepted, each after a dot"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nonsense_is_not() {
        let cursor = "2f6c19d04be17a83-42";
        for bytes in [vec![], vec![7], vec![0, 12, 3], vec![1; MOST]] {
            let (told, mut text) = (Told::new(bytes.clone()), cursor.to_owned());
            told.write(&mut text);
            assert_eq!(Told::parse(&text).expect(&text), (cursor.parse().expect("cursor"), Told(bytes)));
        }
        assert!(Told::new(vec![1; MOST + 1]).is_nothing() && Told::new(vec![0]).is_nothing());
        for text in [".7", "2f6c19d04be17a83-42.", "2f6c19d04be17a83-42.x", "2f6c19d04be17a83-42.-1", ""] {
            assert!(Told::parse(text).is_err(), "{text:?}");
        }
        assert!(Told::parse(&format!("{cursor}{}", ".1".repeat(MOST + 1))).is_err());
        assert!(Told::parse(&format!("{cursor}.99999999999999999999999")).is_err());
    }
}
