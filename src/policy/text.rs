//! One text looked through: what of it is to be masked, and how far that is settled.

use super::{address, assigned, irregular, number, secret_names::SecretNames, shapes, spans::Found};
use regex::Regex;

/// A pattern of the user's, and the name that stands in its mask.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) name: String,
    pub(super) regex: Regex,
}

/// What is looked for.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) names: SecretNames,
    pub(super) patterns: Vec<Pattern>,
}

/// The shortest text that can hold anything of a shape: `a@b.de`.
const MIN_BYTES: usize = 6;
/// Matches of the user's patterns in one text; past it the text is masked whole. Each match may have cost a look at the
/// rest of the text, so this bounds the work.
const MAX_MATCHES: usize = 512;
/// Of a text that is masked whole.
const WHOLE: &str = "text";

impl Rules {
    /// All that is to be masked, in order.
    pub(super) fn find(&self, text: &str) -> Found<'_> {
        let mut found = Found::nothing(text);
        if text.len() >= MIN_BYTES || !self.patterns.is_empty() {
            self.find_marks(text, &mut found);
            shapes::find(text, &mut found);
            self.find_patterns(text, &mut found);
            found.settle();
        }
        found
    }

    /// Of a text that goes on: besides, nothing is settled from where its last word begins.
    pub(super) fn find_in_beginning(&self, text: &str) -> Found<'_> {
        let mut found = Found::nothing(text);
        self.find_marks(text, &mut found);
        shapes::find(text, &mut found);
        self.find_patterns(text, &mut found);
        found.settle();
        found.open(self.last_word(text));
        if let Some(start) = assigned::ends_with_key(&self.names, text) {
            found.open(start);
        }
        found
    }

    /// A pattern of the user's may hold spaces: then nothing is settled from where the last line begins. No shape of
    /// ours that has no finder of its own holds a space or a character beyond ASCII.
    fn last_word(&self, text: &str) -> usize {
        let ends =
            |c: char| if self.patterns.is_empty() { c.is_ascii_whitespace() || !c.is_ascii() } else { c == '\n' };
        text.char_indices().rev().find(|(_, c)| ends(*c)).map_or(0, |(at, c)| at + c.len_utf8())
    }

    /// What is found by a character inside of it: addresses, assignments, numbers.
    fn find_marks<'p>(&'p self, text: &str, found: &mut Found<'p>) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(mark) = next_mark(bytes, at) {
            at = match bytes[mark] {
                b'@' => address::email(bytes, mark, found),
                b':' if bytes[mark..].starts_with(b"://") => address::url(bytes, mark, found),
                b':' if bytes[mark..].starts_with(b":AA") && irregular::telegram_token(bytes, mark, found) => mark + 1,
                b':' | b'=' => assigned::find(&self.names, bytes, mark, found),
                _ => number::find(bytes, mark, found),
            };
        }
    }

    fn find_patterns<'p>(&'p self, text: &str, found: &mut Found<'p>) {
        for pattern in &self.patterns {
            let before = found.spans.len();
            let spans = pattern.regex.find_iter(text).take(MAX_MATCHES + 1).filter(|hit| !hit.is_empty());
            spans.for_each(|hit| found.mask(hit.start(), hit.end(), &pattern.name));
            if found.spans.len() - before > MAX_MATCHES {
                found.spans.clear();
                return found.mask(0, text.len(), WHOLE);
            }
        }
    }
}

/// The next byte that something may be found by. Most bytes are none: 32 are looked at in one step.
fn next_mark(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(step) = bytes.get(at..at + 32) {
        if step.iter().fold(false, |any, b| any | is_mark(*b)) {
            break;
        }
        at += 32;
    }
    bytes.get(at..)?.iter().position(|b| is_mark(*b)).map(|place| at + place)
}

/// A digit, `:`, `=` or `@`; digits and the colon are neighbours.
const fn is_mark(b: u8) -> bool {
    b.wrapping_sub(b'0') <= 10 || b == b'=' || b == b'@'
}
