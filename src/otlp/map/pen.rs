//! Writes attributes: absent and empty values are none, and no value is too long.

use super::{
    content::{self, Content},
    cut,
    dialect::Dialect,
    subject::Subject,
};
use crate::{
    Text,
    otlp::sink::{Head, SpanSink, Value},
};

/// Most names of spans are shorter.
const ABOUT_BYTES: usize = 64;

pub(super) struct Pen<'a, S> {
    sink: &'a mut S,
    pub(super) dialect: &'a Dialect,
    /// The longest value, in bytes.
    pub(super) max: usize,
    /// Keys and values that are put together, one after the other.
    key: String,
    value: String,
}

impl<'a, S: SpanSink> Pen<'a, S> {
    pub(super) fn new(sink: &'a mut S, dialect: &'a Dialect, max: usize) -> Self {
        Self { sink, dialect, max, key: String::new(), value: String::with_capacity(ABOUT_BYTES) }
    }

    /// Begins the span: its name is the operation, and what that is done with.
    pub(super) fn begin(&mut self, subject: &Subject<'_>) {
        let span = subject.span;
        self.value.push_str(subject.concept.operation(span));
        if let Some(thing) = subject.name().filter(|thing| !thing.is_empty()) {
            self.value.push(' ');
            self.value.push_str(thing);
        }
        self.sink.begin(&Head {
            trace_id: span.run.trace_id,
            span_id: span.span_id,
            parent: span.parent,
            name: &cut::text(&self.value, self.max),
            kind: subject.concept.words().kind,
            start: span.start,
            end: span.end,
        });
    }

    pub(super) fn sink(&mut self) -> &mut S {
        self.sink
    }

    /// In line with its callers, as the others are: each writes the one key that it knows.
    #[inline(always)]
    pub(super) fn text(&mut self, key: &str, text: &str) {
        match text.len() {
            0 => {}
            length if length > self.max => self.long_text(key, text),
            _ => self.sink.attribute(key, Value::Text(text)),
        }
    }

    #[cold]
    fn long_text(&mut self, key: &str, text: &str) {
        self.sink.attribute(key, Value::Text(&cut::text(text, self.max)));
    }

    #[inline(always)]
    pub(super) fn name(&mut self, key: &str, text: Option<&Text>) {
        self.text(key, text.map_or("", Text::as_str));
    }

    #[inline(always)]
    pub(super) fn count(&mut self, key: &str, count: Option<u64>) {
        if let Some(count) = count {
            self.sink.attribute(key, Value::Int(i64::try_from(count).unwrap_or(i64::MAX)));
        }
    }

    #[inline(always)]
    pub(super) fn float(&mut self, key: &str, number: Option<f64>) {
        if let Some(number) = number.filter(|number| number.is_finite()) {
            self.sink.attribute(key, Value::Double(number));
        }
    }

    pub(super) fn yes(&mut self, key: &str, is_so: bool) {
        if is_so {
            self.sink.attribute(key, Value::Bool(true));
        }
    }

    pub(super) fn texts(&mut self, key: &str, texts: Option<&Vec<Text>>) {
        let fits = |texts: &&Vec<Text>| texts.iter().map(|text| text.len()).sum::<usize>() <= self.max;
        if let Some(texts) = texts.filter(|texts| !texts.is_empty()).filter(fits) {
            self.sink.attribute(key, Value::Texts(texts));
        }
    }

    /// Values that are put together will be about so long.
    pub(super) fn make_room(&mut self, about_bytes: usize) {
        self.value.clear();
        self.value.reserve(about_bytes);
    }

    /// JSON that is written by `write`, with strings of at most so many bytes, until it fits. Nothing where it never does.
    pub(super) fn fitted(&mut self, key: &str, write: impl FnMut(usize, &mut String)) -> bool {
        let fits = cut::fit(self.max, &mut self.value, write);
        if fits {
            self.sink.attribute(key, Value::Text(&self.value));
        }
        fits
    }

    pub(super) fn json(&mut self, key: &str, json: &str) {
        match json.len() > self.max {
            true => {
                cut::json(json, self.max, &mut self.value);
                self.sink.attribute(key, Value::Text(&self.value));
            }
            false => self.text(key, json),
        }
    }

    pub(super) fn content(&mut self, key: &str, content: Option<Content<'_>>) {
        let Some(content) = content else { return };
        match (content.plain(), content) {
            // JSON in a text, as arguments often are, is still JSON when it is cut.
            (Some(text), _) if text.len() > self.max && content::is_structure(&text) => self.json(key, &text),
            (Some(text), _) => self.text(key, &text),
            (None, Content::Json(json) | Content::Text(json)) => self.json(key, json),
        }
    }

    /// Content and, beside it, what it is.
    pub(super) fn typed_content(&mut self, key: &str, mime_key: &str, content: Option<Content<'_>>) {
        let Some(some) = content else { return };
        self.content(key, content);
        let mime = if some.plain().is_some() { content::PLAIN } else { content::JSON };
        self.text(mime_key, mime);
    }

    /// An attribute whose key is put together: of a list, mostly.
    pub(super) fn indexed(&mut self, prefix: &str, index: usize, rest: &str, text: &str) {
        let key = self.put_together(prefix, index, rest);
        self.text(&key, text);
        self.key = key;
    }

    pub(super) fn indexed_json(&mut self, prefix: &str, index: usize, rest: &str, json: &str) {
        let key = self.put_together(prefix, index, rest);
        self.json(&key, json);
        self.key = key;
    }

    pub(super) fn indexed_float(&mut self, prefix: &str, index: usize, rest: &str, number: Option<f64>) {
        let key = self.put_together(prefix, index, rest);
        self.float(&key, number);
        self.key = key;
    }

    fn put_together(&mut self, prefix: &str, index: usize, rest: &str) -> String {
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        key.push_str(prefix);
        key.push('.');
        key.push_str(itoa::Buffer::new().format(index));
        key.push_str(rest);
        key
    }
}
