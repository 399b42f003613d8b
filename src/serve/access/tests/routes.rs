//! Routes × what is shown × how it is shown.

use super::{
    super::{
        super::{
            Settings,
            routes::{Answer, Method, Needs, ROUTES, Route},
        },
        Access,
        grant::Holder,
        presented::Presented,
        ticket,
    },
    ORIGIN, Served, ask, claims, served, signed, unix_seconds,
};
use crate::{
    ExecutionId, StreamEvent,
    event::{ExecutionStart, StepEnd},
};
use axum::{body::to_bytes, http::header};
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// What a route answers when everything is well.
struct Row {
    method: Method,
    path: &'static str,
    uri: &'static str,
    /// To whoever may.
    good: u16,
    /// To whoever may, of another tenant: as if it were not there.
    foreign: u16,
    /// By cookie, where that is another matter.
    by_cookie: Option<u16>,
}

const fn row(method: Method, path: &'static str, uri: &'static str, good: u16, foreign: u16) -> Row {
    Row { method, path, uri, good, foreign, by_cookie: None }
}

/// `run` is an execution of the tenant `acme`, and at work.
const ROWS: &[Row] = &[
    row(Method::Get, "/stream", "/stream", 200, 200),
    row(Method::Get, "/executions/{id}/stream", "/executions/run/stream", 200, 200),
    row(Method::Get, "/executions", "/executions", 200, 200),
    row(Method::Get, "/executions/{id}", "/executions/run", 200, 404),
    row(Method::Get, "/executions/{id}/events", "/executions/run/events", 200, 404),
    row(Method::Get, "/sessions/{id}/stream", "/sessions/s/stream", 200, 200),
    row(Method::Get, "/tenants/{id}/stream", "/tenants/acme/stream", 200, 403),
    row(Method::Get, "/executions/{id}/tree", "/executions/run/tree", 200, 404),
    row(Method::Get, "/events", "/events", 200, 200),
    row(Method::Get, "/feed", "/feed", 200, 200),
    row(Method::Get, "/sessions", "/sessions", 200, 200),
    row(Method::Get, "/sessions/{id}", "/sessions/s", 200, 404),
    row(Method::Get, "/sessions/{id}/tasks", "/sessions/s/tasks", 200, 404),
    row(Method::Get, "/tasks", "/tasks", 200, 200),
    row(Method::Get, "/openapi.json", "/openapi.json", 200, 200),
    // Without a body and its type; that they take one is for their own tests.
    row(Method::Post, "/events", "/events", 415, 415),
    row(Method::Post, "/executions/{id}/events", "/executions/run/events", 415, 415),
    row(Method::Post, "/executions/{id}/pause", "/executions/run/pause", 415, 415),
    row(Method::Post, "/executions/{id}/resume", "/executions/run/resume", 415, 415),
    row(Method::Post, "/executions/{id}/cancel", "/executions/run/cancel", 415, 415),
    row(Method::Get, "/executions/{id}/permissions", "/executions/run/permissions", 200, 404),
    row(Method::Post, "/executions/{id}/permissions/{permission_id}", "/executions/run/permissions/perm_1", 415, 415),
    row(Method::Get, "/health", "/health", 200, 200),
    row(Method::Get, "/stats", "/stats", 200, 200),
    row(Method::Post, "/tickets", "/tickets", 200, 200),
    // A session cannot make itself longer.
    Row { by_cookie: Some(401), ..row(Method::Post, "/session", "/session", 200, 200) },
    row(Method::Delete, "/session", "/session", 204, 204),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Shown {
    Nothing,
    Malformed,
    Expired,
    WrongAudience,
    WrongTenant,
    Read,
    Ingest,
    Admin,
}

const SHOWN: [Shown; 8] = [
    Shown::Nothing,
    Shown::Malformed,
    Shown::Expired,
    Shown::WrongAudience,
    Shown::WrongTenant,
    Shown::Read,
    Shown::Ingest,
    Shown::Admin,
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Header,
    Cookie,
    Ticket,
    Query,
}

const WAYS: [Way; 4] = [Way::Header, Way::Cookie, Way::Ticket, Way::Query];

impl Row {
    fn route(&self) -> &'static Route {
        let mine = |route: &&Route| (route.method, route.path) == (self.method, self.path);
        ROUTES.iter().find(mine).expect(self.path)
    }

    fn method(&self) -> &'static str {
        match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        }
    }

    fn expected(&self, shown: Shown, way: Way) -> u16 {
        let needs = self.route().needs;
        match (shown, way) {
            (Shown::Nothing, _) => {}
            (_, Way::Query) => return 400,
            (_, Way::Ticket) if !matches!(self.route().answer, Answer::Stream) => return 400,
            _ => {}
        }
        let good = if way == Way::Cookie { self.by_cookie.unwrap_or(self.good) } else { self.good };
        match (needs, shown) {
            (Needs::Nothing, _) => good,
            (_, Shown::Nothing | Shown::Malformed | Shown::Expired | Shown::WrongAudience) => 401,
            (Needs::Read, Shown::WrongTenant) if self.foreign != self.good => self.foreign,
            (_, Shown::Admin) | (Needs::Read, Shown::Read | Shown::WrongTenant) | (Needs::Ingest, Shown::Ingest) => {
                good
            }
            _ => 403,
        }
    }
}

