//! `Screen`: lines into the bytes that make a terminal show them in place of the last ones. Pure.

use crate::view::{Line, Style};

/// Columns and lines of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Lines.
    pub height: usize,
}

impl Size {
    /// So many columns and lines.
    pub const fn new(width: usize, height: usize) -> Self {
        Self { width, height }
    }
}

/// The lower part of a terminal, which is redrawn; what was settled scrolls up above it and is never touched again.
///
/// The cursor rests at the start of the line below. No line is wrapped, and there are never more than fit.
#[derive(Debug, Default)]
pub struct Screen {
    coloured: bool,
    /// What stands there.
    shown: String,
    /// Columns of each line that stands there.
    widths: Vec<usize>,
    size: Option<Size>,
}

impl Screen {
    /// An empty one.
    pub fn new(coloured: bool) -> Self {
        Self { coloured, ..Self::default() }
    }

    /// The bytes that write `settled` for good and redraw `live` below; none where nothing changed. Where nothing is drawn
    /// yet they begin on a line of their own and leave alone what stands above.
    pub fn redraw(&mut self, settled: &[Line], live: &[Line], size: Size) -> String {
        let live = &live[live.len().saturating_sub(size.height.saturating_sub(1))..];
        let body = self.paint_all(live, size);
        if settled.is_empty() && body == self.shown && (live.is_empty() || self.size == Some(size)) {
            return String::new();
        }
        let mut out = self.to_first_line(size);
        out.push_str(&self.paint_all(settled, size));
        out.push_str(&body);
        // What stood below: the last frame may have been longer.
        out.push_str("\x1b[J");
        self.widths = live.iter().map(|line| line.columns().min(room(size))).collect();
        self.shown = body;
        self.size = Some(size);
        out
    }

    /// The bytes that take the last frame away; none where there is none.
    pub fn clear(&mut self, size: Size) -> String {
        if self.widths.is_empty() {
            return String::new();
        }
        let out = self.to_first_line(size) + "\x1b[J";
        self.forget();
        out
    }

    /// Leaves the last frame where it is: what comes next is drawn below.
    pub fn forget(&mut self) {
        self.widths.clear();
        self.shown.clear();
    }

    /// Back to where the last frame began. In a window that was made narrower its lines may take several each; what
    /// has scrolled out of sight cannot be reached.
    fn to_first_line(&self, size: Size) -> String {
        if self.widths.is_empty() {
            return to_own_line(size);
        }
        let width = size.width.max(1);
        let lines: usize = self.widths.iter().map(|columns| columns.div_ceil(width).max(1)).sum();
        match lines.min(size.height.saturating_sub(1)) {
            0 => String::from("\r"),
            lines => format!("\r\x1b[{lines}A"),
        }
    }

    /// Each line over what stood there, without clearing it first: that would flicker.
    fn paint_all(&self, lines: &[Line], size: Size) -> String {
        let mut out = String::new();
        for line in lines {
            self.paint(&line.clone().cut_to(room(size)), &mut out);
            out.push_str("\x1b[K\n");
        }
        out
    }

    fn paint(&self, line: &Line, out: &mut String) {
        for (style, text) in line.pieces() {
            match code(style).filter(|_| self.coloured) {
                Some(code) => out.extend(["\x1b[", code, "m", text, "\x1b[0m"]),
                None => out.push_str(text),
            }
        }
    }
}

/// To the start of a line that is empty. The program may have left the cursor behind a prompt, and nobody can be asked
/// where it is: as many spaces as a line has columns go past the end of a line that is begun, and stay within one that is
/// not, since terminals go to the next line only with the character after the last column. zsh does the same.
fn to_own_line(size: Size) -> String {
    " ".repeat(size.width) + "\r"
}

/// A line in the last column makes some terminals wrap and others swallow its end when the rest is cleared.
const fn room(size: Size) -> usize {
    size.width.saturating_sub(1)
}

/// Of the 8 colours that every terminal has, in the shades that its owner has chosen.
const fn code(style: Style) -> Option<&'static str> {
    match style {
        Style::Plain => None,
        Style::Dim => Some("2"),
        Style::Strong => Some("1"),
        Style::Good => Some("32"),
        Style::Bad => Some("31"),
        Style::Warning => Some("33"),
        Style::Active => Some("36"),
    }
}
