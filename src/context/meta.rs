//! MCP: the context in a request's `params._meta`.

use super::{TraceContext, names};
use serde_json::{Map, Value};

impl TraceContext {
    /// Writes `traceparent`, `tracestate` and `baggage` into the `_meta` of a request that goes out, as OpenTelemetry's
    /// convention for MCP asks. Other members, such as a progress token, stay.
    pub fn to_meta(&self, meta: &mut Map<String, Value>) {
        meta.remove(names::TRACESTATE);
        meta.extend(self.entries().map(|(name, value)| (name.to_owned(), Value::from(value))));
    }

    /// Reads the `_meta` of a request that came in. None without a valid `traceparent`.
    pub fn from_meta(meta: &Map<String, Value>) -> Option<Self> {
        let text = |name| meta.get(name).and_then(Value::as_str);
        Self::read(text(names::TRACEPARENT), text(names::TRACESTATE), text(names::BAGGAGE))
    }
}
