//! `Line`: drawn text with its styles, and how many columns it takes.

use std::fmt;
use unicode_width::UnicodeWidthChar;

/// How a piece of a line is to look. What it means is said in words too: nothing depends on colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Style {
    /// As everything else.
    #[default]
    Plain,
    /// Of less weight.
    Dim,
    /// Of more weight.
    Strong,
    /// Ended well.
    Good,
    /// Ended badly.
    Bad,
    /// Needs a look.
    Warning,
    /// At work.
    Active,
}

/// One drawn line: pieces of text, each with its style. Holds no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    pieces: Vec<(Style, String)>,
    columns: usize,
}

impl Line {
    /// An empty line.
    pub const fn new() -> Self {
        Self { pieces: Vec::new(), columns: 0 }
    }

    /// The same line with this at its end.
    pub fn and(mut self, style: Style, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.columns += columns(&text);
            self.pieces.push((style, text));
        }
        self
    }

    /// The same line, filled with spaces up to this many columns.
    pub fn filled_to(self, columns: usize) -> Self {
        let missing = columns.saturating_sub(self.columns);
        self.and(Style::Plain, " ".repeat(missing))
    }

    /// The same line with another one at its end.
    pub fn join(mut self, other: Self) -> Self {
        self.columns += other.columns;
        self.pieces.extend(other.pieces);
        self
    }

    /// The same line in at most this many columns; what is cut ends in `…`.
    pub fn cut_to(self, limit: usize) -> Self {
        if self.columns <= limit {
            return self;
        }
        let mut line = Self::new();
        for (style, text) in self.pieces {
            let room = limit - line.columns;
            // The piece that reaches the limit is cut even where it would just fit: more follows.
            if line.columns + columns(&text) >= limit {
                return line.and(style, cut(&text, room));
            }
            line = line.and(style, text);
        }
        line
    }

    /// The pieces, from left to right.
    pub fn pieces(&self) -> impl Iterator<Item = (Style, &str)> {
        self.pieces.iter().map(|(style, text)| (*style, text.as_str()))
    }

    /// How many columns it takes.
    pub const fn columns(&self) -> usize {
        self.columns
    }
}

/// The text alone, without spaces at its end.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.pieces().map(|(_, text)| text).collect();
        f.write_str(text.trim_end())
    }
}

/// Columns of a text in a terminal: the sum over its characters, as terminals count.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// As much of the text as fits into `room - 1` columns, and `…`.
fn cut(text: &str, room: usize) -> String {
    let mut out = String::new();
    let mut left = room.saturating_sub(1);
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        out.push(c);
    }
    if room > 0 {
        out.push('…');
    }
    out
}
