//! A body as it comes over the line, with an end to patience.

use super::{
    limits::{DRAINED_BYTES, DRAINED_WITHIN, SILENCE, WHOLE_BODY},
    stop::Stop,
};
use crate::serve::line::Headway;
use axum::body::{Body, BodyDataStream, Bytes};
use futures_core::Stream;
use std::{future::poll_fn, pin::Pin};
use tokio::time::{Instant, timeout, timeout_at};

#[derive(Debug)]
pub(super) struct Arriving {
    pieces: BodyDataStream,
    /// Told of each piece: how slow a body may be is decided here, not by the connection.
    pub(super) headway: Headway,
    whole_by: Instant,
    /// Nothing more will come: the end, or a connection that broke.
    over: bool,
}

impl Arriving {
    pub(super) fn new(body: Body, headway: Headway) -> Self {
        Self { pieces: body.into_data_stream(), headway, whole_by: Instant::now() + WHOLE_BODY, over: false }
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
            Some(Ok(bytes)) => {
                self.headway.made();
                Ok(Some(bytes))
            }
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

#[cfg(test)]
mod tests {
    use super::{Arriving, Headway, SILENCE, WHOLE_BODY};
    use axum::{
        body::{Body, Bytes},
        http::StatusCode,
    };
    use futures_core::Stream;
    use std::{
        convert::Infallible,
        future::Future,
        pin::Pin,
        task::{Context, Poll, ready},
        time::Duration,
    };
    use tokio::time::{Instant, Sleep, sleep};

    /// A byte in each pause, for ever.
    struct Drips(Duration, Pin<Box<Sleep>>);

    impl Stream for Drips {
        type Item = Result<Bytes, Infallible>;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            ready!(self.1.as_mut().poll(cx));
            self.1 = Box::pin(sleep(self.0));
            Poll::Ready(Some(Ok(Bytes::from_static(b" "))))
        }
    }

    /// How many pieces came of such a body, and when it was given up.
    async fn given_up(pause: Duration) -> (u32, Duration) {
        let drips = Drips(pause, Box::pin(sleep(pause)));
        let (mut body, began) = (Arriving::new(Body::from_stream(drips), Headway::default()), Instant::now());
        let mut pieces = 0;
        loop {
            match body.next().await {
                Ok(_) => pieces += 1,
                Err(stop) => {
                    assert_eq!(stop.status, StatusCode::REQUEST_TIMEOUT);
                    return (pieces, began.elapsed());
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_on_for_ever_is_given_up_and_a_silent_one_sooner() {
        let (second, long) = (Duration::from_secs(1), SILENCE * 2);
        assert_eq!(given_up(SILENCE - second).await.1, WHOLE_BODY);
        assert_eq!(given_up(long).await, (0, SILENCE));
    }
}
