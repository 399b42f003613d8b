//! The server over real sockets: streams, resumption, snapshots, who may ask, and what stalled readers cost.

use crate::http::{Frame, Reply, connect, get, get_with, send};
use spanwright::{
    Cursor, Error, EventEmitter, EventLog, ExecutionId, Pending, Recorder, StreamEvent, Timestamp,
    event::{
        Batch, Body, ExecutionEnd, ExecutionPaused, ExecutionResumed, ExecutionStart, FeedbackReceived, FeedbackType,
        OpenThings, StepEnd, StreamMode, TextDelta, TextEnd, TextStart,
    },
    hub::HubLimits,
    log::{ExecutionRow, MemoryLog, Page, Query, Resolved},
    serve::{Server, ServerHandle, Settings},
};
use std::{
    io::{Read, Write},
    net::SocketAddr,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_secs(20);

/// A recorder with a log and a hub of `ring` events, a server for it, and an emitter on it.
fn served(ring: usize) -> (Recorder, ServerHandle, EventEmitter) {
    let builder = Recorder::builder().log(MemoryLog::new()).hub(HubLimits::new(ring, 32 << 20));
    let recorder = builder.start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    let emitter = recorder.emitter();
    (recorder, server, emitter)
}

fn with_settings(settings: Settings) -> (Recorder, ServerHandle) {
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
    let server = Server::spawn_with(recorder.clone(), "127.0.0.1:0", settings).expect("serve");
    (recorder, server)
}

fn settle(recorder: &Recorder) {
    recorder.settle().wait(SOON).expect("settle");
}

/// Emits numbered events in batches of ten, so that a small ring lets go of the first ones.
fn emit_numbers(emitter: &EventEmitter, numbers: std::ops::Range<u64>) {
    for n in numbers {
        emitter.emit(StepEnd::new(n));
        if n % 10 == 9 {
            settle(emitter.recorder());
        }
    }
    settle(emitter.recorder());
}

fn numbers(frames: &[Frame]) -> Vec<u64> {
    let number =
        |frame: &Frame| if let Body::StepEnd(step) = frame.data().body { Some(step.duration_ms) } else { None };
    frames.iter().filter_map(number).collect()
}

fn tags(frames: &[Frame]) -> Vec<&str> {
    frames.iter().map(Frame::event).collect()
}

fn stream_of(emitter: &EventEmitter) -> String {
    format!("/executions/{}/stream", emitter.execution_id())
}

fn resume(server: &ServerHandle, path: &str, after: Cursor) -> Reply {
    get_with(server.addr(), path, &[("Last-Event-ID", &after.to_string())])
}

#[test]
fn a_stream_begins_at_once_with_connected_and_where_it_begins_is_its_id() {
    let (recorder, server, emitter) = served(100);
    emit_numbers(&emitter, 0..3);
    let mut reply = get(server.addr(), "/stream");
    assert_eq!(reply.status, 200);
    let first = reply.frame().expect("frame");
    assert_eq!((first.event(), first.id()), ("data-connected", Some(recorder.hub().newest())));
    let Body::Connected(connected) = first.data().body else { panic!("kind") };
    assert_eq!(connected.cursor.as_deref(), first.field("id"));
    let retry: u64 = first.field("retry").expect("retry").parse().expect("ms");
    assert!((1_000..=3_000).contains(&retry), "{retry}");
}

#[test]
fn a_stream_says_that_it_is_not_to_be_kept_and_nothing_of_other_origins() {
    let (_recorder, server, _emitter) = served(100);
    let reply = get(server.addr(), "/stream");
    let head = |name| reply.header(name);
    assert_eq!(head("content-type"), Some("text/event-stream"));
    assert_eq!((head("cache-control"), head("x-accel-buffering")), (Some("no-store"), Some("no")));
    assert_eq!(head("x-content-type-options"), Some("nosniff"));
    assert!(reply.head.iter().all(|(name, _)| !name.starts_with("access-control")));
}

#[test]
fn one_frame_is_exactly_these_bytes() {
    let (recorder, server, _emitter) = served(100);
    let id = ExecutionId::from_trace_id(0x1a2b);
    let time = Timestamp::from_unix_millis(1_700_000_000_123).expect("time");
    recorder.emit(StreamEvent::new(StepEnd::new(7_u64)).of_execution(id.clone()).at(time));
    let mut reply = get(server.addr(), &format!("/executions/{id}/stream"));
    let epoch = recorder.hub().newest().epoch;
    let first = reply.frame().expect("connected").0;
    let (retry, rest) = first.split_once('\n').expect("lines");
    assert!(retry.starts_with("retry: "));
    let connected = format!(
        "id: {epoch:016x}-0\nevent: data-connected\n\
         data: {{\"type\":\"data-connected\",\"cursor\":\"{epoch:016x}-0\"}}\n\n"
    );
    assert_eq!(rest, connected);
    let step = format!(
        "id: {epoch:016x}-1\nevent: data-step-end\n\
         data: {{\"type\":\"data-step-end\",\"execution_id\":\"exec_00000000000000000000000000001a2b\",\
         \"duration_ms\":7,\"timestamp\":1700000000123}}\n\n"
    );
    assert_eq!(reply.frame().expect("step").0, step);
}

#[test]
fn ids_are_cursors_that_rise_and_names_are_the_types() {
    let (recorder, server, emitter) = served(1_000);
    emit_numbers(&emitter, 0..20);
    emitter.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    let frames = get(server.addr(), &stream_of(&emitter)).events();
    let offsets: Vec<_> = frames.iter().map(|frame| frame.id().expect("id").offset).collect();
    assert_eq!(offsets, (0..=21).collect::<Vec<_>>());
    assert!(frames.iter().all(|frame| frame.data().body.tag() == frame.event()));
}

#[test]
fn a_client_that_comes_back_gets_exactly_what_followed_from_the_ring_and_from_the_log() {
    for ring in [1_000, 4] {
        let (recorder, server, emitter) = served(ring);
        emit_numbers(&emitter, 0..100);
        emitter.emit(ExecutionEnd::new(1_u64));
        settle(&recorder);
        let all = get(server.addr(), &stream_of(&emitter)).events();
        assert_eq!(numbers(&all), (0..100).collect::<Vec<_>>(), "ring of {ring}");
        for seen in [0, 1, 37, 99, 100] {
            let after = all[seen].id().expect("id");
            let rest = resume(&server, &stream_of(&emitter), after).events();
            assert_eq!(rest[0].id(), Some(after), "it begins where the client was");
            let text = |frames: &[Frame]| frames.iter().map(|frame| frame.0.clone()).collect::<Vec<_>>();
            assert_eq!(text(&rest[1..]), text(&all[seen + 1..]), "ring of {ring}, after {seen}: the same bytes");
        }
    }
}

#[test]
fn last_event_id_wins_over_after_and_after_over_from() {
    let (recorder, server, emitter) = served(100);
    emit_numbers(&emitter, 0..9);
    emitter.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    let cursor = |offset| Cursor::new(recorder.hub().newest().epoch, offset).to_string();
    let path = format!("{}?after={}&from=live", stream_of(&emitter), cursor(3));
    assert_eq!(numbers(&get(server.addr(), &path).events()), [3, 4, 5, 6, 7, 8]);
    let headers = [("Last-Event-ID", cursor(7))].map(|(name, value)| (name, value));
    let both = get_with(server.addr(), &path, &[(headers[0].0, &headers[0].1)]);
    assert_eq!(numbers(&both.events()), [7, 8]);
    let empty = get_with(server.addr(), &path, &[("Last-Event-ID", "")]);
    assert_eq!(numbers(&empty.events()), [3, 4, 5, 6, 7, 8], "an empty id is none");
}

#[test]
fn live_events_follow_what_is_replayed_without_gap_or_double_while_they_are_emitted() {
    for ring in [50_000, 16] {
        let (recorder, server, emitter) = served(ring);
        let path = stream_of(&emitter);
        let (begun, wait) = mpsc::channel();
        let producer = thread::spawn(move || {
            for n in 0..20_000 {
                emitter.emit(StepEnd::new(n));
                if n == 5_000 {
                    begun.send(()).expect("readers wait");
                }
            }
            emitter.emit(ExecutionEnd::new(1_u64));
        });
        wait.recv().expect("begun");
        let addr = server.addr();
        let read = |path: String| thread::spawn(move || numbers(&get(addr, &path).events()));
        let readers: Vec<_> = (0..4).map(|_| read(path.clone())).collect();
        for reader in readers {
            let seen = reader.join().expect("reader");
            assert!(seen == (0..20_000).collect::<Vec<_>>(), "ring of {ring}: {} events", seen.len());
        }
        producer.join().expect("producer");
        assert_eq!(recorder.stats().shed(), 0);
    }
}

#[test]
fn a_mode_shows_that_much() {
    let (recorder, server, emitter) = served(100);
    emitter.emit(TextStart::new("t"));
    emitter.emit(TextDelta::new("t", "x"));
    emitter.emit(TextEnd::new("t"));
    emitter.emit(ExecutionPaused::new("approval"));
    emitter.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    let shown = |mode: StreamMode| {
        let frames = get(server.addr(), &format!("{}?mode={}", stream_of(&emitter), mode.as_str())).events();
        tags(&frames)[1..].iter().map(|tag| tag.strip_prefix("data-").expect("data-").to_owned()).collect::<Vec<_>>()
    };
    let full = ["text-start", "text-delta", "text-end", "execution-paused", "execution-end"];
    assert_eq!(shown(StreamMode::Full), full);
    assert_eq!(shown(StreamMode::Summary), [full[0], full[2], full[3], full[4]]);
    assert_eq!(shown(StreamMode::ControlOnly), [full[3], "ping"], "the ping's id is the end, which is not shown");
    assert_eq!(shown(StreamMode::Silent), ["ping"]);
}

#[test]
fn two_executions_do_not_mix_and_the_stream_of_everything_has_both() {
    let (recorder, server, one) = served(1_000);
    let other = recorder.emitter();
    let mut everything = get(server.addr(), "/stream");
    assert_eq!(everything.frame().expect("connected").event(), "data-connected");
    for n in 0..100 {
        one.emit(StepEnd::new(n));
        other.emit(StepEnd::new(1_000 + n));
    }
    one.emit(ExecutionEnd::new(1_u64));
    other.emit(ExecutionEnd::new(1_u64));
    assert_eq!(numbers(&get(server.addr(), &stream_of(&one)).events()), (0..100).collect::<Vec<_>>());
    assert_eq!(numbers(&get(server.addr(), &stream_of(&other)).events()), (1_000..1_100).collect::<Vec<_>>());
    let both: Vec<_> = (0..202).map(|_| everything.event().expect("event")).collect();
    assert_eq!(numbers(&both).len(), 200);
    assert_eq!(get(server.addr(), "/stream?from=start").event().map(|frame| frame.id().expect("id").offset), Some(0));
}

#[test]
fn an_execution_that_nobody_knows_yet_is_waited_for() {
    let (_recorder, server, emitter) = served(100);
    let mut reply = get(server.addr(), &stream_of(&emitter));
    assert_eq!(reply.frame().expect("connected").event(), "data-connected");
    emitter.emit(ExecutionStart::new());
    assert_eq!(reply.event().expect("event").event(), "data-execution-start");
}

#[test]
fn a_silent_stream_shows_that_it_lives_and_where_to_go_on() {
    let (recorder, server) = with_settings(Settings::default().keep_alive(Duration::from_millis(20)));
    let (shown, hidden) = (recorder.emitter(), recorder.emitter());
    let mut reply = get(server.addr(), &stream_of(&shown));
    let connected = reply.frame().expect("connected").id().expect("id");
    assert_eq!(reply.frame().expect("frame").0, ": keep-alive\n\n");
    assert_eq!(reply.frame().expect("frame").0, ": keep-alive\n\n");
    emit_numbers(&hidden, 0..50);
    let ping = reply.event().expect("ping");
    assert_eq!(ping.event(), "data-ping", "nothing of this execution, but the reader has passed something");
    assert!(ping.id().expect("id").offset > connected.offset);
    shown.emit(StepEnd::new(7_u64));
    shown.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    assert_eq!(numbers(&resume(&server, &stream_of(&shown), ping.id().expect("id")).events()), [7]);
}

#[test]
fn a_client_that_comes_back_after_the_end_is_told_to_stay_away() {
    for ring in [1_000, 4] {
        let (recorder, server, emitter) = served(ring);
        emit_numbers(&emitter, 0..30);
        emitter.emit(ExecutionEnd::new(1_u64));
        settle(&recorder);
        let other = recorder.emitter();
        emit_numbers(&other, 0..30);
        for mode in StreamMode::ALL {
            let path = format!("{}?mode={}", stream_of(&emitter), mode.as_str());
            let frames = get(server.addr(), &path).events();
            let last = frames.iter().rev().find_map(Frame::id).expect("id");
            let reply = resume(&server, &path, last);
            assert_eq!(reply.status, 204, "ring of {ring}, {mode:?}");
            assert_eq!(reply.text(), "");
        }
        let live = format!("{}?from=live", stream_of(&emitter));
        assert_eq!(get(server.addr(), &live).status, 204, "nothing is to come");
        emitter.emit(FeedbackReceived::new(FeedbackType::Correction));
        settle(&recorder);
        let late = resume(&server, &stream_of(&emitter), Cursor::new(recorder.hub().newest().epoch, 31)).events();
        assert_eq!(tags(&late), ["data-connected", "data-feedback-received"], "what came after the end is there");
    }
}

#[test]
fn an_execution_that_goes_on_after_its_end_is_streamed_again() {
    let (recorder, server, emitter) = served(100);
    emitter.emit(ExecutionEnd::new(1_u64));
    emitter.emit(ExecutionResumed::new());
    settle(&recorder);
    let mut reply = get(server.addr(), &format!("{}?from=live", stream_of(&emitter)));
    assert_eq!((reply.status, reply.frame().expect("connected").event()), (200, "data-connected"));
    emitter.emit(ExecutionEnd::new(2_u64));
    assert_eq!(tags(&reply.events()), ["data-execution-end"]);
}

#[test]
fn a_cursor_that_leads_nowhere_is_a_gap_that_is_told() {
    let (recorder, server, emitter) = served(100);
    emit_numbers(&emitter, 0..5);
    emitter.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    let newest = recorder.hub().newest();
    for cursor in [Cursor::new(newest.epoch ^ 1, 3), Cursor::new(newest.epoch, newest.offset + 1)] {
        let frames = resume(&server, &stream_of(&emitter), cursor).events();
        assert_eq!(tags(&frames)[..2], ["data-connected", "data-stream-gap"]);
        assert_eq!(frames[1].id(), None, "nobody resumes from a gap");
        assert_eq!(numbers(&frames), [0, 1, 2, 3, 4], "what there is of the execution follows");
    }
}

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
    assert!(reply.json()["error"].as_str().expect("error").contains("/stream"));
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
    let lost = Cursor::new(recorder.hub().newest().epoch ^ 1, 1);
    let gone = get(server.addr(), &format!("{foreign}?after={lost}"));
    assert_eq!((gone.status, gone.json()["error"].is_string()), (410, true));
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

#[test]
fn streams_end_when_the_recorder_shuts_down_and_health_says_so() {
    let (recorder, server, emitter) = served(100);
    assert_eq!(
        get(server.addr(), "/health").json(),
        serde_json::json!({"status": "ok", "recorder": "ok", "log": "ok"})
    );
    let (all, one) = (get(server.addr(), "/stream"), get(server.addr(), &stream_of(&emitter)));
    emit_numbers(&emitter, 0..3);
    recorder.shutdown(SOON).expect("shutdown");
    assert_eq!(numbers(&all.events()), [0, 1, 2]);
    assert_eq!(numbers(&one.events()), [0, 1, 2], "running, and still its stream ends");
    let health = get(server.addr(), "/health");
    assert_eq!((health.status, health.json()["error"].as_str()), (503, Some("the recorder has shut down")));
    assert_eq!(get(server.addr(), "/executions").status, 503);
}

/// A log whose writer hangs until it is let go.
#[derive(Debug)]
struct Wedged(MemoryLog, Mutex<mpsc::Receiver<()>>);

impl EventLog for Wedged {
    fn append(&self, batch: Arc<Batch>) -> Pending<()> {
        // An error is the end of the test.
        let _ = self.1.lock().expect("lock").recv();
        self.0.append(batch)
    }

    fn opened_at(&self) -> Cursor {
        self.0.opened_at()
    }

    fn unfinished(&self) -> Pending<Vec<OpenThings>> {
        self.0.unfinished()
    }

    fn flush(&self) -> Pending<()> {
        self.0.flush()
    }

    fn read(&self, query: Query) -> Pending<Page> {
        self.0.read(query)
    }

    fn resolve(&self, cursor: Cursor) -> Pending<Resolved> {
        self.0.resolve(cursor)
    }

    fn executions(&self, limit: usize) -> Pending<Vec<ExecutionRow>> {
        self.0.executions(limit)
    }

    fn execution(&self, id: ExecutionId) -> Pending<Option<ExecutionRow>> {
        self.0.execution(id)
    }

    fn close(&self) -> Pending<()> {
        self.0.close()
    }
}

#[test]
fn health_fails_within_two_seconds_when_the_writer_hangs_and_recovers_with_it() {
    let (go, hangs) = mpsc::channel();
    let log = Wedged(MemoryLog::new(), Mutex::new(hangs));
    let recorder = Recorder::builder().log(log).start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    recorder.emitter().emit(StepEnd::new(1_u64));
    let began = Instant::now();
    let health = get(server.addr(), "/health");
    assert_eq!(health.status, 503);
    assert!(health.json()["error"].as_str().expect("error").contains("2 s"));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    drop(go);
    settle(&recorder);
    assert_eq!(get(server.addr(), "/health").status, 200);
}

/// Asks `/stats` until the number is there.
fn wait_for(addr: SocketAddr, pointer: &str, wanted: u64) {
    let deadline = Instant::now() + SOON;
    loop {
        let stats = get(addr, "/stats").json();
        if stats.pointer(pointer).and_then(serde_json::Value::as_u64) == Some(wanted) {
            return;
        }
        assert!(Instant::now() < deadline, "{pointer} never is {wanted}: {stats}");
    }
}

#[test]
fn fifty_stalled_readers_are_closed_while_others_read_on_and_the_emitter_is_not_held_up() {
    let write_idle = Duration::from_millis(1_500);
    let (recorder, server) = with_settings(Settings::default().write_idle(write_idle));
    let (addr, emitter) = (server.addr(), recorder.emitter());
    let request = format!("GET {} HTTP/1.1\r\nHost: {addr}\r\n\r\n", stream_of(&emitter));
    let stalled: Vec<_> = (0..50)
        .map(|_| {
            let mut tcp = connect(addr);
            tcp.write_all(request.as_bytes()).expect("send");
            tcp
        })
        .collect();
    let path = stream_of(&emitter);
    let healthy: Vec<_> = (0..3).map(|_| get(addr, &path)).map(|reply| thread::spawn(move || reply.events())).collect();
    wait_for(addr, "/server/streams/open", 53);
    let piece = "x".repeat(8_000);
    let began = Instant::now();
    for _ in 0..1_000 {
        emitter.emit(TextDelta::new("t", piece.as_str()));
    }
    let emitted = began.elapsed();
    settle(&recorder);
    assert!(emitted < write_idle, "emitting 8 MB took {emitted:?}");
    wait_for(addr, "/server/stalled", 50);
    assert!(began.elapsed() < write_idle + Duration::from_secs(1) + emitted, "{:?}", began.elapsed());
    wait_for(addr, "/server/streams/open", 3);
    emitter.emit(ExecutionEnd::new(1_u64));
    for reader in healthy {
        let frames = reader.join().expect("reader");
        let length = |frame: &Frame| if let Body::TextDelta(piece) = frame.data().body { piece.delta.len() } else { 0 };
        assert_eq!(frames.iter().map(length).sum::<usize>(), 8_000_000);
        assert!(tags(&frames).iter().all(|tag| *tag != "data-stream-lagged" && *tag != "data-stream-gap"));
    }
    assert_eq!(recorder.stats().shed(), 0);
    drop(stalled);
}

#[test]
fn a_client_that_never_sends_a_whole_request_is_closed() {
    let short = Duration::from_millis(100);
    let (_recorder, server) = with_settings(Settings::default().write_idle(short).keep_alive(short));
    let mut tcp = connect(server.addr());
    tcp.write_all(b"GET /stream HTT").expect("send");
    let mut rest = Vec::new();
    assert_eq!(tcp.read_to_end(&mut rest).expect("closed, in an orderly way"), 0);
}

#[test]
fn connections_past_the_limit_are_closed_at_once_and_a_place_that_becomes_free_is_given_again() {
    let (_recorder, server) = with_settings(Settings::default().connections(2));
    let open = [get(server.addr(), "/stream"), get(server.addr(), "/stream")];
    let mut third = connect(server.addr());
    assert_eq!(third.read(&mut [0; 1]).unwrap_or(0), 0);
    drop(open);
    let deadline = Instant::now() + SOON;
    let answered = || {
        let mut tcp = connect(server.addr());
        let request = format!("GET /stats HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.addr());
        let _ = tcp.write_all(request.as_bytes());
        let mut text = String::new();
        tcp.read_to_string(&mut text).is_ok() && text.contains("over_limit")
    };
    while !answered() {
        assert!(Instant::now() < deadline, "no place becomes free");
    }
}

#[test]
fn a_server_that_ends_ends_its_streams_and_cuts_those_who_do_not_read() {
    let (recorder, server) = with_settings(Settings::default().drain(Duration::from_millis(300)));
    let (addr, emitter) = (server.addr(), recorder.emitter());
    let healthy = get(addr, &stream_of(&emitter));
    let mut stalled = connect(addr);
    write!(stalled, "GET {} HTTP/1.1\r\nHost: {addr}\r\n\r\n", stream_of(&emitter)).expect("send");
    wait_for(addr, "/server/streams/open", 2);
    let reader = thread::spawn(move || healthy.events());
    (0..500).for_each(|_| emitter.emit(TextDelta::new("t", "x".repeat(8_000))));
    settle(&recorder);
    let began = Instant::now();
    server.shutdown().expect("within its bound");
    assert!(began.elapsed() < Duration::from_millis(1_300), "{:?}", began.elapsed());
    let frames = reader.join().expect("its body ends whole");
    assert_eq!(frames[0].event(), "data-connected");
    assert!(std::net::TcpStream::connect(addr).is_err(), "nobody listens any more");
    emitter.emit(StepEnd::new(1_u64));
    settle(&recorder);
}

#[tokio::test]
async fn it_serves_on_a_runtime_of_ones_own_and_ends_with_its_future() {
    let recorder = Recorder::builder().start().expect("start");
    let server = Server::bind("127.0.0.1:0").await.expect("bind");
    let addr = server.local_addr();
    let serving = tokio::spawn(server.serve(recorder.clone()));
    let mut stream = tokio::task::spawn_blocking(move || {
        let mut reply = get(addr, "/stream");
        reply.frame().expect("connected");
        reply
    })
    .await
    .expect("client");
    serving.abort();
    assert!(serving.await.expect_err("aborted").is_cancelled());
    let after = tokio::task::spawn_blocking(move || {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stream.frame().is_none()))
    });
    assert!(after.await.expect("client").unwrap_or(true), "the body ends, or the line is cut");
    let closed: Error = Server::bind("10.0.0.1:0").await.expect_err("foreign");
    assert!(closed.is_config());
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
        assert_eq!(get(addr, "/else").text(), "mine");
        assert_eq!(get_with(addr, "/trace/stats", &[("Host", "evil.example")]).status, 403);
    });
    asked.await.expect("client");
}

