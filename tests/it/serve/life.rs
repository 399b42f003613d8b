//! Health, limits, readers that stall, and ends.

use super::{
    SOON, emit_numbers,
    hostile::{ask, many},
    numbers, served, settle, stream_of, tags, until, wait_for, with_settings,
};
use crate::http::{Frame, connect, get};
use spanwright::{
    EventEmitter, EventLog, Pending, Recorder,
    event::{Batch, Body, ExecutionEnd, StepEnd, TextDelta},
    log::MemoryLog,
    serve::{Server, ServerHandle, Settings},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

#[test]
fn streams_end_when_the_recorder_shuts_down_and_health_says_so() {
    let (recorder, server, emitter) = served(100);
    assert_eq!(
        get(server.addr(), "/health").json(),
        serde_json::json!({"status": "ok", "recorder": "ok", "hub": "ok", "log": "ok"})
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
    crate::hands_on::hands_on!(self to self.0 => opened_at unfinished flush read last_before resolve sessions executions execution place keep_place close);

    fn append(&self, batch: Arc<Batch>) -> Pending<()> {
        // An error is the end of the test.
        let _ = self.1.lock().expect("lock").recv();
        self.0.append(batch)
    }
}

#[test]
fn health_fails_within_two_seconds_when_the_writer_hangs_and_recovers_with_it() {
    let (go, hangs) = mpsc::channel();
    let log = Wedged(MemoryLog::new(), Mutex::new(hangs));
    let recorder = Recorder::builder().log(log).start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    recorder.emitter().emit(StepEnd::new(1_u64));
    // The writer hangs until the test lets it go, so that an answer at all is one that did not wait for it.
    let health = get(server.addr(), "/health");
    assert_eq!(health.status, 503);
    assert!(health.json()["error"].as_str().expect("error").contains("2 s"));
    drop(go);
    // On a busy machine all may take longer once more.
    until(|| get(server.addr(), "/health").status == 200);
}

/// Readers of one execution: fifty that ask and do not read, and three that do; and 8 MB for each of them.
struct Fifty {
    recorder: Recorder,
    server: ServerHandle,
    emitter: EventEmitter,
    stalled: Vec<TcpStream>,
    healthy: Vec<JoinHandle<Vec<Frame>>>,
}

impl Fifty {
    fn stall(write_idle: Duration) -> Self {
        let (recorder, server) = with_settings(Settings::default().write_idle(write_idle));
        let (addr, emitter) = (server.addr(), recorder.emitter());
        let path = stream_of(&emitter);
        let stalled: Vec<_> = (0..many().min(50)).map(|_| ask(addr, &path, "")).collect();
        let healthy =
            (0..3).map(|_| get(addr, &path)).map(|reply| thread::spawn(move || reply.events())).collect::<Vec<_>>();
        wait_for(addr, "/server/streams/open", stalled.len() as u64 + 3);
        let piece = "x".repeat(8_000);
        (0..1_000).for_each(|_| emitter.emit(TextDelta::new("t", piece.as_str())));
        settle(&recorder);
        Self { recorder, server, emitter, stalled, healthy }
    }

    /// Those who read had everything, up to the end.
    fn ended_whole(self) {
        for reader in self.healthy {
            let frames = reader.join().expect("reader");
            let length =
                |frame: &Frame| if let Body::TextDelta(piece) = frame.data().body { piece.delta.len() } else { 0 };
            assert_eq!(frames.iter().map(length).sum::<usize>(), 8_000_000);
            assert!(tags(&frames).iter().all(|tag| *tag != "data-stream-lagged" && *tag != "data-stream-gap"));
        }
        assert_eq!(self.recorder.stats().shed(), 0);
    }
}

#[test]
fn fifty_stalled_readers_hold_up_neither_the_emitter_nor_those_who_read() {
    // For as long as this test takes nobody is cut: whoever waited for them would wait on.
    let fifty = Fifty::stall(10 * SOON);
    let (addr, stalled) = (fifty.server.addr(), fifty.stalled.len() as u64);
    fifty.emitter.emit(ExecutionEnd::new(1_u64));
    wait_for(addr, "/server/streams/open", stalled);
    assert_eq!(get(addr, "/stats").json()["server"]["stalled"], 0);
    fifty.ended_whole();
}

#[test]
fn fifty_stalled_readers_are_closed_while_others_read_on() {
    // Longer than those who read may have to wait for their turn.
    let fifty = Fifty::stall(Duration::from_secs(5));
    let (addr, stalled) = (fifty.server.addr(), fifty.stalled.len() as u64);
    wait_for(addr, "/server/stalled", stalled);
    wait_for(addr, "/server/streams/open", 3);
    fifty.emitter.emit(ExecutionEnd::new(1_u64));
    fifty.ended_whole();
}

#[test]
fn a_client_that_never_sends_a_whole_request_is_closed() {
    // Longer than the test may have to wait for its turn between its connection and what it says there.
    let short = Duration::from_secs(1);
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
    let (recorder, server) = with_settings(Settings::default().drain(Duration::from_secs(2)));
    let (addr, emitter) = (server.addr(), recorder.emitter());
    let mut healthy = get(addr, &stream_of(&emitter));
    let _stalled = ask(addr, &stream_of(&emitter), "");
    wait_for(addr, "/server/streams/open", 2);
    let (came, has_all) = mpsc::channel();
    let reader = thread::spawn(move || {
        let first: Vec<Frame> = (0..501).map_while(|_| healthy.event()).collect();
        came.send(()).expect("the test waits");
        (first, healthy.events())
    });
    (0..500).for_each(|_| emitter.emit(TextDelta::new("t", "x".repeat(8_000))));
    settle(&recorder);
    // How long it takes to read all that is the machine's affair; only the end is left for the end.
    has_all.recv_timeout(SOON).expect("all of it");
    server.shutdown().expect("within its bound");
    let (frames, rest) = reader.join().expect("its body ends whole");
    assert_eq!((frames[0].event(), frames.len(), rest.len()), ("data-connected", 501, 0));
    // A process that another test starts holds a copy of the listener for a moment.
    until(|| TcpStream::connect(addr).is_err());
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
    let closed = Server::bind("10.0.0.1:0").await.expect_err("foreign");
    assert!(closed.is_config());
}
