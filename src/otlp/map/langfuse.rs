//! What Langfuse reads before anything else, where it would not find it or take it for something else.

use super::{failure, happenings::first_token, pen::Pen, subject::Subject};
use crate::{event::Outcome, otlp::sink::SpanSink, semconv::langfuse};

impl<S: SpanSink> Pen<'_, S> {
    pub(super) fn langfuse(&mut self, subject: &Subject<'_>) {
        self.text(langfuse::TYPE, subject.concept.words().langfuse);
        if let Some(time) = first_token(subject) {
            self.text(langfuse::COMPLETION_START_TIME, &time.to_string());
        }
        if subject.outcome == Some(Outcome::Cancelled) {
            self.text(langfuse::LEVEL, "WARNING");
            self.text(langfuse::STATUS_MESSAGE, failure::reason(subject));
        }
        if subject.span.parent.is_none() {
            self.name(langfuse::TRACE_NAME, subject.name());
        }
    }
}
