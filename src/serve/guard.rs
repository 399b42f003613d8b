//! Who may ask: programs and pages of this machine. Against DNS rebinding, and against pages of other origins.

use super::{App, Settings, failure::Failure};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, atomic::Ordering::Relaxed},
};

/// Lets a request through whose `Host` is this machine and which no foreign page sent. There are no CORS headers: a
/// page of another origin could not read an answer anyway.
pub(super) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = match check(&app.settings, request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(failure) => {
            app.counters.denied.fetch_add(1, Relaxed);
            failure.into_response()
        }
    };
    // What is JSON is not taken for a script or a page (WHATWG Fetch, "X-Content-Type-Options").
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn check(settings: &Settings, uri: &Uri, headers: &HeaderMap) -> Result<(), Failure> {
    // HTTP/2 has no Host header but an `:authority` (RFC 9113, section 8.3.1), which a router of the user's may bring.
    let authority = uri.authority().map(|authority| authority.as_str());
    let host = one(headers, &header::HOST)?.or(authority).ok_or_else(|| deny("a request without a Host header"))?;
    // Of a target in absolute form the authority counts (RFC 9112, 3.2.2).
    let asked = uri.authority().map_or(host, |authority| authority.as_str());
    if !accepts(settings, host) || !accepts(settings, asked) {
        return Err(deny("Host is not of this machine: localhost, 127.0.0.0/8 and [::1] are accepted"));
    }
    if one(headers, &SEC_FETCH_SITE)?.is_some_and(|site| site.eq_ignore_ascii_case("cross-site")) {
        return Err(deny("a page of another site asks: only pages of this server are accepted"));
    }
    match one(headers, &header::ORIGIN)? {
        Some(origin) if !is_origin_of(origin, asked) => {
            Err(deny("a page of another origin asks: only pages of this server are accepted"))
        }
        _ => Ok(()),
    }
}

/// Fetch Metadata Request Headers (W3C), 2.3.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

fn deny(why: &str) -> Failure {
    Failure::new(StatusCode::FORBIDDEN, why)
}

/// A header that may stand there once; twice would leave open which one is meant (RFC 9112, 3.2 for `Host`).
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Failure> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    match (first.map(HeaderValue::to_str), second) {
        (None, _) => Ok(None),
        (Some(Ok(text)), None) => Ok(Some(text)),
        _ => Err(deny(&format!("header {name} must stand there once, in ASCII"))),
    }
}

fn accepts(settings: &Settings, authority: &str) -> bool {
    let Some(host) = host_of(authority) else { return false };
    is_loopback(host) || settings.hosts.iter().any(|name| name.eq_ignore_ascii_case(host))
}

/// The host of `host`, `host:port`, `[v6]` or `[v6]:port`; none for anything else.
fn host_of(authority: &str) -> Option<&str> {
    let end = match authority.starts_with('[') {
        true => authority.find(']')? + 1,
        false => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(end);
    let port = rest.strip_prefix(':').unwrap_or(rest);
    (!host.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    let v6 = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match v6 {
        Some(text) => text.parse::<Ipv6Addr>().map(IpAddr::V6).ok(),
        None => host.parse().ok().filter(IpAddr::is_ipv4),
    };
    host.eq_ignore_ascii_case("localhost") || address.is_some_and(|address| address.to_canonical().is_loopback())
}

/// Whether an `Origin` (RFC 6454, 7) is that of the server that is asked. `null` is nobody's.
fn is_origin_of(origin: &str, authority: &str) -> bool {
    let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    rest.is_some_and(|rest| rest.eq_ignore_ascii_case(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_and_addresses_of_this_machine_are_hosts() {
        let settings = Settings::default().host("traces.example.org");
        let good =
            ["localhost", "LocalHost:80", "127.0.0.1", "127.1.2.3:7000", "[::1]", "[::1]:7", "traces.example.org:1"];
        let bad = [
            "",
            ":80",
            "example.org",
            "localhost.example.org",
            "localhost@example.org",
            "localhost:80@example.org",
            "0.0.0.0",
            "10.0.0.1",
            "[::]",
            "[::1",
            "::1",
            "127.1",
            "0x7f.0.0.1",
            "localhost:8o",
            "[localhost]",
            "[127.0.0.1]",
        ];
        assert_eq!(good.map(|host| accepts(&settings, host)), good.map(|_| true));
        assert_eq!(bad.map(|host| accepts(&settings, host)), bad.map(|_| false));
    }

    #[test]
    fn an_origin_is_the_servers_own_or_foreign() {
        assert!(is_origin_of("http://localhost:80", "LOCALHOST:80"));
        for foreign in [
            "null",
            "http://localhost:81",
            "http://localhost",
            "localhost:80",
            "file://",
            "http://localhost:80.example.org",
        ] {
            assert!(!is_origin_of(foreign, "localhost:80"), "{foreign}");
        }
    }
}
