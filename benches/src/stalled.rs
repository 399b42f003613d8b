//! What readers that took something once and then nothing any more cost the publisher: worlds with 0, 1 and 64 of them
//! beside four healthy ones, in alternating slices.

use crate::{watching, words::Words};
use futures_util::FutureExt;
use futures_util::StreamExt;
use spanwright::{
    EventEmitter, Recorder,
    hub::{Filter, FrameStream, From},
    serve::{Server, ServerHandle, Settings},
};
use std::{
    hint::black_box,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How readers stall.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Connections whose clients do not read; nobody cuts them.
    Sockets,
    /// Streams in this process that are not polled.
    Subscriptions,
}

/// What one slice saw, in ns.
#[derive(Debug, Default)]
pub struct Samples {
    /// Of one `emit` each.
    pub emit: Vec<u64>,
    /// From the first emit of a group until the hub shows all of it.
    pub shown: Vec<u64>,
}

const HEALTHY: usize = 4;
/// Events that are emitted before it is waited until they are shown.
const GROUP: usize = 16;
/// A slice is less than the hub holds: healthy readers lose nothing.
const GROUPS: usize = 512;
/// Past this nothing waits for a healthy reader any more.
const PATIENCE: Duration = Duration::from_secs(30);

/// A recorder, its server, and those who read it.
pub struct World {
    emitter: EventEmitter,
    words: Words,
    /// Frames that each healthy reader has had.
    had: Vec<Arc<AtomicU64>>,
    emitted: u64,
    _stalled: Stalled,
    _server: ServerHandle,
}

/// Held, and never asked again.
struct Stalled {
    _sockets: Vec<TcpStream>,
    _streams: Vec<FrameStream>,
}

impl World {
    pub fn new(kind: Kind, stalled: usize) -> Self {
        let recorder = Recorder::builder().start().expect("recorder");
        let day = Duration::from_secs(24 * 3600);
        let settings = Settings::default().write_idle(day).keep_alive(day);
        let server = Server::spawn_with(recorder.clone(), "127.0.0.1:0", settings).expect("server");
        let _stalled = match kind {
            Kind::Sockets => {
                Stalled { _sockets: (0..stalled).map(|_| connect(server.addr())).collect(), _streams: Vec::new() }
            }
            Kind::Subscriptions => {
                Stalled { _sockets: Vec::new(), _streams: (0..stalled).map(|_| sleeping(&recorder)).collect() }
            }
        };
        let had = (0..HEALTHY).map(|_| healthy(server.addr())).collect();
        let emitter = recorder.emitter();
        let mut world = Self { emitter, words: Words::new(), had, emitted: 0, _stalled, _server: server };
        // Sockets that nobody reads fill up.
        world.slice();
        world
    }

    /// Emits some thousand events.
    pub fn slice(&mut self) -> Samples {
        let mut samples = Samples::default();
        for _ in 0..GROUPS {
            let start = Instant::now();
            let mut last = start;
            for _ in 0..GROUP {
                self.emitter.emit(black_box(&self.words).call_start());
                let now = Instant::now();
                samples.emit.push(now.duration_since(last).as_nanos() as u64);
                last = now;
            }
            self.emitter.recorder().settle().wait(PATIENCE).expect("settle");
            samples.shown.push(start.elapsed().as_nanos() as u64);
        }
        self.emitted += (GROUPS * GROUP) as u64;
        self.wait_for_healthy();
        samples
    }

    fn wait_for_healthy(&self) {
        let deadline = Instant::now() + PATIENCE;
        // One more: the frame that tells that they are connected.
        while self.had.iter().any(|had| had.load(Ordering::Relaxed) <= self.emitted) {
            assert!(Instant::now() < deadline, "a healthy reader has lost something");
            thread::sleep(Duration::from_micros(200));
        }
    }
}

/// A stream of everything, from the moment that its head is there.
fn connect(addr: SocketAddr) -> TcpStream {
    let mut tcp = TcpStream::connect(addr).expect("connect");
    write!(tcp, "GET /stream HTTP/1.1\r\nHost: {addr}\r\n\r\n").expect("send");
    tcp.peek(&mut [0]).expect("head");
    tcp
}

/// A stream that waits for its first event, and is not looked at when that comes.
fn sleeping(recorder: &Recorder) -> FrameStream {
    let mut stream = recorder.hub().subscribe_frames(Filter::everything(), From::Live);
    assert!(stream.next().now_or_never().is_none());
    stream
}

fn healthy(addr: SocketAddr) -> Arc<AtomicU64> {
    let (had, mut tcp) = (Arc::new(AtomicU64::new(0)), connect(addr));
    let counted = had.clone();
    thread::spawn(move || {
        let (mut buffer, mut last) = (vec![0; 256 << 10], 0);
        while let Ok(size @ 1..) = tcp.read(&mut buffer) {
            counted.fetch_add(watching::frames(last, &buffer[..size]), Ordering::Relaxed);
            last = buffer[size - 1];
        }
    });
    had
}
