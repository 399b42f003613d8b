//! Clients that take their time: what comes on is waited for, what only seems to is not.

use super::{
    SOON,
    hostile::{ask, rest, said, strict},
    settle, stream_of, tags, wait_for, with_settings,
};
use crate::http::{connect, get};
use spanwright::{
    ExecutionId, Recorder,
    event::{ExecutionEnd, StepEnd, TextDelta},
    log::MemoryLog,
    serve::{Server, Settings},
};
use std::{
    io::Write,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

#[test]
fn heads_and_bodies_that_come_byte_by_byte_are_cut_though_each_byte_is_a_sign_of_life() {
    let (_recorder, server) = with_settings(strict());
    let addr = server.addr();
    let slow =
        ["GET /stats HTTP/1.1\r\nX: ", "POST /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n"];
    let mut open: Vec<_> = slow.iter().cycle().take(20).map(|head| said(addr, head.as_bytes())).collect();
    let deadline = Instant::now() + SOON;
    while !open.is_empty() {
        open.retain_mut(|tcp| tcp.write_all(b"x").is_ok());
        assert!(Instant::now() < deadline, "{} are still open", open.len());
        // The pace of these clients; nothing waits for it.
        thread::sleep(Duration::from_millis(20));
    }
    wait_for(addr, "/server/connections/open", 1);
}

/// Deadlines of four seconds in all: longer than who says something twenty times a second may have to wait for its turn.
fn four_seconds() -> Settings {
    strict().write_idle(Duration::from_millis(3_500))
}

/// Says something every now and then, for so long. Whether it could.
fn says_on(tcp: &mut TcpStream, long: Duration, mut next: impl FnMut() -> String) -> bool {
    let until = Instant::now() + long;
    while Instant::now() < until {
        if tcp.write_all(next().as_bytes()).is_err() {
            return false;
        }
        // The pace of this client; nothing waits for it.
        thread::sleep(Duration::from_millis(50));
    }
    true
}

#[test]
fn an_upload_that_is_slow_and_steady_is_taken_as_a_whole_and_its_line_serves_on() {
    let (recorder, server) = with_settings(four_seconds());
    let (addr, id) = (server.addr(), ExecutionId::new());
    let mut tcp = connect(addr);
    let head = format!("Host: {addr}\r\nContent-Type: application/jsonl\r\nTransfer-Encoding: chunked\r\n\r\n");
    write!(tcp, "POST /executions/{id}/events HTTP/1.1\r\n{head}").expect("send");
    let mut lines = 0;
    // The server has time to cut it twice over.
    let whole = says_on(&mut tcp, Duration::from_secs(9), || {
        let line = format!("{{\"type\":\"data-step-end\",\"duration_ms\":{lines}}}\n");
        lines += 1;
        format!("{:x}\r\n{line}\r\n", line.len())
    });
    assert!(whole, "the line is cut");
    write!(tcp, "0\r\n\r\nGET /health HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n").expect("send");
    let answers = String::from_utf8(rest(tcp)).expect("text");
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
    assert!(answers.contains(&format!("\"accepted\":{lines},")), "{answers}");
    let stats = recorder.stats();
    assert!(stats.unlogged == 0 && stats.recorded >= lines);
    assert_eq!(get(addr, "/stats").json()["server"]["stalled"], 0);
}

/// A server that gets no turn for longer than its clients may be silent: it was not they who were.
#[test]
fn a_server_that_was_held_up_cuts_nobody_who_reads() {
    const HELD_UP: Duration = Duration::from_millis(400);
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
    let emitter = recorder.emitter();
    let path = stream_of(&emitter);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let reader = runtime.block_on(async {
        let short = Duration::from_millis(50);
        let settings = Settings::default().write_idle(short).keep_alive(short);
        let server = Server::bind("127.0.0.1:0").await.expect("bind").with(settings);
        let addr = server.local_addr();
        let (recorder, stopped) = (recorder.clone(), tokio::sync::oneshot::channel::<()>());
        let serving = tokio::spawn(server.serve_until(recorder, async { drop(stopped.1.await) }));
        let mut reply = tokio::task::spawn_blocking(move || get(addr, &path)).await.expect("client");
        let held_up = || thread::sleep(HELD_UP);
        let reader = thread::spawn(move || (reply.event(), reply.events()));
        for n in 0..3_u64 {
            tokio::task::yield_now().await;
            emitter.emit(StepEnd::new(n));
            held_up();
        }
        emitter.emit(ExecutionEnd::new(1_u64));
        let reader = tokio::task::spawn_blocking(move || reader.join()).await.expect("reader");
        drop(stopped.0);
        serving.await.expect("the server");
        reader
    });
    let (_, events) = reader.expect("its body ends whole");
    assert_eq!(tags(&events), [&["data-step-end"; 3][..], &["data-execution-end"]].concat());
}

#[test]
fn readers_that_stall_are_cut_though_they_go_on_to_say_something() {
    let (recorder, server) = with_settings(four_seconds());
    let (addr, emitter) = (server.addr(), recorder.emitter());
    let path = stream_of(&emitter);
    // What they say behind their question: blanks, further questions, a body of events that comes on.
    let upload =
        "POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/jsonl\r\nContent-Length: 1000\r\n\r\n";
    let mut open: Vec<_> = ["", upload, "GET /stats HTTP/1.1\r\nX: "].map(|more| ask(addr, &path, more)).into();
    wait_for(addr, "/server/streams/open", 3);
    for _ in 0..1_000 {
        emitter.emit(TextDelta::new("t", "x".repeat(8_000)));
    }
    settle(&recorder);
    let deadline = Instant::now() + SOON;
    while !open.is_empty() {
        open.retain_mut(|tcp| tcp.write_all(b" ").is_ok());
        assert!(Instant::now() < deadline, "{} are still open", open.len());
        // The pace of these clients; nothing waits for it.
        thread::sleep(Duration::from_millis(50));
    }
    wait_for(addr, "/server/streams/open", 0);
}

#[test]
fn a_head_that_dribbles_in_behind_a_slow_upload_has_a_deadline_of_its_own() {
    let (_recorder, server) = with_settings(four_seconds());
    let addr = server.addr();
    let mut tcp = connect(addr);
    let upload = "Content-Type: application/jsonl\r\nContent-Length: 2\r\n\r\n\n\n";
    write!(tcp, "POST /events HTTP/1.1\r\nHost: {addr}\r\n{upload}GET /stats HTTP/1.1\r\nX: ").expect("send");
    assert!(!says_on(&mut tcp, SOON, || "x".into()), "it is not cut");
}
