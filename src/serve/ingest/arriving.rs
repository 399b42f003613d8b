//! A body as it comes over the line, with an end to patience.

use super::{
    limits::{DRAINED_BYTES, DRAINED_WITHIN, SILENCE, WHOLE_BODY},
    stop::Stop,
};
use axum::body::{Body, BodyDataStream, Bytes};
use futures_core::Stream;
use std::{future::poll_fn, pin::Pin};
use tokio::time::{Instant, timeout, timeout_at};

#[derive(Debug)]
pub(super) struct Arriving {
    pieces: BodyDataStream,
    whole_by: Instant,
    /// Nothing more will come: the end, or a connection that broke.
    over: bool,
}

impl Arriving {
    pub(super) fn new(body: Body) -> Self {
        Self { pieces: body.into_data_stream(), whole_by: Instant::now() + WHOLE_BODY, over: false }
    }

    /// The next piece; none at the end that the sender meant.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Stop> {
        let by = self.whole_by.min(Instant::now() + SILENCE);
        match timeout_at(by, self.piece()).await {
            Ok(piece) => piece,
            Err(_) => Err(Stop::too_slow(format!(
                "the body did not come in time: something within {SILENCE:?}, all of it within {WHOLE_BODY:?}"
            ))),
        }
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, Stop> {
        match poll_fn(|context| Pin::new(&mut self.pieces).poll_next(context)).await {
            Some(Ok(bytes)) => Ok(Some(bytes)),
            None => {
                self.over = true;
                Ok(None)
            }
            Some(Err(_)) => {
                self.over = true;
                Err(Stop::malformed("the body broke off before its end"))
            }
        }
    }

    /// Reads on for a while and throws it away. Who is still sending would otherwise find the line cut, and not come to
    /// read why.
    pub(super) async fn drain(mut self) {
        let rest = async {
            let mut bytes = 0;
            while !self.over && bytes < DRAINED_BYTES {
                bytes += match self.piece().await {
                    Ok(Some(piece)) => piece.len() as u64,
                    _ => return,
                };
            }
        };
        // What did not come in time is left.
        let _ = timeout(DRAINED_WITHIN, rest).await;
    }
}
