//! The codes of gRPC and what they mean for a request: the OTLP specification's table ("Failures", OTLP/gRPC).

use super::super::reply::Meaning;

/// A code of gRPC, the specification's table ("Failures", OTLP/gRPC), with what servers say in `message`.
pub(in super::super) fn meaning(code: u32, message: &str, has_retry_info: bool) -> Meaning {
    match code {
        OK => Meaning::Accepted,
        // "The client SHOULD interpret RESOURCE_EXHAUSTED code as retryable only if the server signals that the
        // recovery is possible" by RetryInfo. Without it, servers say so of messages that are too large for them.
        RESOURCE_EXHAUSTED if has_retry_info => Meaning::Retry,
        RESOURCE_EXHAUSTED => Meaning::TooLarge,
        // Retryable by the table, but tonic's servers (rotel, otelite) say it of messages past their limit.
        OUT_OF_RANGE if !has_retry_info && speaks_of_size(message) => Meaning::TooLarge,
        CANCELLED | DEADLINE_EXCEEDED | ABORTED | OUT_OF_RANGE | UNAVAILABLE | DATA_LOSS => Meaning::Retry,
        _ => Meaning::Refused,
    }
}

pub(in super::super) const OK: u32 = 0;
const CANCELLED: u32 = 1;
const DEADLINE_EXCEEDED: u32 = 4;
const RESOURCE_EXHAUSTED: u32 = 8;
const ABORTED: u32 = 10;
const OUT_OF_RANGE: u32 = 11;
const UNAVAILABLE: u32 = 14;
const DATA_LOSS: u32 = 15;

/// The names of gRPC's codes, by number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// How a code is called; one that gRPC does not have is UNKNOWN ("Status codes and their use in gRPC").
pub(in super::super) fn code_name(code: u32) -> &'static str {
    usize::try_from(code).ok().and_then(|code| CODES.get(code)).unwrap_or(&CODES[2])
}

/// "Error, decoded message length too large: found 5242880 bytes, the limit is: 4194304 bytes" and its like.
fn speaks_of_size(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("message") && ["larger", "too large", "exceed", "limit"].iter().any(|word| message.contains(word))
}
