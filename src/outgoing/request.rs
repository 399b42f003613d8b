//! reqwest: a request that says where it comes from.

use crate::context::TraceContext;
use reqwest::{RequestBuilder, header::HeaderMap};

/// Adds the running step to a request, so that who serves it goes on with the same trace.
///
/// ```no_run
/// use spanwright::WithTraceContext;
///
/// # async fn search() -> Result<(), reqwest::Error> {
/// let pages = reqwest::Client::new().get("http://search.internal/pages").with_trace_context().send().await?;
/// # Ok(())
/// # }
/// ```
///
/// It is said request by request: a model provider or a stranger's server need not know.
pub trait WithTraceContext: Sized {
    /// The same request with `traceparent`, `tracestate` and `baggage` of the running step; as it was where none runs.
    #[must_use]
    fn with_trace_context(self) -> Self;
}

impl WithTraceContext for RequestBuilder {
    fn with_trace_context(self) -> Self {
        let Some(context) = TraceContext::current() else { return self };
        let mut headers = HeaderMap::new();
        context.inject(&mut headers);
        self.headers(headers)
    }
}
