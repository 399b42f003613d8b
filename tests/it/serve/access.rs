//! Tokens, tickets and cookies over real sockets: what a client and an operator see.

use super::{emit_numbers, numbers, settle};
use crate::http::{Reply, get, get_with, send};
use spanwright::{
    EventEmitter, Recorder, Timestamp,
    event::ExecutionEnd,
    log::MemoryLog,
    serve::{Access, Right, Server, ServerHandle, Settings, Token},
};
use std::{net::SocketAddr, thread};

const READER: &str = "the-token-of-the-reader";
const SENDER: &str = "the-token-of-the-sender";
const OPERATOR: &str = "the-token-of-the-operator";

fn access() -> Access {
    let tokens = [(READER, Right::Read), (SENDER, Right::Ingest), (OPERATOR, Right::Admin)];
    let all = tokens.into_iter().fold(Access::builder(), |all, (secret, right)| all.token(Token::new(secret, [right])));
    all.build().expect("access")
}

fn served(settings: Settings) -> (Recorder, ServerHandle, EventEmitter) {
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
    let server = Server::spawn_with(recorder.clone(), "127.0.0.1:0", settings).expect("serve");
    let emitter = recorder.emitter();
    (recorder, server, emitter)
}

fn get_as(addr: SocketAddr, token: &str, path: &str) -> Reply {
    get_with(addr, path, &[("Authorization", &format!("Bearer {token}"))])
}

fn post(addr: SocketAddr, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut request = format!("POST {path} HTTP/1.1\r\nContent-Length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| *name == "Host") {
        request += &format!("Host: {addr}\r\n");
    }
    headers.iter().for_each(|(name, value)| request += &format!("{name}: {value}\r\n"));
    send(addr, &format!("{request}\r\n{body}"))
}

fn ticket(addr: SocketAddr, token: &str, body: &str) -> String {
    let answer = post(addr, "/tickets", &[("Authorization", &format!("Bearer {token}"))], body);
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    let answer = answer.json();
    assert_eq!(answer["expires_in_s"], 30);
    answer["ticket"].as_str().expect("ticket").to_owned()
}

#[test]
fn another_address_than_loopback_is_listened_on_only_where_tokens_are_asked_for() {
    let recorder = Recorder::builder().start().expect("start");
    let open = Server::spawn_with(recorder.clone(), "0.0.0.0:0", Settings::default()).expect_err("open");
    assert!(open.is_config() && open.to_string().contains("Settings::access"), "{open}");
    let server = Server::spawn_with(recorder, "0.0.0.0:0", Settings::default().access(access())).expect("serve");
    let addr = SocketAddr::from(([127, 0, 0, 1], server.addr().port()));
    assert_eq!(get(addr, "/stats").status, 401);
    assert_eq!(get_as(addr, OPERATOR, "/stats").status, 200);
    let elsewhere = [("Host", "192.0.2.7:80"), ("Authorization", "Bearer the-token-of-the-operator")];
    assert_eq!(get_with(addr, "/stats", &elsewhere).status, 200, "no name can be rebound to an address");
    assert_eq!(get_with(addr, "/stats", &[("Host", "evil.example"), elsewhere[1]]).status, 403);
}

#[tokio::test]
async fn settings_that_come_later_do_not_open_a_server_that_was_bound_with_access() {
    let settings = Settings::default().access(access());
    let server = Server::bind_with("0.0.0.0:0", settings).await.expect("bind").with(Settings::default());
    let addr = SocketAddr::from(([127, 0, 0, 1], server.local_addr().port()));
    let recorder = Recorder::builder().start().expect("start");
    let serving = tokio::spawn(server.serve(recorder));
    let asked = tokio::task::spawn_blocking(move || get(addr, "/stats").status);
    assert_eq!(asked.await.expect("asked"), 401);
    serving.abort();
}

#[test]
fn a_token_gives_what_it_says_and_a_stream_goes_on_with_another_one() {
    let (recorder, server, emitter) = served(Settings::default().access(access()));
    let path = format!("/executions/{}/stream", emitter.execution_id());
    assert_eq!(get(server.addr(), &path).status, 401);
    for (token, stream, stats) in [(READER, 200, 403), (SENDER, 403, 403), (OPERATOR, 200, 200)] {
        assert_eq!(get_as(server.addr(), token, &path).status, stream, "{token}");
        assert_eq!(get_as(server.addr(), token, "/stats").status, stats, "{token}");
    }
    assert_eq!(get(server.addr(), "/health").status, 200, "says nothing of anybody's data");
    emit_numbers(&emitter, 0..3);
    let mut stream = get_as(server.addr(), READER, &path);
    let seen: Vec<_> = std::iter::from_fn(|| stream.event()).take(3).collect();
    let after = seen.last().and_then(|frame| frame.id()).expect("id").to_string();
    emit_numbers(&emitter, 3..5);
    emitter.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    let headers = [("Authorization", "Bearer the-token-of-the-operator"), ("Last-Event-ID", &after)];
    assert_eq!(numbers(&get_with(server.addr(), &path, &headers).events()), [2, 3, 4]);
}

