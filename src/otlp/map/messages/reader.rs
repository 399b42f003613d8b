//! Goes through JSON from its beginning to its end, once. What comes here is JSON: the record holds no other
//! ([`Json`](crate::Json)), and a text that may be some is looked at before. So nothing is checked here that the way
//! through it does not need; of anything else something or nothing is read.

use super::words::{Escapes, Quoted};
use crate::json::first_escape;

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
        let mut escapes = Escapes::None;
        self.at += 1;
        loop {
            let rest = &self.json.as_bytes()[self.at..];
            let found = first_escape(rest)?;
            match rest[found] {
                b'"' => {
                    self.at += found + 1;
                    return Some(Quoted::new(self.json.get(start..self.at)?, escapes));
                }
                b'\\' => {
                    escapes = escapes.and(Escapes::of(&rest[found + 1..]));
                    // What is escaped is a byte long, or four digits follow it.
                    self.at = (self.at + found + 2).min(self.json.len());
                }
                // Control characters are no part of strings.
                _ => return None,
            }
        }
    }

    fn skip_structure(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.json.as_bytes().get(self.at)? {
                b'"' => {
                    self.string()?;
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
        let end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
        self.at += rest.iter().position(end).unwrap_or(rest.len());
    }
}
