//! How encoded requests leave, and what came of it: HTTP, gRPC, a file. Knows bytes, not spans.

mod answer;
mod caller;
mod file;
#[cfg(feature = "otlp-grpc")]
mod grpc;
mod http;
mod mask;
mod read;
mod reply;
mod runtime;
mod signal;
#[cfg(feature = "otlp-tls")]
mod tls;

#[cfg(test)]
mod tests;

use super::settings::{Kind, Way};
use crate::Error;

pub(super) use file::only_name;
#[cfg(feature = "otlp-bridge")]
pub(super) use mask::Mask;
pub(crate) use reply::Reply;
pub use signal::Signal;

/// One way to one place.
pub(crate) trait Transport: Send {
    /// Sends one encoded export request and waits for what comes of it, within the destination's timeout. The body is in
    /// the encoding that the destination asked for and is never empty; the signal is the one that this was opened for.
    ///
    /// For a thread of its own: it blocks, and enters a runtime of its own.
    fn send(&mut self, signal: Signal, body: &[u8]) -> Reply;
}

/// Opens a way for a signal. Nothing is connected yet.
///
/// # Errors
/// `is_config` when a setting cannot be used; `is_io` when a certificate or the file cannot be opened.
pub(super) fn open(way: &Way, signal: Signal) -> Result<Box<dyn Transport>, Error> {
    Ok(match way.kind {
        Kind::Http => Box::new(http::Http::open(way, signal)?),
        #[cfg(feature = "otlp-grpc")]
        Kind::Grpc => Box::new(grpc::Grpc::open(way, signal)?),
        #[cfg(not(feature = "otlp-grpc"))]
        Kind::Grpc => return Err(Error::config("OTLP over gRPC: needs the feature `otlp-grpc` of spanwright")),
        Kind::File => Box::new(file::File::open(way, signal)?),
    })
}
