//! A body that ends when the right to read it does.

use super::holders::Over;
use axum::body::{Body, BodyDataStream, Bytes};
use futures_core::Stream;
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// The same body, until it is over. It ends between two pieces, and each piece of a stream is whole frames.
pub(super) fn body(body: Body, over: Over) -> Body {
    Body::from_stream(Until { body: Some(body.into_data_stream()), over })
}

struct Until {
    /// None when it is over.
    body: Option<BodyDataStream>,
    over: Over,
}

impl Stream for Until {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.body.is_some() && this.over.as_mut().poll(cx).is_ready() {
            this.body = None;
        }
        match &mut this.body {
            Some(body) => Pin::new(body).poll_next(cx),
            None => Poll::Ready(None),
        }
    }
}
