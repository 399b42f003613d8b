//! Snapshots, errors, and who is answered at all.

use super::{SOON, emit_numbers, numbers, resume, served, settle, stream_of};
use crate::http::{Frame, get, get_with, send};
use spanwright::{
    Cursor, ExecutionId, Recorder, StreamEvent, Timestamp,
    event::{ExecutionEnd, ExecutionStart, StepEnd, TextDelta},
    log::Query,
    serve::Server,
};

#[test]
fn what_is_asked_for_wrongly_is_refused_with_what_is_accepted() {
    let (_recorder, server, emitter) = served(100);
    let (stream, events) = (stream_of(&emitter), format!("/executions/{}/events", emitter.execution_id()));
    let wrong = [
        (format!("{stream}?after=12"), "16 hex digits"),
        (format!("{stream}?after="), "16 hex digits"),
        (format!("{stream}?mode=loud"), "control_only"),
        ("/stream?from=yesterday".to_owned(), "start or live"),
        (format!("{events}?limit=0"), "1 to 1000"),
        (format!("{events}?limit=1001"), "1 to 1000"),
        ("/executions?limit=many".to_owned(), "1 to 1000"),
        (format!("{events}?after=%00%0a"), "16 hex digits"),
        (format!("/executions/{}/stream", "x".repeat(129)), "1 to 128"),
        ("/executions/a%0ab".to_owned(), "control character"),
        ("/executions/%ff".to_owned(), "UTF-8"),
    ];
    for (path, accepted) in wrong {
        let reply = get(server.addr(), &path);
        assert_eq!((reply.status, reply.header("content-type")), (400, Some("application/json")), "{path}");
        let error = reply.json()["error"].as_str().expect("error").to_owned();
        assert!(error.contains(accepted), "{path}: {error}");
    }
    for id in ["x", "0123456789abcdef-", "0123456789abcdef-99999999999999999999", "0123456789ABCDEF-1", "…"] {
        let reply = get_with(server.addr(), &stream, &[("Last-Event-ID", id)]);
        assert_eq!(reply.status, 400, "{id}");
        assert!(reply.json()["error"].as_str().expect("error").contains("accepted"), "{id}");
    }
}

#[test]
fn routes_and_methods_that_are_not_there_are_refused_in_json() {
    let (_recorder, server, _emitter) = served(100);
    let reply = get(server.addr(), "/nothing");
    assert_eq!(reply.status, 404);
    assert!(reply.json()["error"].as_str().expect("error").contains("/openapi.json"));
    let reply =
        send(server.addr(), &format!("POST /stream HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\r\n", server.addr()));
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET,HEAD")));
    assert!(reply.json()["error"].as_str().expect("error").contains("GET"));
}

#[test]
fn only_programs_and_pages_of_this_machine_are_answered() {
    let (_recorder, server, _emitter) = served(100);
    let port = server.addr().port();
    let own = format!("http://127.0.0.1:{port}");
    let status = |headers: &[(&str, &str)]| {
        let mut all = vec![("Host", "127.0.0.1")];
        let given = format!("127.0.0.1:{port}");
        all[0].1 = &given;
        if headers.iter().any(|(name, _)| *name == "Host") {
            all.clear();
        }
        all.extend(headers);
        let reply = get_with(server.addr(), "/stats", &all);
        (reply.status == 403).then(|| assert!(reply.header("access-control-allow-origin").is_none()));
        reply.status
    };
    for host in ["localhost", "localhost:1", "127.0.0.1", "127.9.9.9:80", "[::1]:80"] {
        assert_eq!(status(&[("Host", host)]), 200, "{host}");
    }
    for host in ["evil.example", "127.0.0.1.evil.example", "localhost.", "0.0.0.0", "192.168.0.1"] {
        assert_eq!(status(&[("Host", host)]), 403, "{host}");
    }
    assert_eq!(status(&[("Origin", &own), ("Sec-Fetch-Site", "same-origin")]), 200);
    assert_eq!(status(&[("Sec-Fetch-Site", "none")]), 200);
    assert_eq!(status(&[("Sec-Fetch-Site", "cross-site")]), 403);
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(status(&[("Origin", origin)]), 403, "{origin}");
    }
    let absolute = format!("GET http://evil.example/stats HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    assert_eq!(send(server.addr(), &absolute).status, 403);
    assert_eq!(send(server.addr(), "GET /stats HTTP/1.1\r\n\r\n").status, 403, "no Host at all");
    assert_eq!(get(server.addr(), "/stats").json()["server"]["denied"], 11);
}

