//! What a failed call says beside its code, in `grpc-status-details-bin`: how long to wait.

use super::super::read::{Fields, Value, bytes, integer};
use std::time::Duration;

/// The delay of the first `google.rpc.RetryInfo` among the details of a `google.rpc.Status`.
pub(in super::super) fn retry_delay(status: &[u8]) -> Option<Duration> {
    let details = Fields(status).map_while(Result::ok).filter(|(number, _)| *number == 3);
    details.filter_map(|(_, value)| if let Value::Bytes(any) = value { delay_of(any) } else { None }).next()
}

fn delay_of(any: &[u8]) -> Option<Duration> {
    let kind = bytes(any, 1).ok()??;
    // "The last segment of the URL's path must represent the fully qualified name of the type".
    if kind.rsplit(|byte| *byte == b'/').next()? != b"google.rpc.RetryInfo" {
        return None;
    }
    let info = bytes(any, 2).ok()?.unwrap_or_default();
    let delay = bytes(info, 1).ok()?.unwrap_or_default();
    let (seconds, nanos) = (integer(delay, 1).ok()?, integer(delay, 2).ok()?);
    // A negative delay is over.
    let nanos = u32::try_from(nanos).unwrap_or(0).min(999_999_999);
    Some(Duration::new(u64::try_from(seconds).unwrap_or(0), nanos))
}

/// Base64 (RFC 4648, 4) as gRPC has it in `-bin` headers: "accept padded and un-padded values".
pub(in super::super) fn base64(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::with_capacity(text.len() / 4 * 3), 0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        bits = bits << 6 | u32::from(six_bits(digit)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    Some(bytes)
}

const fn six_bits(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}
