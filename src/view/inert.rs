//! `Inert`: text from outside made safe to show: one line, bounded, nothing in it that a terminal would obey.

use crate::Text;
use std::{fmt, ops::Deref};

/// A text that can be shown anywhere. White space of any kind is one space; control characters, direction marks and
/// characters that cannot be seen stand as `\u{…}`; what is too long ends in `…`.
///
/// Marks that combine with a letter stay: scripts need them, and they cannot move a cursor.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Inert(Text);

impl Inert {
    /// The text, of at most `limit` characters. Looks no further into a long text than it has to.
    pub fn new(text: &str, limit: usize) -> Self {
        let (mut out, mut room, mut gap) = (String::new(), limit, false);
        for c in text.chars() {
            if c.is_whitespace() {
                gap = !out.is_empty();
                continue;
            }
            if room <= usize::from(gap) {
                out.push('…');
                break;
            }
            if std::mem::take(&mut gap) {
                out.push(' ');
                room -= 1;
            }
            room = room.saturating_sub(push(c, &mut out));
        }
        Self(out.into())
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Appends the character or what stands for it; how many characters that were.
fn push(c: char, out: &mut String) -> usize {
    match c {
        // They choose between the plain and the coloured form of the character before; terminals disagree on the width.
        '\u{fe0e}' | '\u{fe0f}' => 0,
        _ if is_hidden(c) => {
            let escaped = c.escape_unicode();
            let length = escaped.len();
            out.extend(escaped);
            length
        }
        _ => {
            out.push(c);
            1
        }
    }
}

/// Characters that steer a terminal, turn the direction of text, or take no place at all: Unicode's classes Cc and Cf,
/// the default-ignorable code points, and those that never stand for a character.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{fffe}'..='\u{ffff}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

impl Deref for Inert {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Inert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for Inert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
