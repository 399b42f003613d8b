//! tower: each request is served where it came from.

use super::{TraceContext, place::carrier};
use http::Request;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;
use tracing::instrument::{Instrument, Instrumented};

/// Runs every request in the context that its headers name: `Router::layer(TraceContextLayer::new())`.
///
/// Whoever may set these headers chooses in which execution the work is recorded: put it on servers whose callers you
/// know. The body of a streamed answer is sent after the service is done and not in its context; what runs in there
/// takes [`Context::current`](super::Context::current) along.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct TraceContextLayer;

impl TraceContextLayer {
    /// The layer; there is nothing to set.
    pub const fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for TraceContextLayer {
    type Service = TraceContextService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TraceContextService { inner }
    }
}

/// What [`TraceContextLayer`] makes of a service.
#[derive(Debug, Clone)]
pub struct TraceContextService<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for TraceContextService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let span = carrier(TraceContext::extract(request.headers()).as_ref());
        let answer = span.in_scope(|| self.inner.call(request));
        answer.instrument(span)
    }
}
