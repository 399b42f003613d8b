//! Every answer that a back end may give, given by real servers: what is made of it, what was sent, what is told.

mod answers;
mod file;
#[cfg(feature = "otlp-grpc")]
mod grpc;
#[cfg(feature = "otlp-grpc")]
mod grpc_server;
#[cfg(feature = "otlp-grpc")]
mod grpc_tables;
mod lines;
mod places;
mod secrets;
mod server;
mod tables;
#[cfg(feature = "otlp-tls")]
mod tls;

use super::{super::Destination, Reply, Signal, Transport};
use std::time::Duration;

const BODY: &[u8] = b"\x0a\x00 a request";

fn open(destination: &Destination) -> Box<dyn Transport> {
    destination.transport(Signal::Traces).expect("settings")
}

/// What comes of one request with traces.
fn send(destination: &Destination) -> Reply {
    open(destination).send(Signal::Traces, BODY)
}

/// Long enough for every answer that is given at all.
const SOON: Duration = Duration::from_secs(30);

fn http(server: &server::Server) -> Destination {
    Destination::http(server.url()).timeout(SOON)
}

/// What must come again, and the reason.
fn retried(reply: Reply) -> (Option<Duration>, String) {
    match reply {
        Reply::Retry { after, why } => (after, why),
        other => panic!("to be sent again, not {other:?}"),
    }
}

fn refused(reply: Reply) -> String {
    match reply {
        Reply::Refused(why) => why,
        other => panic!("refused, not {other:?}"),
    }
}

fn taken_with_warning(reply: Reply) -> String {
    match reply {
        Reply::Partial { rejected: 0, message } => message,
        other => panic!("taken with a warning, not {other:?}"),
    }
}