#[test]
#[ignore = "the hub does not know how many pieces a reader had that comes back with the cursor of one"]
fn a_client_that_comes_back_is_told_how_many_pieces_are_gone_meanwhile() {
    let (recorder, server, emitter) = served(4);
    emitter.emit(TextStart::new("t"));
    for _ in 0..100 {
        emitter.emit(TextDelta::new("t", "x"));
        settle(&recorder);
    }
    emitter.emit(TextEnd::new("t"));
    emitter.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    // It had the start and ten pieces; the ring has let go of the next ones, and the log never had them.
    let frames = resume(&server, &stream_of(&emitter), Cursor::new(recorder.hub().newest().epoch, 11)).events();
    let lagged = |frame: &Frame| if let Body::StreamLagged(lagged) = frame.data().body { lagged.dropped } else { 0 };
    let pieces = tags(&frames).iter().filter(|tag| **tag == "data-text-delta").count() as u64;
    assert_eq!(frames.iter().map(lagged).sum::<u64>() + pieces, 90, "{:?}", tags(&frames));
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

#[test]
fn a_question_for_the_head_alone_opens_no_stream_that_stays() {
    let (_recorder, server, emitter) = served(100);
    let head = format!("HEAD {} HTTP/1.1\r\nHost: {}\r\n\r\n", stream_of(&emitter), server.addr());
    let reply = send(server.addr(), &head);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/event-stream")));
    wait_for(server.addr(), "/server/streams/open", 0);
}
