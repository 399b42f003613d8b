//! What a body is, by its headers: how it holds events, how it is packed, which key it came with.

use super::{
    limits::{BODY_BYTES, KEY_BYTES},
    split::Framing,
    stop::Stop,
};
use crate::Text;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// What the headers of a request say of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) framing: Framing,
    pub(super) gzip: bool,
    pub(super) key: Option<Text>,
}

/// What is accepted, as the answer to something else says it ("the Accept header field … to indicate which media types
/// would have been accepted", RFC 9110, 15.5.16; the same for `Accept-Encoding`, 12.5.3).
pub(super) const ACCEPT: &str = "application/x-ndjson, application/jsonl, application/json";
pub(super) const ACCEPT_ENCODING: &str = "gzip, identity";
/// draft-ietf-httpapi-idempotency-key-header.
pub(in crate::serve) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl Form {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Stop> {
        let form = Self { framing: framing(headers)?, gzip: gzip(headers)?, key: key(headers)? };
        match length(headers) {
            Some(length) if length > BODY_BYTES => {
                Err(Stop::too_large(format!("a body of {length} bytes: at most {BODY_BYTES} are accepted")))
            }
            _ => Ok(form),
        }
    }
}

/// None of these can be sent by a form or a script of a foreign page without asking first (WHATWG Fetch, "CORS-safelisted
/// request-header").
fn framing(headers: &HeaderMap) -> Result<Framing, Stop> {
    match media_type(headers).as_deref() {
        Some("application/x-ndjson" | "application/jsonl" | "application/x-jsonlines") => Ok(Framing::Lines),
        Some("application/json") => Ok(Framing::Document),
        _ => Err(Stop::unsupported(format!("Content-Type: {ACCEPT} are accepted"))),
    }
}

/// Without its parameters: JSON has no `charset` (RFC 8259, 11).
pub(in crate::serve) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let name = value.split(';').next().unwrap_or_default();
    Some(name.trim().to_ascii_lowercase())
}

/// "A recipient SHOULD consider "x-gzip" to be equivalent to "gzip"" (RFC 9110, 8.4.1.3).
fn gzip(headers: &HeaderMap) -> Result<bool, Stop> {
    let mut values = headers.get_all(header::CONTENT_ENCODING).iter().map(HeaderValue::to_str);
    let (value, second) = (values.next(), values.next());
    let name = value.map(|value| value.map(|name| name.trim().to_ascii_lowercase()));
    match (name, second) {
        (None, _) => Ok(false),
        (Some(Ok(name)), None) if name == "identity" => Ok(false),
        (Some(Ok(name)), None) if name == "gzip" || name == "x-gzip" => Ok(true),
        _ => Err(Stop::unsupported(format!("Content-Encoding: one of {ACCEPT_ENCODING} is accepted"))),
    }
}

fn key(headers: &HeaderMap) -> Result<Option<Text>, Stop> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (value, second) = (values.next(), values.next());
    let sound = |value: &HeaderValue| {
        let bytes = value.as_bytes();
        let printable = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
        (printable && (1..=KEY_BYTES).contains(&bytes.len())).then(|| value.to_str().ok().map(Text::from)).flatten()
    };
    match (value, second) {
        (None, _) => Ok(None),
        (Some(value), None) if sound(value).is_some() => Ok(sound(value)),
        _ => Err(Stop::malformed(format!("Idempotency-Key: one of 1 to {KEY_BYTES} printable ASCII characters"))),
    }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
