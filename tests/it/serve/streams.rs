//! What a stream shows: its first frame, its bytes, its order, its modes, its signs of life.

use super::{emit_numbers, numbers, resume, served, settle, stream_of, tags, wait_for, with_settings};
use crate::http::{connect, get, send};
use spanwright::{
    ExecutionId, StreamEvent, Timestamp,
    event::{Body, ExecutionEnd, ExecutionPaused, ExecutionStart, StepEnd, StreamMode, TextDelta, TextEnd, TextStart},
    serve::Settings,
};
use std::{
    io::{Read, Write},
    sync::mpsc,
    thread,
    time::Duration,
};

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
        "event: data-connected\n\
         data: {{\"type\":\"data-connected\",\"cursor\":\"{epoch:016x}-0\"}}\nid: {epoch:016x}-0\n\n"
    );
    assert_eq!(rest, connected);
    let step = format!(
        "event: data-step-end\n\
         data: {{\"type\":\"data-step-end\",\"execution_id\":\"exec_00000000000000000000000000001a2b\",\
         \"duration_ms\":7,\"timestamp\":1700000000123}}\nid: {epoch:016x}-1\n\n"
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
fn a_question_for_the_head_alone_opens_no_stream_that_stays() {
    let (_recorder, server, emitter) = served(100);
    let head = format!("HEAD {} HTTP/1.1\r\nHost: {}\r\n\r\n", stream_of(&emitter), server.addr());
    let reply = send(server.addr(), &head);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/event-stream")));
    wait_for(server.addr(), "/server/streams/open", 0);
}

#[test]
fn what_comes_one_by_one_is_written_many_at_a_time_where_that_is_asked_for() {
    let (recorder, server) = with_settings(Settings::default().coalesce(Duration::from_secs(1)));
    let emitter = recorder.emitter();
    let head = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", stream_of(&emitter), server.addr());
    let mut tcp = connect(server.addr());
    tcp.write_all(head.as_bytes()).expect("send");
    wait_for(server.addr(), "/server/streams/open", 1);
    (0..50_u64).for_each(|n| {
        emitter.emit(StepEnd::new(n));
        settle(&recorder);
    });
    emitter.emit(ExecutionEnd::new(1_u64));
    let mut text = Vec::new();
    let end = b"\r\n0\r\n\r\n";
    while !text.ends_with(end) {
        let mut some = [0; 4096];
        let size = tcp.read(&mut some).expect("in time");
        text.extend_from_slice(&some[..size]);
    }
    let text = String::from_utf8(text).expect("text");
    assert_eq!(text.matches("event: data-step-end\n").count(), 50);
    let chunks = text.matches("\n\n\r\n").count();
    assert!(chunks < 25, "{chunks} chunks for 50 events");
}