impl Shown {
    fn token(self) -> Option<String> {
        Some(match self {
            Self::Nothing => return None,
            Self::Malformed => "no token!".into(),
            Self::Expired => {
                let mut expired = claims("admin", Some("acme"));
                expired["exp"] = json!(unix_seconds() - 1);
                signed(&expired)
            }
            Self::WrongAudience => {
                let mut foreign = claims("admin", Some("acme"));
                foreign["aud"] = json!("somebody else");
                signed(&foreign)
            }
            Self::WrongTenant => signed(&claims("read", Some("other"))),
            Self::Read => signed(&claims("read", Some("acme"))),
            Self::Ingest => signed(&claims("openid ingest", Some("acme"))),
            Self::Admin => signed(&claims("admin", None)),
        })
    }

    /// A session or ticket that was made with the token while it held; else what somebody may try in its place.
    fn made(self, access: &Access, make: impl Fn(Holder) -> Option<String>) -> Option<String> {
        let token = self.token()?;
        let valid = if self == Self::Expired { Self::Admin.token()? } else { token.clone() };
        let Ok(mut holder) = access.holder(Presented::Bearer(valid), &[]) else { return Some(token) };
        if self == Self::Expired {
            holder.until = Some(crate::Timestamp::from_unix_nanos(1));
        }
        make(holder)
    }
}

fn query_value(text: &str) -> String {
    text.replace(' ', "%20").replace('!', "%21")
}

async fn status(server: &Served, row: &Row, shown: Shown, way: Way) -> u16 {
    let (mut uri, mut headers) = (row.uri.to_owned(), Vec::new());
    let sessions = |holder: Holder| server.access.sessions().issue(holder.grant.token, Duration::from_secs(60), holder);
    let secret = match way {
        Way::Header | Way::Query => shown.token(),
        Way::Cookie => shown.made(&server.access, sessions),
        Way::Ticket => {
            shown.made(&server.access, |holder| ticket::issue_for(&server.access, ticket::Ticket::any(holder)))
        }
    };
    if let Some(secret) = &secret {
        match way {
            Way::Header => headers.push(("Authorization", format!("Bearer {secret}"))),
            Way::Cookie => headers.extend([("Cookie", format!("spanwright={secret}")), ("Origin", ORIGIN.to_owned())]),
            Way::Ticket => uri = format!("{uri}?ticket={}", query_value(secret)),
            Way::Query => uri = format!("{uri}?access_token={}", query_value(secret)),
        }
    }
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let response = ask(&server.router, row.method(), &uri, &headers).await;
    let (status, challenged) = (response.status(), response.headers().contains_key(header::WWW_AUTHENTICATE));
    assert_eq!(status == 401, challenged && status != 403 && status != 400, "RFC 9110, 15.5.2");
    if !status.is_success() {
        let body = to_bytes(response.into_body(), 1 << 20).await.expect("body");
        let text = String::from_utf8(body.to_vec()).expect("UTF-8");
        assert!(secret.is_none_or(|secret| !text.contains(&secret)), "a secret is said again: {text}");
    }
    status.as_u16()
}

#[test]
fn every_route_has_a_row() {
    let name = |method: Method, path: &str| format!("{} {path}", method.as_str());
    let routes: BTreeSet<_> = ROUTES.iter().map(|route| name(route.method, route.path)).collect();
    let rows: BTreeSet<_> = ROWS.iter().map(|row| name(row.method, row.path)).collect();
    assert_eq!(routes, rows);
}

