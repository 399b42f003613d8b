//! `Redactor`: a policy ready to be applied, to a text, to JSON, to an event.

use super::{
    ContentLevel, ContentPolicy,
    document::{Document, MAX_NESTED},
    shapes::floor,
    size,
    spans::{self, Found, MASK},
    text::Rules,
};
use crate::{
    Json, StreamEvent, Text,
    event::{Body, Holds, Treatment},
};
use std::fmt;

/// Applies a [`ContentPolicy`]. What the recorder does to every event before any sink sees it can be tried here on a
/// text; applying it twice changes nothing more.
pub struct Redactor {
    level: ContentLevel,
    rules: Rules,
    max_text_bytes: usize,
    max_json_bytes: usize,
}

/// Where a text is cut, so much more of it is looked through: what begins before the cut is seen whole.
const MARGIN_BYTES: usize = 16 << 10;
/// The longest thing that is found, in bytes: what began earlier than this before the end of a text is settled.
const LONGEST_BYTES: usize = 12 << 10;

impl Redactor {
    pub(super) const fn new(level: ContentLevel, rules: Rules, max_text_bytes: usize, max_json_bytes: usize) -> Self {
        Self { level, rules, max_text_bytes, max_json_bytes }
    }

    /// How much content is recorded.
    pub const fn level(&self) -> ContentLevel {
        self.level
    }

    /// The text as it may be recorded: JSON in it is gone through as JSON. At the level `full` it is only cut where it is
    /// too long; so it is at `none`, where it is up to the recorder to leave content out.
    pub fn text(&self, text: &str) -> String {
        self.treat(text, 0).unwrap_or_else(|| text.to_owned())
    }

    /// The payload as it may be recorded.
    pub fn json(&self, json: &Json) -> Json {
        self.treat_json(json).unwrap_or_else(|| json.clone())
    }

    /// Whether an event holds so much that it may not wait in a queue as it is.
    pub(crate) fn is_too_large(&self, event: &StreamEvent) -> bool {
        event.heap_bytes() > ContentPolicy::MAX_BYTES
    }

    /// The event as it may be recorded. Ids stay.
    pub(crate) fn treat_event(&self, event: &mut StreamEvent) {
        let mut treating = Treating { redactor: self, cut: false };
        event.body.treat(&mut treating);
        if treating.cut {
            match &mut event.body {
                Body::TextEnd(end) => end.truncated = Some(true),
                Body::ReasoningEnd(end) => end.truncated = Some(true),
                _ => {}
            }
        }
    }

    pub(super) fn is_secret_key(&self, key: &str) -> bool {
        self.level != ContentLevel::Full && self.rules.names.names(key)
    }

    /// None where the text stays as it is. `nested` counts the documents around it.
    fn treat(&self, text: &str, nested: usize) -> Option<String> {
        self.treat_within(text, nested, self.max_text_bytes)
    }

    /// The same for a text in a document that has so much room left.
    pub(super) fn treat_part(&self, text: &str, nested: usize, room: usize) -> Option<String> {
        self.treat_within(text, nested, self.max_text_bytes.min(room.max(ContentPolicy::MIN_BYTES)))
    }

    fn treat_within(&self, text: &str, nested: usize, max_bytes: usize) -> Option<String> {
        if text.len() > max_bytes {
            return Some(self.cut(text, max_bytes));
        }
        if self.level == ContentLevel::Full {
            return None;
        }
        let treated = match nested < MAX_NESTED && is_document(text) {
            true => Document::new(self, text, self.max_json_bytes, nested + 1).treat(),
            false => spans::masked(text, &self.rules.find(text).spans),
        };
        // Masks may be longer than what they hide.
        treated.map(|shown| if shown.len() > max_bytes { size::cut(&shown, text, max_bytes) } else { shown })
    }

    fn cut(&self, text: &str, max_bytes: usize) -> String {
        if self.level == ContentLevel::Full {
            return size::cut(text, text, max_bytes);
        }
        let beginning = &text[..floor(text, max_bytes + MARGIN_BYTES)];
        let (settled, _) = self.settled(beginning);
        size::cut(&settled, text, max_bytes)
    }

    fn treat_json(&self, json: &Json) -> Option<Json> {
        let text = json.as_str();
        if self.level == ContentLevel::Full && text.len() <= self.max_text_bytes.min(self.max_json_bytes) {
            return None;
        }
        let treated = Document::new(self, text, self.max_json_bytes, 0).treat()?;
        Some(match treated.len() > Json::MAX_BYTES {
            true => Json::text(size::mark(text).trim_start()),
            false => Json::written(treated),
        })
    }

    /// The beginning of a text that goes on, as it may be recorded, and how much of it that is: what follows could
    /// change the rest. More than 12 KiB are never left over.
    pub(super) fn settled(&self, text: &str) -> (String, usize) {
        let found = self.rules.find_in_beginning(text);
        let end = settled_end(text, &found);
        let spans: Vec<_> = found.spans.into_iter().take_while(|span| span.end <= end).collect();
        (spans::masked(&text[..end], &spans).unwrap_or_else(|| text[..end].to_owned()), end)
    }
}

/// Not within a span, nor between it and what it is found by. The spans are in order.
fn settled_end(text: &str, found: &Found<'_>) -> usize {
    let mut end = found.open_from.max(floor(text, text.len().saturating_sub(LONGEST_BYTES)));
    for span in found.spans.iter().rev() {
        if span.found_from < end && end < span.end {
            // A run that fills all there is may go on for ever: it is masked as it comes.
            let goes_on_for_ever = text.len() - span.found_from > LONGEST_BYTES;
            end = if goes_on_for_ever { span.end } else { span.found_from };
        }
    }
    end
}

/// Whether a text is JSON with something in it. Masked JSON is JSON, and a mask alone is none.
fn is_document(text: &str) -> bool {
    let trimmed = text.trim();
    let framed =
        trimmed.starts_with('{') && trimmed.ends_with('}') || trimmed.starts_with('[') && trimmed.ends_with(']');
    framed && !trimmed.starts_with(MASK) && Json::parse(trimmed).is_ok()
}

/// One event being gone through.
struct Treating<'a> {
    redactor: &'a Redactor,
    cut: bool,
}

impl Treatment for Treating<'_> {
    fn leaves_out(&self, holds: Holds) -> bool {
        holds == Holds::Content && self.redactor.level == ContentLevel::None
    }

    fn text(&mut self, text: &mut Text) {
        if let Some(treated) = self.redactor.treat(text, 0) {
            self.cut |= text.len() > self.redactor.max_text_bytes;
            *text = treated.into();
        }
    }

    fn json(&mut self, json: &mut Json) {
        if let Some(treated) = self.redactor.treat_json(json) {
            *json = treated;
        }
    }
}

/// What it looks for is not told: patterns may be as secret as what they match.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor")
            .field("level", &self.level)
            .field("patterns", &self.rules.patterns.len())
            .field("max_text_bytes", &self.max_text_bytes)
            .field("max_json_bytes", &self.max_json_bytes)
            .finish_non_exhaustive()
    }
}