#[test]
fn a_stream_ends_at_once_when_its_token_is_revoked_and_the_token_is_refused_then() {
    let access = access();
    let (_recorder, server, _emitter) = served(Settings::default().access(access.clone()));
    let mut stream = get_as(server.addr(), READER, "/stream");
    let mut other = get_as(server.addr(), OPERATOR, "/stream");
    for stream in [&mut stream, &mut other] {
        assert_eq!(stream.event().expect("connected").event(), "data-connected");
    }
    access.revoke(READER).expect("revoke");
    assert!(stream.frame().is_none(), "the end of a whole body");
    assert_eq!(get_as(server.addr(), READER, "/stream").status, 401);
    assert_eq!(get_as(server.addr(), OPERATOR, "/stream").status, 200);
    drop(other);
}

#[test]
fn a_page_opens_a_stream_with_a_ticket_once_and_only_where_it_is_for() {
    let (_recorder, server, emitter) = served(Settings::default().access(access()));
    let addr = server.addr();
    let path = format!("/executions/{}/stream", emitter.execution_id());
    let any = ticket(addr, READER, "");
    assert_eq!(get(addr, &format!("{path}?ticket={any}")).status, 200);
    assert_eq!(get(addr, &format!("{path}?ticket={any}")).status, 401, "once");
    let bound = || ticket(addr, READER, &format!("{{\"path\": \"{path}\"}}"));
    assert_eq!(get(addr, &format!("{path}?mode=summary&ticket={}", bound())).status, 200);
    assert_eq!(get(addr, &format!("/stream?ticket={}", bound())).status, 401);
    assert_eq!(get(addr, &format!("/executions?ticket={}", bound())).status, 400, "a stream only");
    let misspelt = "{\"paht\": \"/stream\"}";
    for wrong in [
        "[]",
        misspelt,
        "{\"path\": \"/executions\"}",
        "{\"path\": 7}",
        "{\"path\": \"stream\"}",
        "{\"path\": \"/stream?x\"}",
        &"x".repeat(5_000),
    ] {
        let refused = post(addr, "/tickets", &[("Authorization", "Bearer the-token-of-the-reader")], wrong);
        assert_eq!(refused.status, 400, "{wrong}");
    }
    assert_eq!(post(addr, "/tickets", &[], "").status, 401);
    assert_eq!(post(addr, "/tickets", &[("Authorization", "Bearer the-token-of-the-sender")], "").status, 403);
}

