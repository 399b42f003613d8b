//! The events of a body, one text after the other, as the bytes come: lines, or the elements of a JSON array. What is
//! too long, too deep or too wide is noticed before it is held as a whole, and long before anything is built of it.

use super::{
    limits::{DEPTH, EVENT_BYTES, EVENTS, NODES},
    stop::Stop,
};

/// How a body is made of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// JSON Lines: one event a line.
    Lines,
    /// One JSON value: an event, or an array of them.
    Document,
}

/// The text of one event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// Number of its line, or its place in the array, from 1.
    pub(super) place: u64,
    pub(super) text: Vec<u8>,
}

/// "Implementations that parse JSON texts MAY ignore the presence of a byte order mark" (RFC 8259, 8.1): some programs
/// write one before everything.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[derive(Debug)]
pub(super) struct Split {
    /// Bytes of a byte order mark that may still come.
    mark: &'static [u8],
    state: State,
    /// The event that has begun.
    text: Vec<u8>,
    scan: Scan,
    place: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Lines,
    /// Of a document nothing was seen yet.
    Document,
    /// A document that is no array: one event, to its end.
    Single,
    Array,
    /// After the end of the array.
    Over,
}

impl Split {
    pub(super) fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::Lines => State::Lines,
            Framing::Document => State::Document,
        };
        Self { mark: BYTE_ORDER_MARK, state, text: Vec::new(), scan: Scan::default(), place: 0 }
    }

    /// The next event that is whole; takes off the input what it has looked at. None when there is no input left.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Item>, Stop> {
        self.pass_mark(input);
        while !input.is_empty() {
            let (item, looked_at) = match self.state {
                State::Document => (None, self.open(input)),
                State::Over => (None, over(input)?),
                State::Lines | State::Single | State::Array => self.read(input)?,
            };
            *input = &input[looked_at..];
            if item.is_some() {
                return Ok(item);
            }
        }
        Ok(None)
    }

    fn pass_mark(&mut self, input: &mut &[u8]) {
        while let (Some((wanted, rest)), Some((byte, left))) = (self.mark.split_first(), input.split_first()) {
            let is_mark = byte == wanted;
            self.mark = if is_mark { rest } else { &[] };
            if is_mark {
                *input = left;
            }
        }
    }

    /// The body has ended, as its sender meant it: the last event.
    pub(super) fn end(&mut self) -> Result<Option<Item>, Stop> {
        match self.state {
            State::Array => Err(Stop::malformed("the body ends within its array")),
            State::Lines | State::Single => Ok(self.cut()),
            State::Document | State::Over => Ok(None),
        }
    }

    /// What stands before the first event of a document.
    fn open(&mut self, input: &[u8]) -> usize {
        let blank = input.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        match input.get(blank) {
            None => blank,
            Some(b'[') => {
                self.state = State::Array;
                blank + 1
            }
            Some(_) => {
                self.state = State::Single;
                blank
            }
        }
    }

    fn read(&mut self, input: &[u8]) -> Result<(Option<Item>, usize), Stop> {
        // Blank lines count: they cost time too.
        if self.place == EVENTS {
            return Err(Stop::too_large(format!("more than {EVENTS} lines or elements: send them in several bodies")));
        }
        for (at, byte) in input.iter().enumerate() {
            if self.ends_at(*byte) {
                self.keep(&input[..at])?;
                if self.state == State::Array && *byte == b']' {
                    self.state = State::Over;
                }
                return Ok((self.cut(), at + 1));
            }
            self.scan.step(*byte)?;
        }
        self.keep(input)?;
        Ok((None, input.len()))
    }

    /// A line break within a string is no JSON, so that a line ends at each.
    fn ends_at(&self, byte: u8) -> bool {
        match self.state {
            State::Lines => byte == b'\n',
            State::Array => matches!(byte, b',' | b']') && self.scan.is_outside(),
            _ => false,
        }
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), Stop> {
        if self.text.len() + part.len() > EVENT_BYTES {
            return Err(Stop::too_large(format!("event {} is longer than {EVENT_BYTES} bytes", self.place + 1)));
        }
        self.text.extend_from_slice(part);
        Ok(())
    }

    /// The event that is whole now. Blank lines are none, and neither is what stands in an empty array; an empty place in
    /// an array that is not empty is one that cannot be read.
    fn cut(&mut self) -> Option<Item> {
        self.scan = Scan::default();
        let text = std::mem::take(&mut self.text);
        let blank = text.iter().all(u8::is_ascii_whitespace);
        let empty_array = self.state == State::Over && self.place == 0;
        self.place += 1;
        let none = blank && (empty_array || matches!(self.state, State::Lines | State::Single));
        (!none).then_some(Item { place: self.place, text })
    }
}

