//! From where may be asked: programs of this machine, its own pages and those listed. Against DNS rebinding, and against
//! pages of other origins.

use super::{App, Settings, cors, failure::Failure};
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

/// What stands before a path.
#[derive(Clone)]
pub(super) struct Guarded {
    app: Arc<App>,
    /// What can be asked of the path, as a preflight is told.
    methods: HeaderValue,
}

impl Guarded {
    pub(super) fn new(app: Arc<App>, methods: &str) -> Self {
        // Names of methods are always a header.
        let methods = HeaderValue::from_str(methods).unwrap_or(HeaderValue::from_static("GET"));
        Self { app, methods }
    }
}

/// Lets a request through whose `Host` is this server and which no foreign page sent. Only pages of the origins in the
/// settings are told that they may read the answer.
pub(super) async fn guard(State(guarded): State<Guarded>, request: Request, next: Next) -> Response {
    let settings = &guarded.app.settings;
    let mut response = match check(settings, request.uri(), request.headers()) {
        Ok(None) => next.run(request).await,
        Ok(Some(origin)) => {
            let mut response = match cors::is_preflight(&request) {
                true => cors::preflight(guarded.methods),
                false => next.run(request).await,
            };
            cors::share(response.headers_mut(), origin);
            response
        }
        Err(failure) => {
            guarded.app.counters.denied.fetch_add(1, Relaxed);
            failure.into_response()
        }
    };
    let headers = response.headers_mut();
    // What is JSON is not taken for a script or a page (WHATWG Fetch, "X-Content-Type-Options").
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !settings.origins.is_empty() {
        // Also of an answer without CORS headers: a cache must not give it to a page that may read (WHATWG Fetch, 3.2.5).
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    response
}

/// The origin of the page that asks, where it is another one and listed.
fn check(settings: &Settings, uri: &Uri, headers: &HeaderMap) -> Result<Option<HeaderValue>, Failure> {
    // HTTP/2 has no Host header but an `:authority` (RFC 9113, section 8.3.1), which a router of the user's may bring.
    let asked = authority(headers, uri).ok_or_else(|| deny("a request without a Host header"))?;
    let host = one(headers, &header::HOST)?.unwrap_or(asked);
    if !accepts(settings, host) || !accepts(settings, asked) {
        return Err(deny(
            "Host is not of this server: localhost, 127.0.0.0/8, [::1] and the names of Settings::host are accepted",
        ));
    }
    let site = one(headers, &SEC_FETCH_SITE)?;
    match one(headers, &header::ORIGIN)? {
        Some(origin) if is_origin_of(origin, asked) && !is_cross_site(site) => Ok(None),
        Some(origin) => match settings.origins.iter().find(|listed| *listed == origin) {
            Some(listed) => Ok(Some(listed.clone())),
            None => Err(deny(
                "a page of another origin asks: only those of this server and of Settings::cors_origin are accepted",
            )),
        },
        None if is_cross_site(site) => Err(deny("a page of another site asks: only pages of this server are accepted")),
        None => Ok(None),
    }
}

fn is_cross_site(site: Option<&str>) -> bool {
    site.is_some_and(|site| site.eq_ignore_ascii_case("cross-site"))
}

/// The host and port that are asked. Of a target in absolute form its own counts (RFC 9112, 3.2.2).
pub(super) fn authority<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let host = || headers.get(header::HOST)?.to_str().ok();
    uri.authority().map(|authority| authority.as_str()).or_else(host)
}

/// Fetch Metadata Request Headers (W3C), 2.3.
pub(super) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

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
    is_loopback(host)
        || settings.hosts.iter().any(|name| name.eq_ignore_ascii_case(host))
        || settings.access.is_some() && address(host).is_some()
}

pub(super) fn is_loopback_authority(authority: &str) -> bool {
    host_of(authority).is_some_and(is_loopback)
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
    host.eq_ignore_ascii_case("localhost") || address(host).is_some_and(|address| address.to_canonical().is_loopback())
}

fn address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(text) => text.parse::<Ipv6Addr>().map(IpAddr::V6).ok(),
        None => host.parse().ok().filter(IpAddr::is_ipv4),
    }
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