#[test]
fn an_address_that_is_not_this_machines_own_is_refused_with_the_reason() {
    let recorder = Recorder::builder().start().expect("start");
    for addr in ["0.0.0.0:0", "192.0.2.1:80", "[::]:0"] {
        let error = Server::spawn(recorder.clone(), addr).expect_err(addr);
        assert!(error.is_config(), "{error}");
        assert!(error.to_string().contains("127.0.0.0/8") && error.to_string().contains("authentication"), "{error}");
    }
    assert!(Server::spawn(recorder.clone(), "nonsense").expect_err("nonsense").is_config());
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    let taken = Server::spawn(recorder, server.addr()).expect_err("taken");
    assert!(taken.is_io() && taken.to_string().contains(&server.addr().to_string()), "{taken}");
    assert_eq!(server.url(), format!("http://{}", server.addr()));
}

#[test]
fn pages_by_cursor_are_what_was_emitted_and_a_stream_goes_on_from_the_last() {
    let (recorder, server, emitter) = served(16);
    let other = recorder.emitter();
    emitter.emit(ExecutionStart::new().name("agent"));
    for n in 0..57 {
        emitter.emit(StepEnd::new(n));
        other.emit(StepEnd::new(n));
        emitter.emit(TextDelta::new("t", "not kept"));
    }
    recorder.flush().wait(SOON).expect("flush");
    let base = format!("/executions/{}/events", emitter.execution_id());
    let (mut seen, mut path, mut sizes) = (Vec::new(), format!("{base}?limit=20"), Vec::new());
    let cursor = loop {
        let page = get(server.addr(), &path).json();
        let events = page["events"].as_array().expect("events").clone();
        sizes.push(events.len());
        seen.extend(events);
        let cursor = page["cursor"].as_str().expect("cursor").to_owned();
        if page["complete"].as_bool().expect("complete") {
            break cursor;
        }
        path = format!("{base}?limit=20&after={cursor}");
    };
    assert_eq!(sizes, [20, 20, 18]);
    let log = recorder.log().expect("log");
    let scope = spanwright::log::Scope::Execution(emitter.execution_id().clone());
    let kept = log.read(Query::new(scope, 0, 1_000)).wait(SOON).expect("read").events;
    let forms: Vec<_> =
        kept.iter().map(|one| serde_json::to_value(one.decode().expect("event")).expect("json")).collect();
    assert_eq!(seen, forms, "the persisted form, whole");
    let sequences: Vec<_> = seen.iter().map(|event| event["sequence"].as_u64().expect("sequence")).collect();
    assert_eq!(sequences, (1..=58).collect::<Vec<_>>());
    emit_numbers(&emitter, 100..103);
    emitter.emit(ExecutionEnd::new(1_u64));
    let rest = get(server.addr(), &format!("{}?after={cursor}", stream_of(&emitter))).events();
    assert_eq!(numbers(&rest), [100, 101, 102]);
}