#[tokio::test]
async fn every_route_lets_in_whom_it_needs_and_nobody_else_however_it_is_asked() {
    let server = served(Settings::default());
    let id = ExecutionId::parse("run").expect("id");
    server
        .recorder
        .emit(StreamEvent::new(ExecutionStart::new().tenant_id("acme").session_id("s")).of_execution(id.clone()));
    server.recorder.emit(StreamEvent::new(StepEnd::new(1_u64)).of_execution(id));
    server.recorder.flush().await.expect("flush");
    let mut wrong = Vec::new();
    for (row, shown, way) in cells() {
        let (found, wanted) = (status(&server, row, shown, way).await, row.expected(shown, way));
        if found != wanted {
            wrong.push(format!("{} {} {shown:?} {way:?}: {found}, not {wanted}", row.method(), row.uri));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn cells() -> impl Iterator<Item = (&'static Row, Shown, Way)> {
    let ways = |row, shown| WAYS.into_iter().map(move |way| (row, shown, way));
    ROWS.iter().flat_map(move |row| SHOWN.into_iter().flat_map(move |shown| ways(row, shown)))
}

#[tokio::test]
async fn where_nobody_is_asked_for_a_token_nothing_is_looked_at() {
    let recorder = crate::Recorder::builder().start().expect("start");
    let router = super::router(super::App::new(recorder, Settings::default()));
    let bearer = [("Authorization", "Bearer what-is-this-for")];
    assert_eq!(ask(&router, "GET", "/stats?token=x", &bearer).await.status(), 200);
    for (method, uri) in [("POST", "/tickets"), ("POST", "/session"), ("DELETE", "/session")] {
        assert_eq!(ask(&router, method, uri, &[]).await.status(), 501, "{uri}");
    }
}

#[tokio::test]
async fn what_is_refused_is_counted_and_told_as_the_standard_says() {
    let server = served(Settings::default());
    let challenge = |headers: Vec<(&'static str, String)>| {
        let server = &server;
        async move {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let response = ask(&server.router, "GET", "/stats", &headers).await;
            let challenge = response.headers().get(header::WWW_AUTHENTICATE).expect("challenge");
            (response.status().as_u16(), challenge.to_str().expect("ASCII").to_owned())
        }
    };
    let realm = "Bearer realm=\"spanwright\"";
    let bearer = |token: &str| ("Authorization", format!("Bearer {token}"));
    let reader = signed(&claims("read", None));
    assert_eq!(challenge(vec![]).await, (401, realm.into()));
    assert_eq!(challenge(vec![("Authorization", "Basic eDp5".into())]).await, (401, realm.into()));
    assert_eq!(challenge(vec![bearer("x")]).await, (401, format!("{realm}, error=\"invalid_token\"")));
    let twice = vec![bearer(&reader), bearer(&reader)];
    assert_eq!(challenge(twice).await, (400, format!("{realm}, error=\"invalid_request\"")));
    let weak = (403, format!("{realm}, error=\"insufficient_scope\", scope=\"admin\""));
    assert_eq!(challenge(vec![bearer(&reader)]).await, weak);
    let counters = server.app.counters.to_json();
    assert_eq!((&counters["unauthorized"], &counters["forbidden"]), (&json!(3), &json!(2)));
}

/// One use; for one path where it says so; and nothing that a shared cache or a log could bring back.
#[tokio::test]
async fn a_ticket_opens_one_stream_once() {
    let server = served(Settings::default());
    let holder = server.access.holder(Presented::Bearer(signed(&claims("read", None))), &[]).expect("holder");
    let ticket = || ticket::issue_for(&server.access, ticket::Ticket::any(holder.clone())).expect("ticket");
    let uri = format!("/stream?ticket={}", ticket());
    assert_eq!(ask(&server.router, "GET", &uri, &[]).await.status(), 200);
    assert_eq!(ask(&server.router, "GET", &uri, &[]).await.status(), 401);
    let twice = format!("/stream?ticket={}&ticket={}", ticket(), ticket());
    assert_eq!(ask(&server.router, "GET", &twice, &[]).await.status(), 400);
    assert_eq!(ask(&server.router, "HEAD", &format!("/stream?ticket={}", ticket()), &[]).await.status(), 400);
    let racing = Arc::new(format!("/stream?ticket={}", ticket()));
    let asked = (0..32).map(|_| {
        let (router, uri) = (server.router.clone(), racing.clone());
        tokio::spawn(async move { ask(&router, "GET", &uri, &[]).await.status().as_u16() })
    });
    let mut statuses = Vec::new();
    for one in asked.collect::<Vec<_>>() {
        statuses.push(one.await.expect("asked"));
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
}
