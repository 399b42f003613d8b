//! The server over real sockets.

mod access;
mod access_jwt;
mod answers;
mod described;
mod fits;
mod hostile;
mod ingest;
mod ingest_bombs;
mod ingest_keys;
mod ingest_restart;
mod life;
mod lists;
mod mounted;
mod resume;
mod slow;
mod snapshots;
mod steer;
mod streams;

pub(crate) use described::description;

use crate::http::{Frame, Reply, get, get_with};
use spanwright::{
    ContentLevel, ContentPolicy, Cursor, EventEmitter, Recorder,
    event::{Body, StepEnd},
    hub::HubLimits,
    log::MemoryLog,
    serve::{Server, ServerHandle, Settings},
};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_secs(60);

/// A recorder with a log and a hub of `ring` events, a server for it, and an emitter on it.
fn served(ring: usize) -> (Recorder, ServerHandle, EventEmitter) {
    let builder = Recorder::builder().log(MemoryLog::new()).hub(HubLimits::new(ring, 32 << 20));
    let recorder = builder.start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    let emitter = recorder.emitter();
    (recorder, server, emitter)
}

/// What these tests say is of sockets and time: no text is looked through, which takes long in a build for tests.
fn with_settings(settings: Settings) -> (Recorder, ServerHandle) {
    let builder = Recorder::builder().log(MemoryLog::new()).content(ContentPolicy::new(ContentLevel::Full));
    let recorder = builder.start().expect("start");
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

/// Asks again and again until it is so.
fn until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < deadline, "it never is so");
        std::thread::yield_now();
    }
}
