//! JSON gone through as text: strings are looked through one by one, and what stays, stays byte for byte. Valid JSON stays
//! valid.

use super::{redactor::Redactor, shapes::run, size, spans};
use crate::json;
use std::{borrow::Cow, ops::Range};

/// A number this long may be a card's.
const MIN_NUMBER_BYTES: usize = 13;
/// JSON in a string of JSON, and so on.
pub(super) const MAX_NESTED: usize = 3;

/// One document. Invalid JSON is gone through as far as it can be; nothing here panics on it.
pub(super) struct Document<'a> {
    redactor: &'a Redactor,
    text: &'a str,
    at: usize,
    edits: Vec<(Range<usize>, String)>,
    /// By how much the edits make the document longer than it was, so far.
    grown: isize,
    max_bytes: usize,
    nested: usize,
}

impl<'a> Document<'a> {
    pub(super) const fn new(redactor: &'a Redactor, text: &'a str, max_bytes: usize, nested: usize) -> Self {
        Self { redactor, text, at: 0, edits: Vec::new(), grown: 0, max_bytes, nested }
    }

    /// The document as it may be recorded; none where that is as it is.
    pub(super) fn treat(mut self) -> Option<String> {
        self.value();
        if self.edits.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(self.text.len());
        let mut at = 0;
        for (range, replacement) in &self.edits {
            out.push_str(&self.text[at..range.start]);
            out.push_str(replacement);
            at = range.end;
        }
        out.push_str(&self.text[at..]);
        Some(out)
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        self.at += run(&self.text.as_bytes()[self.at..], |b| b.is_ascii_whitespace());
    }

    fn edit(&mut self, range: Range<usize>, replacement: String) {
        self.grown += replacement.len().cast_signed() - range.len().cast_signed();
        self.edits.push((range, replacement));
    }

    fn value(&mut self) {
        self.skip_space();
        match self.byte() {
            Some(b'{' | b'[') => self.container(),
            Some(b'"') => self.string(),
            _ => self.scalar(),
        }
    }

    /// Members or elements, as many as there is room for.
    fn container(&mut self) {
        self.at += 1;
        let is_object = self.text.as_bytes()[self.at - 1] == b'{';
        loop {
            self.skip_space();
            match self.byte() {
                None => return,
                Some(b'}' | b']') => return self.at += 1,
                Some(b',' | b':') => self.at += 1,
                Some(_) if self.is_full() => self.cut_rest(is_object),
                Some(_) if is_object => self.member(),
                Some(_) => self.value(),
            }
        }
    }

    fn is_full(&self) -> bool {
        self.at.cast_signed() + self.grown > self.max_bytes.cast_signed()
    }

    /// How many bytes more the document may have.
    fn room(&self) -> usize {
        (self.max_bytes.cast_signed() - self.at.cast_signed() - self.grown).max(0).cast_unsigned()
    }

    /// Instead of the rest of a container, what it was.
    fn cut_rest(&mut self, is_object: bool) {
        let start = self.at;
        while self.byte().is_some_and(|b| !matches!(b, b'}' | b']')) {
            self.skip_value();
        }
        let mut replacement = String::from(if is_object { "\"…\":" } else { "" });
        json::write_str(size::mark(&self.text[start..self.at]).trim_start(), &mut replacement);
        self.edit(start..self.at, replacement);
    }

    fn member(&mut self) {
        let key = self.at;
        let end = self.string_end();
        let secret = self.redactor.is_secret_key(&decoded(&self.text[key..end]));
        self.string();
        self.skip_space();
        if self.byte() == Some(b':') {
            self.at += 1;
            self.skip_space();
            match secret {
                true => self.mask_value(),
                false => self.value(),
            }
        }
    }

    /// The whole value of a key that says that it is secret. `null`, `true`, `false` and an empty string are no secrets.
    fn mask_value(&mut self) {
        let start = self.at;
        self.skip_value();
        let value = self.text[start..self.at].trim_end();
        let told = value.strip_prefix('"').is_some_and(|text| text.starts_with(spans::MASK));
        if !told && !matches!(value, "" | "null" | "true" | "false" | "\"\"" | "{}" | "[]") {
            let mut replacement = String::from("\"");
            spans::write_mask(spans::SECRET, &mut replacement);
            replacement.push('"');
            self.edit(start..start + value.len(), replacement);
        }
    }

    /// Over a value or a sign, whatever is in it.
    fn skip_value(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.byte() {
                None => return,
                Some(b'"') => self.at = self.string_end(),
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') if depth == 0 => return,
                Some(b'}' | b']') => {
                    depth -= 1;
                    self.at += 1;
                }
                Some(b',' | b':') => self.at += 1,
                Some(_) => {
                    self.at += run(&self.text.as_bytes()[self.at..], |b| {
                        !matches!(b, b'"' | b'{' | b'[' | b'}' | b']' | b',' | b':')
                    })
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// After the closing quote of the string that begins here; at least one byte on.
    fn string_end(&self) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        while let Some(place) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| matches!(b, b'"' | b'\\'))) {
            match bytes[at + place] {
                b'"' => return at + place + 1,
                _ => at += place + 2,
            }
        }
        bytes.len()
    }

    fn string(&mut self) {
        let (start, end) = (self.at, self.string_end());
        let text = decoded(&self.text[start..end]);
        if let Some(treated) = self.redactor.treat_part(&text, self.nested, self.room()) {
            let mut replacement = String::new();
            json::write_str(&treated, &mut replacement);
            self.edit(start..end, replacement);
        }
        self.at = end;
    }

    /// A number, `true`, `false`, `null`.
    fn scalar(&mut self) {
        let start = self.at;
        let bytes = &self.text.as_bytes()[start..];
        self.at += run(bytes, |b| !matches!(b, b',' | b'}' | b']') && !b.is_ascii_whitespace()).max(1).min(bytes.len());
        let end = self.at;
        if end - start >= MIN_NUMBER_BYTES
            && self.text.is_char_boundary(end)
            && let Some(treated) = self.redactor.treat_part(&self.text[start..end], self.nested, self.room())
        {
            let mut replacement = String::new();
            json::write_str(&treated, &mut replacement);
            self.edit(start..end, replacement);
        }
    }
}

/// What a string with its quotes says; as it stands there where it is not JSON.
fn decoded(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.strip_prefix('"').unwrap_or(quoted);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    match inner.contains('\\') {
        true => serde_json::from_str::<String>(quoted).map_or(Cow::Borrowed(inner), Cow::Owned),
        false => Cow::Borrowed(inner),
    }
}
