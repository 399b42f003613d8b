//! Server-sent events, as the WHATWG HTML standard defines them (9.2.5, 9.2.6): the parser, over bytes cut anywhere.

use crate::{Error, Text};
use std::{collections::VecDeque, fmt, time::Duration};

/// One event of a stream, as a browser's `EventSource` would hand it out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Message {
    /// Its type; `message` where the stream names none.
    pub event: Text,
    /// Its data: the values of its `data` fields, joined with line feeds.
    pub data: String,
    /// The last event id of the stream at this event: its own, or that of an earlier one if it has none. Empty when
    /// there was none yet.
    pub id: Text,
}

/// Reads a stream of server-sent events: bytes in by [`feed`](Parser::feed), [`Message`]s out as from an iterator.
///
/// Any bytes are a stream: what the standard does not know is passed over, and bytes that are no UTF-8 become U+FFFD.
/// However the bytes are cut, the messages are the same and cost time in proportion to their bytes. A parser holds one
/// event that is not complete, within its limit, and the messages that were not taken yet: take them all after each
/// [`feed`](Parser::feed).
///
/// ```
/// use spanwright::wire::parse::Parser;
///
/// let mut parser = Parser::new();
/// parser.feed(b"id: 7\nevent: greeting\nda")?;
/// parser.feed(b"ta: hello\n\n: a comment\n\n")?;
/// let messages: Vec<_> = parser.by_ref().collect();
/// assert_eq!(messages.len(), 1);
/// assert_eq!((&*messages[0].event, &*messages[0].data, &*messages[0].id), ("greeting", "hello", "7"));
/// assert_eq!(parser.last_event_id(), "7");
/// # Ok::<(), spanwright::Error>(())
/// ```
pub struct Parser {
    limit: usize,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// The last byte was a CR, so that an LF that comes next belongs to it.
    after_carriage_return: bool,
    /// No line of this stream is complete, so that the next may begin with a byte order mark.
    at_start: bool,
    /// The rest of the line is passed over.
    line_is_too_large: bool,
    /// The event is passed over up to its end.
    event_is_too_large: bool,
    /// The standard's buffers of the event that is being read.
    data: String,
    event: Text,
    id: Text,
    last_event_id: Text,
    retry: Option<Duration>,
    ready: VecDeque<Message>,
}

