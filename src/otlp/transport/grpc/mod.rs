//! OTLP/gRPC: unary calls over HTTP/2, framed here ("gRPC over HTTP2"): five bytes before the message, a status behind it.

pub(super) mod code;
pub(super) mod details;

use super::{
    super::{percent, settings::Way},
    Reply, Signal, Transport,
    answer::{Answer, End, in_protobuf, partial_of},
    caller::{Caller, Version, gzipped},
    reply::Meaning,
};
use crate::Error;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE};
use std::time::Duration;

/// Calls of one method.
pub(super) struct Grpc {
    caller: Caller,
    signal: Signal,
    gzip: bool,
}

const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// "Compressed-Flag → 0 / 1", then "Message-Length → 4 byte unsigned integer (big endian)".
const PREFIX_BYTES: usize = 5;

impl Grpc {
    pub(super) fn open(way: &Way, signal: Signal) -> Result<Self, Error> {
        let mut fixed = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/grpc")),
            // "Used to detect incompatible proxies": they would lose the status.
            (TE, HeaderValue::from_static("trailers")),
            (TIMEOUT, timeout(way.timeout)),
        ]);
        if way.gzip {
            fixed.insert(ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(Self { caller: Caller::open(way, signal, Version::Http2, &fixed)?, signal, gzip: way.gzip })
    }

    fn reply(&self, answer: &Answer) -> Reply {
        match Status::of(answer) {
            Some(status) if status.code == code::OK => self.accepted(answer),
            Some(status) => self.failed(&status),
            None => self.without_status(answer),
        }
    }

    fn accepted(&self, answer: &Answer) -> Reply {
        let message = answer.body.get(PREFIX_BYTES..).filter(|_| answer.body[0] == 0);
        let partial = message.and_then(in_protobuf);
        partial.map_or(Reply::Accepted, |(rejected, message)| partial_of(rejected, &message, &self.caller.mask))
    }

    fn failed(&self, status: &Status) -> Reply {
        let meaning = code::meaning(status.code, &status.message, status.delay.is_some());
        let said = self.caller.mask.clean(status.message.as_bytes());
        let name = code::code_name(status.code);
        meaning.reply(if said.is_empty() { name.to_owned() } else { format!("{name}: {said}") }, status.delay)
    }

    /// What is between us and the server, or is no server of gRPC, has only HTTP's status.
    fn without_status(&self, answer: &Answer) -> Reply {
        match (&answer.end, Meaning::of_http(answer.status)) {
            // Only a success has a message, and a server sends one only behind a status of 200.
            (End::PastLimit, Meaning::Accepted) => answer.accepted(&self.caller.mask),
            // "The server disconnects without returning a response".
            (End::Cut(why), Meaning::Accepted) => {
                Reply::Retry { after: None, why: self.caller.mask.clean(format!("cut off: {why}").as_bytes()) }
            }
            (_, Meaning::Accepted) => Reply::Refused(format!("status {} without one of gRPC", answer.status)),
            (_, meaning) => meaning.reply(answer.sentence(&self.caller.mask), None),
        }
    }
}

impl Transport for Grpc {
    fn send(&mut self, signal: Signal, body: &[u8]) -> Reply {
        debug_assert_eq!(signal, self.signal, "a transport is for one signal");
        match self.caller.post(framed(body, self.gzip)) {
            Ok(answer) => self.reply(&answer),
            Err(why) => Reply::Retry { after: None, why },
        }
    }
}

/// "Length-Prefixed-Message".
fn framed(message: &[u8], gzip: bool) -> Vec<u8> {
    let compressed = gzip.then(|| gzipped(message));
    let message = compressed.as_deref().unwrap_or(message);
    let mut framed = Vec::with_capacity(PREFIX_BYTES + message.len());
    framed.push(u8::from(gzip));
    // Batches are of a few MiB.
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(message);
    framed
}

/// "TimeoutValue → positive integer as ASCII string of at most 8 digits", in milliseconds here.
fn timeout(limit: Duration) -> HeaderValue {
    let text = format!("{}m", limit.as_millis().clamp(1, 99_999_999));
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("10S"))
}

/// What the call came to, said by the server: in trailers, or in the head where there is nothing but it ("Trailers-Only").
struct Status {
    code: u32,
    message: String,
    delay: Option<Duration>,
}

impl Status {
    fn of(answer: &Answer) -> Option<Self> {
        let said = [answer.trailers.as_ref(), Some(&answer.head)];
        let said = said.into_iter().flatten().find(|headers| headers.contains_key("grpc-status"))?;
        let text = |name: &str| said.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let details = details::base64(text("grpc-status-details-bin").trim());
        Some(Self {
            // What is no number is a status that nobody knows.
            code: text("grpc-status").trim().parse().unwrap_or(2),
            message: percent::decoded(text("grpc-message")),
            delay: details.and_then(|status| details::retry_delay(&status)),
        })
    }
}