#[tokio::test]
async fn a_ticket_names_the_path_as_the_client_sees_it_where_the_router_is_nested() {
    let recorder = Recorder::builder().start().expect("start");
    let router = spanwright::serve::router_with(recorder, Settings::default().access(access()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let addr = listener.local_addr().expect("addr");
    let app = axum::Router::new().nest("/trace", router);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let asked = tokio::task::spawn_blocking(move || {
        let bearer = [("Authorization", "Bearer the-token-of-the-reader")];
        let ticket =
            |body: &str| post(addr, "/trace/tickets", &bearer, body).json()["ticket"].as_str().map(str::to_owned);
        let ticket = |body: &str| ticket(body).expect("ticket");
        for path in ["/trace/executions/x/stream", "/executions/x/stream"] {
            let ticket = ticket(&format!("{{\"path\": \"{path}\"}}"));
            assert_eq!(get(addr, &format!("/trace/executions/x/stream?ticket={ticket}")).status, 200, "{path}");
        }
        let other = ticket("{\"path\": \"/trace/executions/x/stream\"}");
        assert_eq!(get(addr, &format!("/trace/stream?ticket={other}")).status, 401);
    });
    asked.await.expect("client");
}

#[test]
fn a_page_signs_in_once_and_its_cookie_opens_streams_until_it_signs_out() {
    let (_recorder, server, _emitter) = served(Settings::default().access(access()).host("traces.example.org"));
    let addr = server.addr();
    let origin = format!("http://{addr}");
    let bearer = ("Authorization", "Bearer the-token-of-the-reader");
    let session = post(addr, "/session", &[bearer, ("Origin", &origin)], "");
    assert_eq!(session.status, 200);
    let set = session.header("set-cookie").expect("cookie").to_owned();
    let (pair, rest) = set.split_once("; ").expect("attributes");
    assert_eq!(rest, "Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
    let page = [("Cookie", pair), ("Origin", origin.as_str())];
    let mut stream = get_with(addr, "/stream", &page);
    assert_eq!(stream.event().expect("connected").event(), "data-connected");
    let same = [("Cookie", pair), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(get_with(addr, "/executions", &same).status, 200);
    assert_eq!(get_with(addr, "/executions", &same[..1]).status, 403, "nobody says which page sent it");
    assert_eq!(post(addr, "/tickets", &same, "").status, 403, "what is not only read needs an Origin");
    assert_eq!(post(addr, "/session", &page, "").status, 401, "a session cannot make itself longer");
    let end = format!("DELETE /session HTTP/1.1\r\nHost: {addr}\r\nOrigin: {origin}\r\nCookie: {pair}\r\n\r\n");
    assert_eq!(send(addr, &end).status, 204);
    assert!(stream.frame().is_none(), "its streams end");
    assert_eq!(get_with(addr, "/stream", &page).status, 401);
    let named = post(addr, "/session", &[bearer, ("Host", "traces.example.org")], "");
    let set = named.header("set-cookie").expect("cookie");
    assert!(set.starts_with("__Host-spanwright=") && set.ends_with("; Secure"), "{set}");
}

#[test]
fn a_token_in_a_url_is_refused_wherever_it_stands_and_not_said_again() {
    let (_recorder, server, _emitter) = served(Settings::default().access(access()));
    for name in ["token", "access_token", "api_key", "apikey", "API_KEY", "jwt", "authorization"] {
        for path in ["/stream", "/executions", "/stats", "/health"] {
            let reply = get(server.addr(), &format!("{path}?mode=full&{name}={OPERATOR}"));
            assert_eq!(reply.status, 400, "{path} {name}");
            let error = reply.json()["error"].as_str().expect("error").to_owned();
            assert!(error.contains("Authorization: Bearer") && !error.contains(OPERATOR), "{error}");
        }
    }
}

#[test]
fn a_token_is_accepted_before_its_time_is_over_and_not_after() {
    let in_an_hour = Timestamp::from_unix_nanos(Timestamp::now().unix_nanos() + 3_600_000_000_000);
    let token = |secret, end| Token::new(secret, [Right::Read]).until(end);
    let access = Access::builder().token(token(READER, in_an_hour)).token(token(SENDER, Timestamp::now()));
    let (_recorder, server, _emitter) = served(Settings::default().access(access.build().expect("access")));
    assert_eq!(get_as(server.addr(), READER, "/stream").status, 200);
    let expired = get_as(server.addr(), SENDER, "/stream");
    assert_eq!(expired.status, 401);
    assert!(expired.header("www-authenticate").expect("challenge").contains("invalid_token"));
}

#[test]
fn what_cannot_be_used_is_refused_with_what_is_accepted() {
    let wrong = [
        (Access::builder(), "at least one token"),
        (Access::builder().token(Token::new("short", [Right::Read])), "16 to 8192"),
        (Access::builder().token(Token::new("with spaces in between", [Right::Read])), "16 to 8192"),
        (Access::builder().token(Token::new(READER, [])), "read, ingest, admin"),
        (Access::builder().token(Token::new(READER, [Right::Read]).tenant("")), "1 to 128"),
    ];
    for (builder, accepted) in wrong {
        let error = builder.build().expect_err(accepted);
        assert!(error.is_config() && error.to_string().contains(accepted), "{error}");
        assert!(!error.to_string().contains("short") && !error.to_string().contains(READER), "{error}");
    }
    assert!(Settings::default().cors_origin("*").expect_err("a star").is_config());
}

#[test]
fn no_secret_is_shown_by_what_is_printed_or_counted() {
    let access = access();
    let token = Token::new(READER, [Right::Read]).tenant("acme").id("a name");
    let settings = Settings::default().access(access.clone());
    let (_recorder, server, _emitter) = served(settings.clone());
    let ticket = ticket(server.addr(), READER, "");
    let stats = get_as(server.addr(), OPERATOR, "/stats").text();
    let printed = format!("{access:?} {settings:?} {token:?} {server:?} {stats}");
    for secret in [READER, SENDER, OPERATOR, &ticket] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.contains("acme"), "what is no secret is shown");
}

/// Many at once, with sessions, tickets and revocations in between: nobody waits for ever, nobody gets in without.
#[test]
fn tokens_are_revoked_while_others_ask() {
    let access = access();
    let (_recorder, server, _emitter) = served(Settings::default().access(access.clone()));
    let addr = server.addr();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(move || (0..20).map(|_| get_as(addr, READER, "/executions").status).collect::<Vec<_>>())
            })
            .collect();
        access.revoke(READER).expect("revoke");
        for reader in readers {
            let statuses = reader.join().expect("reader");
            assert!(statuses.is_sorted(), "once refused, always: {statuses:?}");
        }
    });
    assert_eq!(get_as(addr, READER, "/executions").status, 401);
}