#[test]
fn executions_are_listed_newest_first_and_found_by_id() {
    let (recorder, server, first) = served(100);
    let second = recorder.emitter();
    first.emit(StreamEvent::new(ExecutionStart::new().name("first")).at(Timestamp::from_unix_nanos(1)));
    second.emit(StreamEvent::new(ExecutionStart::new().name("second")).at(Timestamp::from_unix_nanos(2)));
    first.emit(ExecutionEnd::new(1_u64));
    recorder.flush().wait(SOON).expect("flush");
    let list = get(server.addr(), "/executions").json();
    assert_eq!((&list["executions"][0]["name"], &list["executions"][1]["name"]), (&"second".into(), &"first".into()));
    assert_eq!(get(server.addr(), "/executions?limit=1").json()["executions"].as_array().map(Vec::len), Some(1));
    let one = get(server.addr(), &format!("/executions/{}", first.execution_id())).json();
    assert_eq!((&one["status"], &one["events"]), (&"completed".into(), &2.into()));
    for path in ["", "/events"] {
        assert_eq!(get(server.addr(), &format!("/executions/{}{path}", ExecutionId::new())).status, 404);
    }
    let foreign = "/executions/run%2F1%20%C3%BC/events";
    recorder.emit(StreamEvent::new(StepEnd::new(1_u64)).of_execution(ExecutionId::parse("run/1 ü").expect("id")));
    recorder.flush().wait(SOON).expect("flush");
    assert_eq!(get(server.addr(), foreign).json()["events"][0]["context"]["execution_id"], "run/1 ü");
    let newest = recorder.hub().newest();
    let beyond = Cursor::new(newest.epoch, newest.offset + 1);
    for lost in [Cursor::new(newest.epoch ^ 1, 1), beyond, Cursor::new(newest.epoch, u64::MAX)] {
        for page in
            [format!("{foreign}?after={lost}"), format!("/events?after={lost}"), format!("/events?before={lost}")]
        {
            let gone = get(server.addr(), &page);
            assert_eq!((gone.status, gone.json()["error"].is_string()), (410, true), "{page}");
        }
    }
    assert_eq!(get(server.addr(), &format!("/events?after={newest}")).json()["events"], serde_json::json!([]));
}

#[test]
fn without_a_log_streams_are_served_and_snapshots_are_refused() {
    let recorder = Recorder::builder().start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    let emitter = recorder.emitter();
    emit_numbers(&emitter, 0..5);
    emitter.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    let frames = get(server.addr(), &stream_of(&emitter)).events();
    assert_eq!(numbers(&frames), [0, 1, 2, 3, 4]);
    let last = frames.last().and_then(Frame::id).expect("id");
    assert_eq!(resume(&server, &stream_of(&emitter), last).status, 204);
    for path in ["/executions", "/executions/x", "/executions/x/events"] {
        let reply = get(server.addr(), path);
        assert_eq!(reply.status, 501);
        assert!(reply.json()["error"].as_str().expect("error").contains("no log"));
    }
    assert_eq!(get(server.addr(), "/health").json()["log"], "none");
}

#[tokio::test]
async fn the_routes_can_be_mounted_in_a_router_of_ones_own() {
    let recorder = Recorder::builder().start().expect("start");
    let app = axum::Router::new().nest("/trace", spanwright::serve::router(recorder.clone()));
    let app = app.merge(spanwright::serve::router(recorder)).fallback(async || "mine");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let addr = listener.local_addr().expect("addr");
    tokio::spawn(async move { axum::serve(listener, app).await });
    let asked = tokio::task::spawn_blocking(move || {
        assert_eq!(get(addr, "/trace/stream").frame().expect("connected").event(), "data-connected");
        assert_eq!(get(addr, "/stats").status, 200);
        for (path, root) in [("/openapi.json", "/"), ("/trace/openapi.json", "/trace")] {
            assert_eq!(get(addr, path).json()["servers"][0]["url"], root);
        }
        assert_eq!(get(addr, "/else").text(), "mine");
        assert_eq!(get_with(addr, "/trace/stats", &[("Host", "evil.example")]).status, 403);
    });
    asked.await.expect("client");
}

#[test]
fn it_listens_on_the_other_loopback_too_where_there_is_one() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return eprintln!("skipped: this machine has no IPv6");
    }
    let recorder = Recorder::builder().start().expect("start");
    let server = Server::spawn(recorder, "[::1]:0").expect("serve");
    assert!(server.url().starts_with("http://[::1]:"));
    assert_eq!(get(server.addr(), "/stats").status, 200);
}