/// The type of events that name none: "message".
const MESSAGE: Text = Text::from_static("message");
/// "One leading U+FEFF BYTE ORDER MARK character must be ignored if any are present."
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Parser {
    /// What [`new`](Parser::new) accepts of one line and of one event, in bytes: 16 MiB.
    pub const LIMIT: usize = 16 << 20;

    /// A parser at the start of a stream.
    pub fn new() -> Self {
        Self {
            limit: Self::LIMIT,
            line: Vec::new(),
            after_carriage_return: false,
            at_start: true,
            line_is_too_large: false,
            event_is_too_large: false,
            data: String::new(),
            event: Text::default(),
            id: Text::default(),
            last_event_id: Text::default(),
            retry: None,
            ready: VecDeque::new(),
        }
    }

    /// Accepts lines of at most this many bytes, without their ends, and events whose data are at most so many.
    pub fn with_limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Begins with this last event id: for a stream that was asked to go on after it.
    pub fn with_last_event_id(mut self, id: impl Into<Text>) -> Self {
        self.last_event_id = id.into();
        self.id = self.last_event_id.clone();
        self
    }

    /// Takes the next bytes of the stream; what they complete waits to be taken.
    ///
    /// # Errors
    /// `is_too_large` when a line or an event in these bytes is past the limit. That event is passed over, its id is
    /// taken, and all the others of these bytes wait as usual: to go on or to end the stream is the caller's decision.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut outcome = Ok(());
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.after_carriage_return) && *first == b'\n' {
                rest = &rest[1..];
                continue;
            }
            let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                return outcome.and(self.go_on_with_line(rest));
            };
            outcome = outcome.and(self.end_line(&rest[..end]));
            self.after_carriage_return = rest[end] == b'\r';
            rest = &rest[end + 1..];
        }
        outcome
    }

    /// The stream has ended. An event that was not complete is discarded, and its id with it ("once the end of the file
    /// is reached, any pending data must be discarded"). What is fed next is the start of another stream that goes on
    /// after this one: the last event id and the pause before it stay.
    pub fn end(&mut self) {
        self.line.clear();
        self.after_carriage_return = false;
        self.at_start = true;
        self.line_is_too_large = false;
        self.event_is_too_large = false;
        self.data.clear();
        self.event = Text::default();
        self.id = self.last_event_id.clone();
    }

    /// The id to resume from, once every message was taken: that of the last complete event that had one, be it one
    /// without data. Empty when there is none.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// How long the server wants its clients to wait before they come back, if it said so. The number is the server's
    /// own and can be any: bound it.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn go_on_with_line(&mut self, part: &[u8]) -> Result<(), Error> {
        if self.line_is_too_large {
            return Ok(());
        }
        if self.line.len() + part.len() > self.limit {
            self.line.clear();
            self.line_is_too_large = true;
            return self.pass_over_event("a line");
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn end_line(&mut self, part: &[u8]) -> Result<(), Error> {
        let whole = self.go_on_with_line(part);
        let mut line = std::mem::take(&mut self.line);
        let is_first = std::mem::take(&mut self.at_start);
        let taken = match std::mem::take(&mut self.line_is_too_large) {
            true => whole,
            false if is_first => self.take_line(line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line)),
            false => self.take_line(&line),
        };
        line.clear();
        self.line = line;
        taken
    }

    /// One line without its end: "process the line", 9.2.6.
    fn take_line(&mut self, line: &[u8]) -> Result<(), Error> {
        match line.iter().position(|byte| *byte == b':') {
            None if line.is_empty() => self.dispatch(),
            None => return self.take_field(line, b""),
            // "If the line starts with a U+003A COLON character (:): ignore the line."
            Some(0) => {}
            Some(colon) => {
                let value = &line[colon + 1..];
                // "If value starts with a U+0020 SPACE character, remove it": one, and no other white space.
                return self.take_field(&line[..colon], value.strip_prefix(b" ").unwrap_or(value));
            }
        }
        Ok(())
    }

    fn take_field(&mut self, name: &[u8], value: &[u8]) -> Result<(), Error> {
        match name {
            b"data" => return self.take_data(&decoded(value)),
            b"event" => self.event = Text::from(&*decoded(value)),
            // "If the field value does not contain U+0000 NULL …; otherwise, ignore the field."
            b"id" if !value.contains(&0) => self.id = Text::from(&*decoded(value)),
            b"retry" => self.retry = milliseconds(value).or(self.retry),
            _ => {}
        }
        Ok(())
    }

    fn take_data(&mut self, value: &str) -> Result<(), Error> {
        if self.event_is_too_large {
            return Ok(());
        }
        if self.data.len() + value.len() > self.limit {
            return self.pass_over_event("the data of an event");
        }
        self.data.push_str(value);
        self.data.push('\n');
        Ok(())
    }

    /// Once for each event: the rest of it is passed over in silence.
    fn pass_over_event(&mut self, what: &str) -> Result<(), Error> {
        self.data = String::new();
        match std::mem::replace(&mut self.event_is_too_large, true) {
            true => Ok(()),
            false => Err(Error::too_large(format!(
                "{what} of a stream of server-sent events is past {} bytes, which is the limit",
                self.limit
            ))),
        }
    }

    fn dispatch(&mut self) {
        // First, also where there is nothing to hand out: a block with an id alone counts.
        self.last_event_id = self.id.clone();
        self.event_is_too_large = false;
        let (mut data, event) = (std::mem::take(&mut self.data), std::mem::take(&mut self.event));
        // "If the data buffer's last character is a U+000A LINE FEED (LF) character, then remove" it; without one the
        // buffer is "an empty string", and there is no event.
        if data.pop().is_some() {
            let event = if event.is_empty() { MESSAGE } else { event };
            self.ready.push_back(Message { event, data, id: self.last_event_id.clone() });
        }
    }
}

/// "Streams must be decoded using the UTF-8 decode algorithm": value by value is the same as the stream at once, since
/// what ends a value is ASCII and ends a broken sequence too.
fn decoded(value: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(value)
}

/// "If the field value consists of only ASCII digits, then interpret the field value as an integer in base ten." What is
/// past all clocks is as long as can be.
fn milliseconds(value: &[u8]) -> Option<Duration> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    is_number.then(|| Duration::from_millis(decoded(value).parse().unwrap_or(u64::MAX)))
}

/// The messages that are complete and were not taken. After `None`, there may be more once more was fed.
impl Iterator for Parser {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        self.ready.pop_front()
    }
}

impl Default for Parser {
    fn default() -> Self {
        Self::new()
    }
}

/// Sizes only: what streams carry does not belong into logs.
impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser")
            .field("limit", &self.limit)
            .field("line_bytes", &self.line.len())
            .field("data_bytes", &self.data.len())
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}
