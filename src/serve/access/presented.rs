//! What a request shows to prove who sent it: a header, a ticket, or a cookie.

use super::{
    super::guard::{self, SEC_FETCH_SITE},
    refusal::Refusal,
    token::is_token,
};
use axum::{
    extract::Query,
    http::{HeaderMap, HeaderValue, Uri, header, request::Parts},
};

/// What a request shows. One thing counts: "Clients MUST NOT use more than one method to transmit the token in each
/// request" (RFC 6750, 2). A cookie is sent by the browser on its own, so it gives way to the others.
#[derive(PartialEq, Eq)]
pub(super) enum Presented {
    Nothing,
    Bearer(String),
    Ticket(String),
    Cookie(String),
}

/// Names under which secrets have been put into URLs. URLs stand in logs, histories and `Referer`.
const SECRETS_IN_URLS: &[&str] =
    &["token", "access_token", "id_token", "api_key", "apikey", "key", "jwt", "bearer", "authorization"];

impl Presented {
    /// `ticket` is what stands in the query.
    pub(super) fn by(parts: &Parts, ticket: Option<String>) -> Result<Self, Refusal> {
        match (bearer(&parts.headers)?, ticket) {
            (Some(_), Some(_)) => Err(Refusal::Form("a token and a ticket at once: one of them is accepted")),
            (Some(token), None) => Ok(Self::Bearer(token)),
            (None, Some(ticket)) => Ok(Self::Ticket(ticket)),
            (None, None) => Ok(cookie(parts)?.map_or(Self::Nothing, Self::Cookie)),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    if second.is_some() {
        return Err(Refusal::Form("the header Authorization must stand there once"));
    }
    let text = value.to_str().map_err(|_| Refusal::Token(NOT_A_TOKEN))?;
    // RFC 9110, 11.1: the scheme is case-insensitive. Another one proves nothing to us.
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::Nothing);
    }
    let token = token.trim_matches(' ');
    is_token(token).then(|| Some(token.to_owned())).ok_or(Refusal::Token(NOT_A_TOKEN))
}

const NOT_A_TOKEN: &str = "the token is malformed: letters, digits and -._~+/= are accepted, 8192 at most";

/// The query's ticket; and a sentence for those who would put a token there.
pub(super) fn ticket(uri: &Uri) -> Result<Option<String>, Refusal> {
    let query: Query<Vec<(String, String)>> = Query::try_from_uri(uri)
        .map_err(|_| Refusal::Form("query: name=value pairs, percent-encoded, are accepted"))?;
    if query.iter().any(|(name, _)| SECRETS_IN_URLS.iter().any(|secret| name.eq_ignore_ascii_case(secret))) {
        return Err(Refusal::Form(
            "no token is accepted in a URL, since URLs are logged: send the header Authorization: Bearer …, or a ticket \
             of POST /tickets",
        ));
    }
    let mut tickets = query.0.into_iter().filter(|(name, _)| name == "ticket").map(|(_, ticket)| ticket);
    let ticket = tickets.next();
    if tickets.next().is_some() {
        return Err(Refusal::Form("a ticket must stand in the query once"));
    }
    Ok(ticket)
}

/// The cookie's name for this request. `__Host-` (RFC 6265bis, 4.1.3.2) holds it to this host, and needs `Secure`, with
/// which a browser keeps nothing from http://. On this machine's own loopback there is nothing to listen to on the way.
pub(super) fn cookie_name(headers: &HeaderMap, uri: &Uri) -> &'static str {
    let authority = guard::authority(headers, uri).unwrap_or_default();
    if guard::is_loopback_authority(authority) { "spanwright" } else { "__Host-spanwright" }
}

/// The session's secret; twice would leave open which one is meant, so then it is none that anybody has.
pub(super) fn session_cookie(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let name = cookie_name(headers, uri);
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    let first = values.next()?;
    Some(if values.next().is_some() { String::new() } else { first })
}

fn cookie(parts: &Parts) -> Result<Option<String>, Refusal> {
    let Some(secret) = session_cookie(&parts.headers, &parts.uri) else { return Ok(None) };
    if comes_from_a_page_of_ours(parts) { Ok(Some(secret)) } else { Err(Refusal::Cookie(NOT_FROM_A_PAGE)) }
}

pub(super) const NOT_FROM_A_PAGE: &str = "a cookie counts only with an Origin that is accepted, or where nothing is changed with Sec-Fetch-Site: same-origin";

/// A browser adds a cookie to whatever a page makes it send. The guard has let nobody through whose `Origin` is foreign;
/// so one that is there is ours. Without, only what the browser calls same-origin, and what changes nothing.
pub(super) fn comes_from_a_page_of_ours(parts: &Parts) -> bool {
    let same_origin = |site: &HeaderValue| site.as_bytes().eq_ignore_ascii_case(b"same-origin");
    parts.headers.contains_key(header::ORIGIN)
        || parts.method.is_safe() && parts.headers.get(SEC_FETCH_SITE).is_some_and(same_origin)
}
