//! Goes through JSON from its beginning to its end, once. What comes here is JSON: the record holds no other
//! ([`Json`](crate::Json)), and a text that may be some is looked at before. So nothing is checked here that the way
//! through it does not need; of anything else something or nothing is read.

use super::words::{Escapes, Quoted};

pub(super) struct Reader<'a> {
    json: &'a str,
    at: usize,
}

/// What stands in one place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Text(Quoted<'a>),
    /// A structure, a number, or a word such as `null`.
    Other(&'a str),
}

impl<'a> Value<'a> {
    pub(super) fn json(self) -> &'a str {
        match self {
            Self::Text(quoted) => quoted.json(),
            Self::Other(json) => json,
        }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(json: &'a str) -> Self {
        Self { json, at: 0 }
    }

    /// The byte that what comes next begins with.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.json.as_bytes().get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    fn comes(&mut self, byte: u8) -> bool {
        let comes = self.peek() == Some(byte);
        self.at += usize::from(comes);
        comes
    }

    /// Each member of an object: `member` gets its name, and takes its value. None where this is no object, or `member`
    /// gives up.
    pub(super) fn members(&mut self, mut member: impl FnMut(&mut Self, Quoted<'a>) -> Option<()>) -> Option<()> {
        self.comes(b'{').then_some(())?;
        let mut more = !self.comes(b'}');
        while more {
            let name = self.string()?;
            self.comes(b':').then_some(())?;
            member(self, name)?;
            more = self.comes(b',');
            (more || self.comes(b'}')).then_some(())?;
        }
        Some(())
    }

    /// Each element of an array, which `element` takes. None where this is no array, or `element` gives up.
    pub(super) fn elements(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.comes(b'[').then_some(())?;
        let mut more = !self.comes(b']');
        while more {
            element(self)?;
            more = self.comes(b',');
            (more || self.comes(b']')).then_some(())?;
        }
        Some(())
    }

    pub(super) fn value(&mut self) -> Option<Value<'a>> {
        match self.peek()? {
            b'"' => self.string().map(Value::Text),
            first => {
                let start = self.at;
                match first {
                    b'{' | b'[' => self.skip_structure()?,
                    _ => self.skip_scalar(),
                }
                Some(Value::Other(&self.json[start..self.at]))
            }
        }
    }

    pub(super) fn string(&mut self) -> Option<Quoted<'a>> {
        (self.peek()? == b'"').then_some(())?;
        let start = self.at;
        let escapes = self.skip_string()?;
        Some(Quoted::new(self.json.get(start..self.at)?, escapes))
    }

    /// From the quote that stands here to behind the one that ends the string.
    fn skip_string(&mut self) -> Option<Escapes> {
        let bytes = self.json.as_bytes();
        let (mut escapes, mut at) = (Escapes::None, self.at + 1);
        loop {
            at = quote_or_backslash(bytes, at)?;
            if bytes[at] == b'"' {
                self.at = at + 1;
                return Some(escapes);
            }
            escapes = escapes.and(Escapes::of(&bytes[at + 1..]));
            // What is escaped is a byte long, or four digits follow it.
            at += 2;
        }
    }

    fn skip_structure(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.json.as_bytes().get(self.at)? {
                b'"' => {
                    self.skip_string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn skip_scalar(&mut self) {
        let rest = &self.json.as_bytes()[self.at..];
        // A bracket and a brace differ in one bit.
        let end = |byte: &u8| *byte == b',' || *byte <= b' ' || *byte | 0x20 == b'}';
        self.at += rest.iter().position(end).unwrap_or(rest.len());
    }
}

/// Where the next of them stands. The next one is near in most strings.
#[inline]
fn quote_or_backslash(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some((step, _)) = bytes.get(at..)?.split_first_chunk::<16>() {
        let word = u128::from_le_bytes(*step);
        let [first, second] = [marked(word as u64), marked((word >> 64) as u64)];
        if first != 0 {
            return Some(at + (first.trailing_zeros() / 8) as usize);
        }
        if second != 0 {
            return Some(at + 8 + (second.trailing_zeros() / 8) as usize);
        }
        at += step.len();
    }
    bytes[at..].iter().position(|byte| matches!(byte, b'"' | b'\\')).map(|found| at + found)
}

/// The high bit of each of eight bytes that is a quote or a backslash: exact up to the first one, as a borrow may mark bytes
/// after it.
#[inline]
const fn marked(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES * 0x80;
    let quote = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (quote | backslash) & !word & HIGH
}
