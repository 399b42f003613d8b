//! One opaque error for every edge: open, read, serve, export, parse, configure. Emitting has none.

use std::fmt;

/// What went wrong at an edge of the library. The message says what was wrong, where, and what is accepted.
///
/// There is no public enum of causes; ask [`is_io`](Error::is_io) and its siblings. One word wide, `Send + Sync`.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Invalid,
    Config,
    Io,
    Corrupt,
    InUse,
    Closed,
    TimedOut,
    NotFound,
    Denied,
    TooLarge,
}

impl Error {
    #[cold]
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None }))
    }

    /// Input from outside that does not have the form asked for.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// A setting that cannot be used.
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(Kind::Config, message)
    }

    /// The operating system or the store refused.
    pub(crate) fn io(message: impl Into<String>) -> Self {
        Self::new(Kind::Io, message)
    }

    /// What is stored cannot be read back.
    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(Kind::Corrupt, message)
    }

    /// Another process holds what was asked for.
    #[cfg(feature = "sqlite")]
    pub(crate) fn in_use(message: impl Into<String>) -> Self {
        Self::new(Kind::InUse, message)
    }

    /// The recorder or log behind a handle has shut down.
    pub(crate) fn closed(message: impl Into<String>) -> Self {
        Self::new(Kind::Closed, message)
    }

    /// The time allowed ran out.
    pub(crate) fn timed_out(message: impl Into<String>) -> Self {
        Self::new(Kind::TimedOut, message)
    }

    /// Nothing here has the name that was given.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// Whoever was asked does not let us.
    #[cfg(feature = "client")]
    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new(Kind::Denied, message)
    }

    /// Input from outside that is past a limit.
    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(Kind::TooLarge, message)
    }

    pub(crate) fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// True when input (an event, an id, a cursor) did not have the form asked for.
    pub fn is_invalid(&self) -> bool {
        self.0.kind == Kind::Invalid
    }

    /// True when a setting cannot be used; the message says what is accepted.
    pub fn is_config(&self) -> bool {
        self.0.kind == Kind::Config
    }

    /// True when the operating system or the store refused.
    pub fn is_io(&self) -> bool {
        self.0.kind == Kind::Io
    }

    /// True when what is stored cannot be read back.
    pub fn is_corrupt(&self) -> bool {
        self.0.kind == Kind::Corrupt
    }

    /// True when another process holds what was asked for.
    pub fn is_in_use(&self) -> bool {
        self.0.kind == Kind::InUse
    }

    /// True when the recorder or log behind a handle has shut down.
    pub fn is_closed(&self) -> bool {
        self.0.kind == Kind::Closed
    }

    /// True when the time allowed ran out; what was asked for may still happen.
    pub fn is_timed_out(&self) -> bool {
        self.0.kind == Kind::TimedOut
    }

    /// True when nothing has the id or name that was given, or not any more.
    pub fn is_not_found(&self) -> bool {
        self.0.kind == Kind::NotFound
    }

    /// True when a server asked for another token, or does not let this one do what was asked.
    pub fn is_denied(&self) -> bool {
        self.0.kind == Kind::Denied
    }

    /// True when input was past a limit; the message names the limit.
    pub fn is_too_large(&self) -> bool {
        self.0.kind == Kind::TooLarge
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

/// The message, as [`Display`](fmt::Display) has it: it is what a `main` that returns this error prints.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}

/// A line of ours on stderr, where nobody is there who could be given an error; nowhere if that is closed.
pub(crate) fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "spanwright: {line}");
}
