//! The record as JSON Lines: one [`ExecutionEvent`] a line, out of a log and back.
//!
//! ```
//! use spanwright::{Recorder, event::ExecutionStart, log::{MemoryLog, Query, Scope, jsonl}};
//! # use std::time::Duration;
//!
//! let recorder = Recorder::builder().log(MemoryLog::new()).start()?;
//! recorder.emitter().emit(ExecutionStart::new().name("research"));
//! # recorder.flush().wait(Duration::from_secs(5))?;
//! let mut file = Vec::new();
//! jsonl::write(recorder.log().unwrap().as_ref(), Query::new(Scope::Everything, 0, 512), &mut file)?;
//!
//! let another = Recorder::builder().log(MemoryLog::new()).start()?;
//! let good = jsonl::read(&file[..]).filter_map(Result::ok);
//! let admitted = another.on_behalf_of(None).emit_all(good.map(|event| event.to_stream()))?;
//! assert_eq!(admitted.accepted, 1);
//! # Ok::<_, spanwright::Error>(())
//! ```

use super::{EventLog, Page, Query};
use crate::{Error, event::ExecutionEvent};
use std::{
    io::{self, BufRead, Read, Write},
    time::Duration,
};

/// The longest line that is read, in bytes.
pub const MAX_LINE_BYTES: usize = 16 << 20;

/// How long a log may take for one answer.
pub(crate) const LOG_LIMIT: Duration = Duration::from_secs(30);

/// What [`write()`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Written {
    /// Events that were written.
    pub events: u64,
    /// Events that the log has and that cannot be read: they were left out.
    pub unreadable: u64,
    /// Everything in scope up to this offset was written: where the next file may begin.
    pub read_to: u64,
}

/// Writes what the query asks for, in order: of a scope and a tenant all that comes after its offset, `limit` events at a
/// time. Blocks. What is logged meanwhile may be among it.
///
/// # Errors
/// `is_invalid` for a query that reads backwards or has a limit of 0; what the log says; `is_io` when the file cannot be
/// written.
pub fn write(log: &dyn EventLog, query: Query, mut out: impl Write) -> Result<Written, Error> {
    let (mut written, mut lines) = (Written { read_to: query.after, ..Written::default() }, Vec::new());
    each_page(log, query, |page| {
        lines.clear();
        for event in &page.events {
            match event.decode().ok().and_then(|event| serde_json::to_writer(&mut lines, &event).ok()) {
                Some(()) => {
                    lines.push(b'\n');
                    written.events += 1;
                }
                None => written.unreadable += 1,
            }
        }
        written.read_to = page.read_to;
        out.write_all(&lines).map_err(cannot_write)
    })?;
    out.flush().map_err(cannot_write)?;
    Ok(written)
}

/// Reads on page by page until nothing more is there.
pub(crate) fn each_page(
    log: &dyn EventLog,
    mut query: Query,
    mut take: impl FnMut(Page) -> Result<(), Error>,
) -> Result<(), Error> {
    if query.before.is_some() || query.limit == 0 {
        return Err(Error::invalid("a query that reads on, with a limit of at least 1, is accepted here"));
    }
    loop {
        let page = log.read(query.clone()).wait(LOG_LIMIT)?;
        let (complete, read_to) = (page.complete, page.read_to);
        take(page)?;
        if complete {
            return Ok(());
        }
        query.after = query.after.max(read_to);
    }
}

pub(crate) fn cannot_write(source: io::Error) -> Error {
    Error::io(format!("what is exported cannot be written: {source}"))
}

/// Reads events, one a line; blank lines and a byte order mark are passed over.
///
/// A line that is none (no JSON, a type or a schema version that is not known, longer than [`MAX_LINE_BYTES`]) is an error
/// that names the line, and the next line is read all the same. After an error of the input itself there is nothing more.
///
/// Give what is read to [`Intake::emit_all`](crate::Intake::emit_all): it is numbered anew and keeps its ids and times. Of
/// an execution that the record has already, everything would be there twice.
pub fn read<R: BufRead>(input: R) -> Events<R> {
    Events { lines: Lines::new(input) }
}

/// The events of a file, or why a line is none; see [`read`].
#[derive(Debug)]
pub struct Events<R> {
    lines: Lines<R>,
}

impl<R: BufRead> Iterator for Events<R> {
    type Item = Result<ExecutionEvent, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.lines.next()?.and_then(|(number, line)| {
            serde_json::from_slice(line).map_err(|source| {
                Error::invalid(format!("line {number}: no event in its persisted form ({source})")).with_source(source)
            })
        }))
    }
}

/// Bounded lines with their numbers. Blank ones are passed over.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
    over: bool,
}

impl<R: BufRead> Lines<R> {
    pub(crate) const fn new(input: R) -> Self {
        Self { input, line: Vec::new(), number: 0, over: false }
    }

    pub(crate) fn next(&mut self) -> Option<Result<(u64, &[u8]), Error>> {
        while !self.over {
            if let Err(error) = self.turn() {
                return Some(Err(error));
            }
            if !self.line.iter().all(u8::is_ascii_whitespace) {
                return Some(Ok((self.number, &self.line)));
            }
        }
        None
    }

    /// This, the line that was read last and everything after it, where that is no longer than `most`.
    #[cfg(feature = "otlp")]
    pub(crate) fn document(&mut self, before: &[u8], most: usize) -> Result<&[u8], Error> {
        self.line.splice(..0, [before, b"\n"].concat());
        self.line.push(b'\n');
        let read = self.input.by_ref().take(most as u64 + 1).read_to_end(&mut self.line);
        read.map_err(|source| self.cannot_read(&source))?;
        self.over = true;
        match self.line.len() > most {
            true => Err(Error::too_large(format!("line {}: a document longer than {most} bytes", self.number))),
            false => Ok(&self.line),
        }
    }

    /// The next line, without its end. At the end of the input it is empty.
    fn turn(&mut self) -> Result<(), Error> {
        self.line.clear();
        self.number += 1;
        let most = MAX_LINE_BYTES as u64 + 1;
        let read = self.input.by_ref().take(most).read_until(b'\n', &mut self.line);
        let bytes = read.map_err(|source| self.cannot_read(&source))?;
        self.over = bytes == 0;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        } else if bytes as u64 == most {
            return self.pass_over();
        }
        if self.number == 1 && self.line.starts_with(b"\xef\xbb\xbf") {
            self.line.drain(..3);
        }
        Ok(())
    }

    fn pass_over(&mut self) -> Result<(), Error> {
        loop {
            let part = self.input.fill_buf().map_err(|source| cannot_read(self.number, &source));
            let part = part.inspect_err(|_| self.over = true)?;
            let end = part.iter().position(|byte| *byte == b'\n');
            let (taken, ended) = (end.map_or(part.len(), |end| end + 1), end.is_some() || part.is_empty());
            self.input.consume(taken);
            if ended {
                let number = self.number;
                return Err(Error::too_large(format!("line {number}: longer than {MAX_LINE_BYTES} bytes, left out")));
            }
        }
    }

    fn cannot_read(&mut self, source: &io::Error) -> Error {
        self.over = true;
        cannot_read(self.number, source)
    }
}

fn cannot_read(number: u64, source: &io::Error) -> Error {
    Error::io(format!("line {number}: the input cannot be read: {source}"))
}
