//! Sessions: a cookie that stands for a token, so that a page needs not keep one.

use super::{
    super::{
        App,
        failure::{Failure, json},
    },
    Allowed,
    grant::Holder,
    no_access,
    presented::{NOT_FROM_A_PAGE, comes_from_a_page_of_ours, cookie_name, session_cookie},
    refusal::Refusal,
};
use crate::Timestamp;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// A session ends with its token, and after this at the latest.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// A session, whose secret stands in the cookie.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in super::super) struct Begun {
    /// How long it holds, unless it is ended before.
    expires_in_s: u64,
}

/// `POST /session`: a cookie for the token in the header. Not for a cookie: a session cannot make itself longer.
pub(in super::super) async fn begin(allowed: Allowed, uri: Uri, headers: HeaderMap) -> Result<Response, Response> {
    let (access, holder) = allowed.holder().ok_or_else(|| no_access().into_response())?;
    if holder.session.is_some() {
        return Err(Refusal::Nothing.into_response());
    }
    let life = holder.time_left().min(LONGEST);
    let session = Holder { until: Some(Timestamp::now().after(life)), ..holder.clone() };
    let too_many = || Failure::new(StatusCode::SERVICE_UNAVAILABLE, "too many sessions are open").into_response();
    let secret = access.sessions().issue(holder.grant.token, life, session).ok_or_else(too_many)?;
    let mut response = json(&Begun { expires_in_s: life.as_secs() });
    set_cookie(&mut response, cookie_name(&headers, &uri), &secret, life);
    Ok(response)
}

/// `DELETE /session`: the cookie is worth nothing any more, and the streams that it opened end.
pub(in super::super) async fn end(State(app): State<Arc<App>>, request: Request) -> Result<Response, Response> {
    let access = app.settings.access.as_ref().ok_or_else(|| no_access().into_response())?;
    let (parts, _) = request.into_parts();
    if let Some(secret) = session_cookie(&parts.headers, &parts.uri) {
        if !comes_from_a_page_of_ours(&parts) {
            return Err(Refusal::Cookie(NOT_FROM_A_PAGE).into_response());
        }
        access.end_session(&secret);
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, cookie_name(&parts.headers, &parts.uri), "", Duration::ZERO);
    Ok(response)
}

/// Not for scripts (`HttpOnly`), not from other sites (`SameSite=Strict`), not in the clear (`Secure`).
fn set_cookie(response: &mut Response, name: &str, secret: &str, life: Duration) {
    let secure = if name.starts_with("__Host-") { "; Secure" } else { "" };
    let text = format!("{name}={secret}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{secure}", life.as_secs());
    // Hex digits and what stands above: always a header.
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
}
