//! Cut a thousand times, with the server started again in between: each logged event once, in order.

use super::{SOON, client};
use crate::scratch::Scratch;
use spanwright::{
    Cursor, EventEmitter, ExecutionId, Recorder,
    client::{Events, Update},
    event::{
        ExecutionEnd, ExecutionEvent, ExecutionPaused, ExecutionResumed, ExecutionStart, StepEnd, TextDelta, TextEnd,
        TextStart,
    },
    hub::HubLimits,
    log::SqliteLog,
    serve::{Server, ServerHandle},
};
use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
        mpsc,
    },
    thread,
};

const CUTS: u64 = 1_000;
const CUTS_A_RESTART: u64 = 100;
/// Logged events that may be on the way: more than the hub's ring holds.
const AHEAD: usize = 60;

/// Passes on what a server sends, up to a byte that nobody can foresee; then both lines are cut.
struct Knife {
    addr: SocketAddr,
    /// Where the server is; none between two.
    server: Arc<Mutex<Option<SocketAddr>>>,
    cuts: Arc<AtomicU64>,
    blunt: Arc<AtomicBool>,
}

impl Knife {
    fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        let addr = listener.local_addr().expect("address");
        let server = Arc::new(Mutex::new(Some(server)));
        let (cuts, blunt) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (behind, counted, dull) = (server.clone(), cuts.clone(), blunt.clone());
        thread::spawn(move || {
            let mut random = 0x9e37_79b9_7f4a_7c15_u64;
            for client in listener.incoming().map_while(Result::ok) {
                let Some(server) = *behind.lock().expect("server") else { continue };
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let (counted, dull) = (counted.clone(), dull.clone());
                // The answer's head and first frame have some 500 bytes: they are cut as well.
                let (edge, abrupt) = (50 + (random % 2_500) as usize, random & (1 << 40) != 0);
                thread::spawn(move || cut(client, server, edge, abrupt, &counted, &dull));
            }
        });
        Self { addr, server, cuts, blunt }
    }

    fn now_before(&self, server: Option<SocketAddr>) {
        *self.server.lock().expect("server") = server;
    }

    fn cuts(&self) -> u64 {
        self.cuts.load(SeqCst)
    }
}

fn cut(mut client: TcpStream, server: SocketAddr, edge: usize, abrupt: bool, cuts: &AtomicU64, blunt: &AtomicBool) {
    // A server that is not there: the client's line ends without an answer.
    let Ok(mut server) = TcpStream::connect(server) else { return };
    let (mut from, mut to) = (client.try_clone().expect("clone"), server.try_clone().expect("clone"));
    let asking = thread::spawn(move || std::io::copy(&mut from, &mut to));
    let mut left = edge;
    let mut buffer = [0; 700];
    while left > 0 {
        let room = left.min(buffer.len());
        match server.read(&mut buffer[..room]) {
            Ok(0) | Err(_) => break,
            Ok(read) if client.write_all(&buffer[..read]).is_err() => break,
            Ok(_) if blunt.load(SeqCst) => {}
            Ok(read) => left -= read,
        }
    }
    if left == 0 {
        cuts.fetch_add(1, SeqCst);
    }
    // With a body of chunks both are an end in the middle; the one is also an end of the line.
    let _ = client.shutdown(if abrupt { Shutdown::Both } else { Shutdown::Write });
    let _ = server.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
    drop(asking.join());
}

/// A server that can be started again on the same file. Its port is another each time: the one that it had may be
/// somebody else's by then.
struct Process {
    recorder: Recorder,
    server: ServerHandle,
}

impl Process {
    fn start(scratch: &Scratch) -> Self {
        let log = SqliteLog::open(scratch.file("trace.db")).expect("open");
        let recorder = Recorder::builder().log(log).hub(HubLimits::new(32, 1 << 20)).start().expect("start");
        let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
        Self { recorder, server }
    }

    fn end(self) {
        self.recorder.shutdown(SOON).expect("shutdown");
        self.server.shutdown().expect("end");
    }
}

