//! How encoded requests leave, and what came of it: HTTP, gRPC, a file. Knows bytes, not spans.

mod reply;

pub(crate) use reply::Reply;

/// What a request holds; each has a path, a service and a place in the log of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    Traces,
    Metrics,
    Logs,
}

/// One way to one place.
pub(crate) trait Transport: Send {
    /// Sends one encoded export request and waits for what comes of it, within the destination's timeout. The body is in
    /// the encoding that the destination asked for and is never empty.
    ///
    /// For a thread of its own: it blocks, and enters a runtime of its own.
    fn send(&mut self, signal: Signal, body: &[u8]) -> Reply;
}
