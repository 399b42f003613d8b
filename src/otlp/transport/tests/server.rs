//! A server on blocking sockets that reads requests of HTTP/1.1 and writes whatever bytes a test wants.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use tokio::net::TcpSocket;

/// What arrived.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) first_line: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    pub(super) fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut lines = std::iter::from_fn(|| line(reader)).take_while(|line| !line.is_empty());
        let first_line = lines.next()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
            .collect();
        let mut this = Self { first_line, headers, body: Vec::new() };
        let length = this.header("content-length").map_or(0, |length| length.parse().expect("length"));
        this.body.resize(length, 0);
        reader.read_exact(&mut this.body).ok()?;
        Some(this)
    }
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    Some(line.trim_end().to_owned())
}

/// What happens with a connection after a request.
pub(super) enum Then {
    KeepOpen,
    Close,
    /// Nothing more is said, and nothing closed.
    Hang,
}

pub(super) struct Server {
    addr: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

impl Server {
    /// Answers every request by the function.
    pub(super) fn start(answer: impl Fn(&Request, &mut TcpStream) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let addr = listener.local_addr().expect("address");
        let this = Self { addr, seen: Arc::default(), connections: Arc::default(), open: Arc::default() };
        let (seen, connections, open, answer) =
            (this.seen.clone(), this.connections.clone(), this.open.clone(), Arc::new(answer));
        thread::spawn(move || {
            for tcp in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::SeqCst);
                open.fetch_add(1, Ordering::SeqCst);
                let (seen, open, answer) = (seen.clone(), open.clone(), answer.clone());
                thread::spawn(move || {
                    attend(tcp, &seen, &*answer);
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        this
    }

    /// Gives every request these bytes.
    pub(super) fn saying(answer: impl Into<Vec<u8>>, then: fn() -> Then) -> Self {
        let answer = answer.into();
        Self::start(move |_, tcp| {
            // Who has heard enough may be gone.
            let _ = tcp.write_all(&answer);
            then()
        })
    }

    /// Answers with a status, headers and a body.
    pub(super) fn with(status: u16, headers: &str, body: &[u8]) -> Self {
        Self::saying(whole(status, headers, body), || Then::KeepOpen)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(super) fn seen(&self) -> Vec<Request> {
        self.seen.lock().expect("lock").clone()
    }

    /// Returns when no connection is open any more.
    pub(super) fn until_closed(&self) {
        while self.open.load(Ordering::SeqCst) > 0 {
            thread::yield_now();
        }
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn attend(mut tcp: TcpStream, seen: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request, &mut TcpStream) -> Then) {
    let mut reader = BufReader::new(tcp.try_clone().expect("clone"));
    while let Some(request) = Request::read(&mut reader) {
        seen.lock().expect("lock").push(request.clone());
        match answer(&request, &mut tcp) {
            Then::KeepOpen => {}
            Then::Close => return,
            Then::Hang => drop(reader.read_to_end(&mut Vec::new())),
        }
    }
}

/// A whole answer; `headers` are lines that end in CRLF.
pub(super) fn whole(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// An address at which nobody listens, nor will as long as this lives: the port is taken.
pub(super) struct Nobody(TcpSocket);

impl Nobody {
    pub(super) fn new() -> Self {
        let port = TcpSocket::new_v4().expect("socket");
        port.bind(([127, 0, 0, 1], 0).into()).expect("bind");
        Self(port)
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.0.local_addr().expect("address")
    }
}
