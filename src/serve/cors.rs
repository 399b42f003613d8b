//! Pages of other origins: those that the settings list, and no others (WHATWG Fetch, 3.2).

use crate::Error;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

/// An origin as browsers write it: "scheme, "://", host, and the port where it is not the scheme's own" (WHATWG HTML,
/// 7.1.1). Compared byte by byte, so it must be written like that.
pub(super) fn origin(text: &str) -> Result<HeaderValue, Error> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._:[]".contains(&byte);
    let own_port = if text.starts_with("https") { ":443" } else { ":80" };
    match !host.is_empty() && host.bytes().all(allowed) && !host.ends_with(own_port) {
        true => Ok(HeaderValue::from_str(text).map_err(|_| not_an_origin())?),
        false => Err(not_an_origin()),
    }
}

fn not_an_origin() -> Error {
    Error::config(
        "origin of pages: one such as https://app.example.org or http://localhost:5173 is accepted, in small letters, \
         without a path, a slash at its end or the scheme's own port, and no *",
    )
}

/// What a page may send: a cursor, a token, and a body with its key.
const REQUEST_HEADERS: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Encoding, Content-Type, Idempotency-Key, Last-Event-ID");
/// What a page may read besides the body.
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static("Retry-After, WWW-Authenticate");
/// How long a browser may remember the answer: a list that is changed is soon known.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Whether a browser asks if its page may ask.
pub(super) fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer: what can be asked of this path. It needs no token, since browsers send none here.
pub(super) fn preflight(methods: HeaderValue) -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Lets the page of this origin read the answer.
pub(super) fn share(headers: &mut HeaderMap, origin: HeaderValue) {
    let mut set = |name: HeaderName, value| drop(headers.insert(name, value));
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    set(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    set(header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for good in ["https://app.example.org", "http://localhost:5173", "https://[2001:db8::1]:8443"] {
            assert_eq!(origin(good).expect(good), good);
        }
        let bad = [
            "*",
            "null",
            "",
            "https://",
            "app.example.org",
            "https://app.example.org/",
            "https://App.example.org",
            "https://app.example.org:443",
            "http://localhost:80",
            "https://*.example.org",
            "file:///x",
            "https://a b",
            "https://user@example.org",
            "https://app.example.org?x",
        ];
        for bad in bad {
            assert!(origin(bad).expect_err(bad).to_string().contains("https://app.example.org"), "{bad}");
        }
    }
}
