//! A body that ends when the right to read it does.

use super::holders::Over;
use crate::Error;
use axum::{
    body::{Body, BodyDataStream, Bytes},
    response::Response,
};
use futures_core::Stream;
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// Marks a response whose clients take its end for the end of what it tells: it is cut instead, as a lost line is.
#[derive(Clone, Copy)]
pub(in crate::serve) struct CutShort;

/// The same response, its body until it is over. It ends between two pieces, and each piece of a stream is whole frames.
pub(super) fn response(response: Response, over: Over) -> Response {
    let is_cut = response.extensions().get::<CutShort>().is_some();
    response.map(|body| Body::from_stream(Until { body: Some(body.into_data_stream()), over, is_cut }))
}

struct Until {
    /// None when it is over.
    body: Option<BodyDataStream>,
    over: Over,
    is_cut: bool,
}

impl Stream for Until {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.body.is_some() && this.over.as_mut().poll(cx).is_ready() {
            this.body = None;
            if this.is_cut {
                return Poll::Ready(Some(Err(axum::Error::new(Error::closed("the right to read has ended")))));
            }
        }
        match &mut this.body {
            Some(body) => Pin::new(body).poll_next(cx),
            None => Poll::Ready(None),
        }
    }
}
