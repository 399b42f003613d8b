//! A server in a process of its own, and what it is told: publish as fast as the readers take it, publish at a pace, say
//! what CPU time you took. The client is `watching`.

use crate::{clock, naive::NaiveEvent, words::Words};
use axum::{
    Router,
    extract::State,
    response::sse::{Event, Sse},
    routing::get,
};
use futures_util::Stream;
use spanwright::{
    Recorder,
    hub::HubLimits,
    serve::{Server, Settings},
};
use std::{
    convert::Infallible,
    io::{BufRead, Write},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};
use tokio::sync::broadcast;

/// What ring or channel hold.
const CAPACITY: usize = 16_384;
/// How far the slowest reader may be behind: nobody loses anything.
const WINDOW: u64 = 2_048;
/// Events published in one go where they go as fast as they can.
const GROUP: u64 = 64;
/// The first argument of a process that is a server.
pub const ROLE: &str = "serve";

/// Who serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// axum's `Sse` with `json_data` for each reader, over tokio's broadcast channel: the reference's way.
    AxumJson,
    /// The same with a text that was made once.
    AxumOnce,
    Ours,
    /// Ours, which waits so many ms for more.
    OursCoalesced(u64),
}

impl System {
    pub fn title(self) -> String {
        match self {
            Self::AxumJson => "axum `Sse`, `json_data` per reader".into(),
            Self::AxumOnce => "axum `Sse`, serialised once".into(),
            Self::Ours => "**spanwright**".into(),
            Self::OursCoalesced(wait) => format!("**spanwright**, `coalesce` {wait} ms"),
        }
    }

    /// As an argument of the process.
    pub fn key(self) -> String {
        match self {
            Self::AxumJson => "axum-json".into(),
            Self::AxumOnce => "axum-once".into(),
            Self::Ours => "0".into(),
            Self::OursCoalesced(wait) => wait.to_string(),
        }
    }

    fn of_key(key: &str) -> Self {
        match key {
            "axum-json" => Self::AxumJson,
            "axum-once" => Self::AxumOnce,
            "0" => Self::Ours,
            wait => Self::OursCoalesced(wait.parse().expect("a system")),
        }
    }

    /// Frames that a reader is sent before the first event.
    pub fn greeting(self) -> u64 {
        u64::from(matches!(self, Self::Ours | Self::OursCoalesced(_)))
    }
}

/// Hands one event to all readers.
type Publish = Box<dyn FnMut(&Words)>;

/// If this process was started as a server, serves until its stdin ends and returns true.
pub fn is_server() -> bool {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [role, key, ..] = &words[..] else { return false };
    if role != ROLE {
        return false;
    }
    let (addr, publish) = match System::of_key(key) {
        System::AxumJson => axum_json(),
        System::AxumOnce => axum_once(),
        System::Ours => ours(0),
        System::OursCoalesced(wait) => ours(wait),
    };
    say(addr);
    obey(publish);
    true
}

fn say(what: impl std::fmt::Display) {
    println!("{what}");
    std::io::stdout().flush().expect("stdout");
}

fn ours(coalesce: u64) -> (SocketAddr, Publish) {
    let recorder = Recorder::builder().hub(HubLimits::new(CAPACITY, 256 << 20)).start().expect("recorder");
    let settings = Settings::default().connections(4_096).coalesce(Duration::from_millis(coalesce));
    let server = Server::spawn_with(recorder.clone(), "127.0.0.1:0", settings).expect("server");
    let (addr, emitter) = (server.addr(), recorder.emitter());
    // The server ends with the process.
    std::mem::forget(server);
    (addr, Box::new(move |words| emitter.emit(words.call_start())))
}

fn axum_json() -> (SocketAddr, Publish) {
    let (sender, _) = broadcast::channel::<NaiveEvent>(CAPACITY);
    let addr = serve(Router::new().route("/stream", get(json_stream)).with_state(sender.clone()));
    (addr, Box::new(move |words| drop(sender.send(NaiveEvent::call_start(words)))))
}

async fn json_stream(
    State(sender): State<broadcast::Sender<NaiveEvent>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(received(sender.subscribe(), |event| Event::default().json_data(event).expect("JSON")))
}

fn axum_once() -> (SocketAddr, Publish) {
    let (sender, _) = broadcast::channel::<Arc<str>>(CAPACITY);
    let addr = serve(Router::new().route("/stream", get(text_stream)).with_state(sender.clone()));
    let text = |words: &Words| serde_json::to_string(&NaiveEvent::call_start(words)).expect("JSON");
    (addr, Box::new(move |words| drop(sender.send(text(words).into()))))
}

async fn text_stream(
    State(sender): State<broadcast::Sender<Arc<str>>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(received(sender.subscribe(), |text| Event::default().data(text)))
}

fn received<T: Clone>(
    receiver: broadcast::Receiver<T>,
    event: fn(T) -> Event,
) -> impl Stream<Item = Result<Event, Infallible>> {
    futures_util::stream::unfold(receiver, move |mut receiver| async move {
        let one = receiver.recv().await.expect("nothing is lost");
        Some((Ok(event(one)), receiver))
    })
}

/// On a thread and a runtime of its own, as `Server::spawn` does it.
fn serve(router: Router) -> SocketAddr {
    let (started, start) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
            started.send(listener.local_addr().expect("addr")).expect("start");
            let listener = axum::serve::ListenerExt::tap_io(listener, |tcp| tcp.set_nodelay(true).expect("nodelay"));
            axum::serve(listener, router).await.expect("serve");
        });
    });
    start.recv().expect("start")
}

/// Does what stdin says, line by line: `cpu`, `had N` (the slowest reader), `fast MS`, `paced RATE COUNT`.
fn obey(mut publish: Publish) {
    let had = Arc::new(AtomicU64::new(0));
    let (send, commands) = mpsc::channel();
    let heard = had.clone();
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if let Some(frames) = line.strip_prefix("had ") {
                heard.store(number(frames), Relaxed);
            } else if send.send(line).is_err() {
                return;
            }
        }
    });
    for line in commands {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["cpu"] => say(clock::process_ns()),
            ["fast", limit] => say(fast(&mut publish, Duration::from_millis(number(limit)), &had)),
            ["paced", rate, count] => paced(&mut publish, number(rate), number(count)),
            _ => panic!("{line}"),
        }
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

/// As fast as the slowest reader takes it; gives how many.
fn fast(publish: &mut Publish, limit: Duration, had: &AtomicU64) -> u64 {
    let (words, end, mut published) = (Words::new(), Instant::now() + limit, 0);
    while Instant::now() < end {
        if published + GROUP > had.load(Relaxed) + WINDOW {
            thread::sleep(Duration::from_micros(200));
            continue;
        }
        (0..GROUP).for_each(|_| publish(&words));
        published += GROUP;
    }
    published
}

/// One at a time, so many in a second. Each says when it was sent, see `watching`.
fn paced(publish: &mut Publish, rate: u64, count: u64) {
    let (mut words, start) = (Words::new(), Instant::now());
    for n in 0..count {
        let due = start + Duration::from_nanos(n * 1_000_000_000 / rate);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        words.model = format!("m@{:020}@", clock::monotonic_ns());
        publish(&words);
    }
}