/// Everything that the client is given, and one word for each logged event to whoever emits.
async fn watch(mut events: Events, seen: mpsc::Sender<()>) -> (Vec<(Cursor, String)>, Events) {
    let mut logged = Vec::new();
    while let Some(update) = events.next().await {
        match update.expect("never the end") {
            Update::Event(event) if event.event.kind().event_type().is_some() => {
                logged.push((event.cursor.expect("cursor"), event.event.to_json()));
                let _ = seen.send(());
            }
            Update::Event(_) | Update::Reconnecting(_) => {}
            other => panic!("{other:?}"),
        }
    }
    (logged, events)
}

/// Letters of two, three and four bytes, so that cuts fall into them.
fn words(n: u64) -> String {
    format!("{n}: für 猫と🦀 — {}", "ß🦀猫".repeat((n % 13) as usize))
}

/// Emits as fast as it is seen, and starts the server again now and then, until it was cut often enough.
fn live(
    scratch: &Scratch,
    mut process: Process,
    id: &ExecutionId,
    knife: &Knife,
    seen: &mpsc::Receiver<()>,
) -> Process {
    let emitter = |process: &Process| -> EventEmitter { process.recorder.emitter().for_execution(id.clone()) };
    let (mut emitting, mut restarts, mut ahead) = (emitter(&process), 0, 0);
    emitting.emit(ExecutionStart::new().name("cut"));
    for n in 0.. {
        let text = words(n);
        emitting.emit(StepEnd::new(n).output(&*text));
        if n % 10 == 0 {
            emitting.emit(TextStart::new(&*text));
            emitting.emit(TextDelta::new(&*text, &*text));
            emitting.emit(TextEnd::new(&*text));
            ahead += 2;
        }
        ahead += 1;
        while ahead > AHEAD {
            seen.recv_timeout(SOON).expect("the client sees what happens");
            ahead -= 1;
        }
        if knife.cuts() / CUTS_A_RESTART > restarts {
            restarts = knife.cuts() / CUTS_A_RESTART;
            // An execution that is not paused would be found lost, and over.
            emitting.emit(ExecutionPaused::new("a new version"));
            drop(emitting);
            knife.now_before(None);
            process.end();
            process = Process::start(scratch);
            knife.now_before(Some(process.server.addr()));
            emitting = emitter(&process);
            emitting.emit(ExecutionResumed::new());
            ahead += 2;
        }
        if knife.cuts() >= CUTS {
            break;
        }
    }
    knife.blunt.store(true, SeqCst);
    emitting.emit(ExecutionEnd::new(1));
    process
}

async fn record(client: &spanwright::client::Client, id: &ExecutionId) -> Vec<ExecutionEvent> {
    let (mut record, mut after) = (Vec::new(), None);
    loop {
        let page = client.event_page(id, after, 1_000).await.expect("page");
        assert_eq!(page.unreadable, 0);
        record.extend(page.events);
        after = Some(page.cursor);
        if page.complete {
            return record;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_a_thousand_times_a_client_has_each_logged_event_once_and_in_order() {
    let scratch = Scratch::new();
    let process = Process::start(&scratch);
    let (knife, id) = (Knife::before(process.server.addr()), ExecutionId::new());
    let (saw, seen) = mpsc::channel();
    let watching = tokio::spawn(watch(client(format!("http://{}", knife.addr)).execution(&id).events(), saw));
    let process = tokio::task::block_in_place(|| live(&scratch, process, &id, &knife, &seen));
    let (logged, events) = tokio::time::timeout(SOON, watching).await.expect("in time").expect("watched");
    process.recorder.flush().await.expect("flush");
    let record = record(&client(process.server.url()), &id).await;
    let kept: Vec<(Cursor, String)> =
        record.iter().map(|event| (event.event_id.cursor(), event.to_stream().to_json())).collect();
    let first_difference = logged.iter().zip(&kept).position(|(seen, kept)| seen != kept);
    assert_eq!(first_difference, None, "{:?}", first_difference.map(|at| (&logged[at], &kept[at])));
    assert_eq!(logged.len(), kept.len());
    assert!(knife.cuts() >= CUTS && events.counts().reconnects >= CUTS, "{:?}", events.counts());
    let epochs = kept.chunk_by(|one, next| one.0.epoch == next.0.epoch).count() as u64;
    assert_eq!(epochs, 1 + CUTS / CUTS_A_RESTART, "an epoch for each start of the server");
}
