//! What stands at the end of a pump: makes something of finished spans and sends it.

use crate::otlp::span::Output;
use std::time::Duration;

/// Takes what the fold gives out until it is full, then sends it until it is settled.
pub(crate) trait Outlet: Send {
    /// Takes one more. It is never refused: what is too large is cut when it is sent.
    fn take(&mut self, output: Output);

    /// Whether what waits should be sent before more is taken.
    fn is_full(&self) -> bool;

    /// Whether nothing waits.
    fn is_empty(&self) -> bool;

    /// Sends what waits, once. Blocks, for a bounded time.
    fn send(&mut self) -> Sent;
}

/// What came of sending.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sent {
    /// Nothing waits any more: it was accepted, or dropped and counted.
    Settled,
    /// Something still waits. `after` is what the other side asked to wait.
    Again { after: Option<Duration>, why: String },
}