fn over(input: &[u8]) -> Result<usize, Stop> {
    match input.iter().all(u8::is_ascii_whitespace) {
        true => Ok(input.len()),
        false => Err(Stop::malformed("something follows the array, which is the whole of the body")),
    }
}

/// Where in a JSON text the bytes are, without building anything: how deep, within a string or not, after how many values.
#[derive(Debug, Default)]
struct Scan {
    depth: usize,
    /// Brackets and commas: there are no more values and names than these and one.
    nodes: usize,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    fn is_outside(&self) -> bool {
        self.depth == 0 && !self.in_string
    }

    fn step(&mut self, byte: u8) -> Result<(), Stop> {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'[' | b'{' => {
                self.depth += 1;
                return self.count();
            }
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            b',' => return self.count(),
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.nodes += 1;
        if self.depth > DEPTH {
            return Err(Stop::unacceptable(format!(
                "an event is nested deeper than {DEPTH} levels, which is the limit"
            )));
        }
        if self.nodes >= NODES {
            return Err(Stop::unacceptable(format!("an event holds more than {NODES} values, which is the limit")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Framing, Item, Split};
    use proptest::prelude::*;

    /// What comes of a body in these pieces, and how it ended.
    fn split(framing: Framing, pieces: &[&[u8]]) -> (Vec<Item>, Option<String>) {
        let (mut split, mut items) = (Split::new(framing), Vec::new());
        for mut piece in pieces.iter().copied() {
            loop {
                match split.next(&mut piece) {
                    Ok(Some(item)) => items.push(item),
                    Ok(None) => break,
                    Err(stop) => return (items, Some(stop.why)),
                }
            }
        }
        match split.end() {
            Ok(last) => items.extend(last),
            Err(stop) => return (items, Some(stop.why)),
        }
        (items, None)
    }

    #[test]
    fn a_byte_order_mark_is_passed_over_at_the_beginning_and_nowhere_else() {
        let marked: &[u8] = b"\xef\xbb\xbf[1,\xef\xbb\xbf2]";
        let pieces: Vec<_> = marked.chunks(1).collect();
        let (items, stopped) = split(Framing::Document, &pieces);
        let texts: Vec<_> = items.iter().map(|item| &item.text[..]).collect();
        assert_eq!((texts, stopped), (vec![&b"1"[..], b"\xef\xbb\xbf2"], None));
        assert_eq!(split(Framing::Lines, &[b"\xef\xbb\xbf1\n2"]).0.len(), 2);
    }

    /// Much of what a body could hold that means something to a splitter.
    fn body() -> impl Strategy<Value = String> {
        prop_oneof![
            "\u{feff}?[ \\[\\]{},:\"\\\\ax1\n\r]{0,60}",
            prop::collection::vec("\\{\"a\":\"[^\\x00-\\x1f]{0,8}\"\\}", 0..8)
                .prop_map(|some| format!("[{}]", some.join(","))),
        ]
    }

    proptest! {
        #[test]
        fn events_are_the_same_wherever_the_body_is_cut(text in body(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
            let bytes = text.as_bytes();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            places.extend([0, bytes.len()]);
            places.sort_unstable();
            let pieces: Vec<&[u8]> = places.windows(2).map(|two| &bytes[two[0]..two[1]]).collect();
            for framing in [Framing::Lines, Framing::Document] {
                prop_assert_eq!(split(framing, &pieces), split(framing, &[bytes]));
            }
        }

        #[test]
        fn the_elements_of_an_array_are_what_a_parser_makes_of_them(elements in prop::collection::vec(any::<(String, Vec<u8>)>(), 0..8)) {
            let text = serde_json::to_string(&elements).expect("JSON");
            let (items, stopped) = split(Framing::Document, &[text.as_bytes()]);
            let read: Vec<(String, Vec<u8>)> = items.iter().map(|one| serde_json::from_slice(&one.text).expect("JSON")).collect();
            prop_assert_eq!((read, stopped), (elements, None));
        }
    }
}
