//! Parts of a text that are to be masked, as the finders report them.

/// A part of a text that is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span<'p> {
    /// Where what it is found by begins: a key stands before its value.
    pub(super) found_from: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    /// What it is: stands in the mask.
    pub(super) name: &'p str,
}

/// What was found in a text.
#[derive(Debug)]
pub(super) struct Found<'p> {
    pub(super) spans: Vec<Span<'p>>,
    /// From here on more text could change what is found: of a text that goes on, only what stands before is settled.
    pub(super) open_from: usize,
    /// Where the word and the line end that were looked at last, for values in values.
    pub(super) word_end: usize,
    pub(super) line_end: usize,
}

/// Of the assignment rule, which knows only that it is a secret: a finder that knows which one has the better name.
pub(super) const SECRET: &str = "secret";

impl<'p> Found<'p> {
    pub(super) const fn nothing(text: &str) -> Self {
        Self { spans: Vec::new(), open_from: text.len(), word_end: 0, line_end: 0 }
    }

    pub(super) fn mask(&mut self, start: usize, end: usize, name: &'p str) {
        self.mask_after(start, start, end, name);
    }

    /// Found by what stands before it, from `found_from` on.
    pub(super) fn mask_after(&mut self, found_from: usize, start: usize, end: usize, name: &'p str) {
        self.spans.push(Span { found_from, start, end, name });
    }

    /// A finder that began at `start` came to the end of the text.
    pub(super) fn open(&mut self, start: usize) {
        self.open_from = self.open_from.min(start);
    }

    /// In order, and each byte in one span at most.
    pub(super) fn settle(&mut self) {
        if self.spans.len() < 2 {
            return;
        }
        self.spans.sort_by_key(|span| (span.start, span.end));
        self.spans.dedup_by(|next, kept| {
            let overlap = next.start < kept.end;
            if overlap {
                kept.end = kept.end.max(next.end);
                kept.found_from = kept.found_from.min(next.found_from);
                kept.name = if kept.name == SECRET { next.name } else { kept.name };
            }
            overlap
        });
    }
}

/// The text with each span masked, none where there is nothing to mask.
pub(super) fn masked(text: &str, spans: &[Span<'_>]) -> Option<String> {
    if spans.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len() + 16 * spans.len());
    let mut at = 0;
    for span in spans {
        out.push_str(&text[at..span.start]);
        write_mask(span.name, &mut out);
        at = span.end;
    }
    out.push_str(&text[at..]);
    Some(out)
}

/// How every mask begins; what begins so is masked already.
pub(super) const MASK: &str = "[redacted:";

pub(super) fn write_mask(name: &str, out: &mut String) {
    out.push_str(MASK);
    out.push_str(name);
    out.push(']');
}
