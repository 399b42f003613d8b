//! `Output`: where and how to show, found out from the process's surroundings or set by hand.

use super::Size;
use crate::Timestamp;
use std::{
    env, fmt,
    io::{self, IsTerminal, Write},
};

/// How events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Look {
    /// A tree, redrawn in place, in colours.
    ColouredTree,
    /// The same without colours.
    Tree,
    /// One plain line for each start and each end; no escape codes.
    Lines,
}

impl Look {
    /// The look that fits: a tree in colours on a terminal, plain lines where stderr is none, where `NO_COLOR` is set
    /// to anything, and on a dumb terminal.
    pub fn detect(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let no_colour = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = variable("TERM").is_some_and(|term| term == "dumb");
        if is_terminal && !no_colour && !dumb { Self::ColouredTree } else { Self::Lines }
    }
}

/// Where events are shown, and how.
pub struct Output {
    writer: Box<dyn Write + Send>,
    look: Look,
    footer: String,
    size: Box<dyn Fn() -> Size + Send>,
    clock: Box<dyn Fn() -> Timestamp + Send>,
}

impl Output {
    /// Stderr, in the look that fits it.
    pub fn stderr() -> Self {
        let look = Look::detect(io::stderr().is_terminal(), |name| env::var(name).ok());
        Self::new(io::stderr(), look).with_size(terminal_size)
    }

    /// Any other place, 100 columns wide and 40 lines high.
    pub fn new(writer: impl Write + Send + 'static, look: Look) -> Self {
        let (size, clock) = (|| Size::new(100, 40), Timestamp::now);
        Self { writer: Box::new(writer), look, footer: String::new(), size: Box::new(size), clock: Box::new(clock) }
    }

    /// With a last line that says where the record is: `log runs.db   live http://127.0.0.1:4400`. A tree has it while
    /// something runs; plain lines end with it.
    pub fn with_footer(mut self, footer: impl Into<String>) -> Self {
        self.footer = footer.into();
        self
    }

    /// With another look.
    pub fn with_look(mut self, look: Look) -> Self {
        self.look = look;
        self
    }

    /// With a size asked for before each drawing.
    pub fn with_size(mut self, size: impl Fn() -> Size + Send + 'static) -> Self {
        self.size = Box::new(size);
        self
    }

    /// With another clock than the system's.
    pub fn with_clock(mut self, clock: impl Fn() -> Timestamp + Send + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Whether anything is drawn in place, and so can be in the way of what the program prints.
    pub(crate) const fn is_tree(&self) -> bool {
        matches!(self.look, Look::ColouredTree | Look::Tree)
    }

    pub(super) const fn look(&self) -> Look {
        self.look
    }

    pub(super) fn footer(&self) -> &str {
        &self.footer
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Writes a frame in one go, so that other writers do not get between its lines; false when that failed.
    pub(super) fn write(&mut self, frame: impl FnOnce(Size) -> String) -> bool {
        let frame = frame((self.size)());
        frame.is_empty() || self.writer.write_all(frame.as_bytes()).and_then(|()| self.writer.flush()).is_ok()
    }
}

/// Asked anew for each drawing, since windows change; a terminal that does not tell is taken as 80 by 24.
fn terminal_size() -> Size {
    terminal_size::terminal_size_of(io::stderr())
        .map_or(Size::new(80, 24), |(width, height)| Size::new(usize::from(width.0), usize::from(height.0)))
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("look", &self.look).field("footer", &self.footer).finish_non_exhaustive()
    }
}
