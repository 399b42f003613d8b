//! HTTP: the context in the headers of a request.

use super::{TraceContext, names};
use http::{HeaderMap, HeaderValue};

impl TraceContext {
    /// Writes `traceparent`, `tracestate` and `baggage` into the headers of a request that goes out.
    ///
    /// A `tracestate` that is there belongs to another `traceparent` and goes. A `baggage` that is there stays where this
    /// place has none: it is the program's own.
    pub fn inject(&self, headers: &mut HeaderMap) {
        headers.remove(names::TRACESTATE);
        for (name, value) in self.entries() {
            // All three are printable ASCII by now: nothing is refused here.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }

    /// Reads the headers of a request that came in. None without exactly one valid `traceparent`; several `tracestate`
    /// and `baggage` headers are one list each.
    ///
    /// Whoever may set these headers chooses in which execution the work is recorded: read those of callers that you
    /// know.
    pub fn extract(headers: &HeaderMap) -> Option<Self> {
        // What is not text is malformed, and must be seen as that and not be skipped.
        let all = |name| headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("\0"));
        Self::read(all(names::TRACEPARENT), all(names::TRACESTATE), all(names::BAGGAGE))
    }
}
