//! A mapped span as OTLP's message `Span`, in either form.

use super::{
    fields::{of_scope, span, span_event, span_link, status},
    form::{Form, Scalar},
};
use crate::{
    Timestamp,
    otlp::sink::{Head, SpanSink, Value},
};

pub(crate) struct SpanWriter<'a, F: Form> {
    form: &'a mut F,
    open: Option<F::Open>,
    flags: u32,
}

/// Bits of `Span.flags`: the lower eight are "trace flags as defined in W3C Trace Context", of which one is used: sampled.
const SAMPLED: u32 = 0x001;
/// "Bits 8 and 9 represent the 3 states of whether a span's parent is remote": this one says that it is known, …
const HAS_IS_REMOTE: u32 = 0x100;
/// … and this one that it is so.
const IS_REMOTE: u32 = 0x200;
/// `STATUS_CODE_ERROR`
const ERROR: u32 = 2;
/// Most spans without content are shorter than what two bytes of length can say, and longer than what one can.
const ABOUT_BYTES: usize = 500;
/// An event or a link of a span with few attributes.
const ABOUT_PART_BYTES: usize = 100;

impl<'a, F: Form> SpanWriter<'a, F> {
    /// `is_remote`: whether the spans' parents are of another process.
    pub(crate) fn new(form: &'a mut F, is_remote: bool) -> Self {
        let flags = SAMPLED | HAS_IS_REMOTE | if is_remote { IS_REMOTE } else { 0 };
        Self { form, open: None, flags }
    }
}

impl<F: Form> SpanSink for SpanWriter<'_, F> {
    fn begin(&mut self, head: &Head<'_>) {
        let form = &mut *self.form;
        self.open = Some(form.begin(of_scope::SPANS, ABOUT_BYTES));
        form.field(span::TRACE_ID, Scalar::Id(&head.trace_id.to_be_bytes()));
        form.field(span::SPAN_ID, Scalar::Id(&head.span_id.to_be_bytes()));
        if let Some(parent) = head.parent {
            form.field(span::PARENT_SPAN_ID, Scalar::Id(&parent.to_be_bytes()));
        }
        form.field(span::NAME, Scalar::Text(head.name));
        form.field(span::KIND, Scalar::Number(head.kind as u32));
        form.field(span::START_TIME, nanos(head.start));
        form.field(span::END_TIME, nanos(head.end));
    }

    #[inline(always)]
    fn attribute(&mut self, key: &str, value: Value<'_>) {
        self.form.attribute(span::ATTRIBUTES, key, value);
    }

    fn event(&mut self, name: &str, time: Timestamp, attributes: &[(&str, Value<'_>)]) {
        let event = self.form.open(span::EVENTS, ABOUT_PART_BYTES);
        self.form.field(span_event::TIME, nanos(time));
        self.form.field(span_event::NAME, Scalar::Text(name));
        self.form.attributes(span_event::ATTRIBUTES, attributes);
        self.form.close(event);
    }

    fn dropped_events(&mut self, count: u32) {
        self.form.field(span::DROPPED_EVENTS_COUNT, Scalar::Number(count));
    }

    fn link(&mut self, trace_id: u128, span_id: u64, attributes: &[(&str, Value<'_>)]) {
        let link = self.form.open(span::LINKS, ABOUT_PART_BYTES);
        self.form.field(span_link::TRACE_ID, Scalar::Id(&trace_id.to_be_bytes()));
        self.form.field(span_link::SPAN_ID, Scalar::Id(&span_id.to_be_bytes()));
        self.form.attributes(span_link::ATTRIBUTES, attributes);
        // What is linked is in the same record.
        self.form.field(span_link::FLAGS, Scalar::Fixed32(SAMPLED | HAS_IS_REMOTE));
        self.form.close(link);
    }

    fn error(&mut self, description: &str) {
        let open = self.form.open(span::STATUS, description.len() + 4);
        self.form.field(status::MESSAGE, Scalar::Text(description));
        self.form.field(status::CODE, Scalar::Number(ERROR));
        self.form.close(open);
    }

    fn end(&mut self) {
        if let Some(open) = self.open.take() {
            self.form.field(span::FLAGS, Scalar::Fixed32(self.flags));
            self.form.close(open);
        }
    }
}

/// A moment before 1970 has no place in OTLP: it is told as unknown, which is 0.
pub(crate) fn nanos(time: Timestamp) -> Scalar<'static> {
    Scalar::Fixed64(u64::try_from(time.unix_nanos()).unwrap_or(0))
}
