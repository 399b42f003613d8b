//! A small HTTP/1.1 client on blocking sockets, and a reader of server-sent events: what a test sees is the bytes.

use spanwright::{Cursor, StreamEvent};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};
use tokio::net::TcpSocket;

/// Only so that what waits for nothing fails instead of hanging; a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer, its body still to be read.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: Vec<(String, String)>,
    reader: BufReader<TcpStream>,
    buffer: Vec<u8>,
    /// How much of the buffer was given out as frames.
    taken: usize,
}

/// One block of an event stream, up to its blank line.
#[derive(Debug, Clone)]
pub(crate) struct Frame(pub(crate) String);

pub(crate) fn get(addr: SocketAddr, path: &str) -> Reply {
    get_with(addr, path, &[])
}

/// A `Host` among the headers takes the place of the right one.
pub(crate) fn get_with(addr: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = format!("GET {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        request += &format!("Host: {addr}\r\n");
    }
    headers.iter().for_each(|(name, value)| request += &format!("{name}: {value}\r\n"));
    send(addr, &(request + "\r\n"))
}

/// A body of known length.
pub(crate) fn post(addr: SocketAddr, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut tcp = connect(addr);
    tcp.write_all(post_head(addr, path, headers, body.len()).as_bytes()).expect("send");
    // A server that refuses may close before it has everything; what it says is what counts.
    let _ = tcp.write_all(body);
    Reply::read(tcp)
}

pub(crate) fn post_head(addr: SocketAddr, path: &str, headers: &[(&str, &str)], length: usize) -> String {
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: {addr}\r\nContent-Length: {length}\r\n");
    headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    head + "\r\n"
}

pub(crate) fn send(addr: SocketAddr, request: &str) -> Reply {
    let mut tcp = connect(addr);
    tcp.write_all(request.as_bytes()).expect("send");
    Reply::read(tcp)
}

pub(crate) fn connect(addr: SocketAddr) -> TcpStream {
    let tcp = TcpStream::connect(addr).expect("connect");
    tcp.set_read_timeout(Some(PATIENCE)).expect("timeout");
    tcp
}

/// The same for who is going to stall: the kernel holds little of what is not read, however much it is used to hold.
pub(crate) fn connect_narrow(addr: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("runtime");
    let connected = runtime.block_on(async {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_recv_buffer_size(16 << 10)?;
        socket.connect(addr).await?.into_std()
    });
    let tcp = connected.expect("connect");
    tcp.set_nonblocking(false).expect("a blocking socket");
    tcp.set_read_timeout(Some(PATIENCE)).expect("timeout");
    tcp
}

impl Reply {
    pub(crate) fn read(tcp: TcpStream) -> Self {
        let mut reader = BufReader::new(tcp);
        let mut lines = std::iter::from_fn(|| Some(line(&mut reader)));
        let first = lines.next().expect("status line");
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{first:?}"));
        let head = lines
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())));
        Self { status, head: head.collect(), reader, buffer: Vec::new(), taken: 0 }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The next piece of the body; false at its end.
    fn more(&mut self) -> bool {
        let size = match self.header("content-length") {
            Some(length) if self.buffer.is_empty() => length.parse().expect("length"),
            Some(_) => 0,
            None if self.header("transfer-encoding") == Some("chunked") => {
                usize::from_str_radix(&line(&mut self.reader), 16).expect("chunk size")
            }
            None => 0,
        };
        let chunked = self.header("content-length").is_none();
        let start = self.buffer.len();
        self.buffer.resize(start + size, 0);
        self.reader.read_exact(&mut self.buffer[start..]).expect("body");
        if chunked && size > 0 {
            assert_eq!(line(&mut self.reader), "");
        }
        size > 0
    }

    pub(crate) fn text(mut self) -> String {
        while self.more() {}
        String::from_utf8(self.buffer).expect("UTF-8")
    }

    pub(crate) fn json(self) -> serde_json::Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
    }

    /// The next block of an event stream; none when the body has ended, which it only does after a blank line.
    pub(crate) fn frame(&mut self) -> Option<Frame> {
        loop {
            let rest = &self.buffer[self.taken..];
            if let Some(end) = rest.windows(2).position(|two| two == b"\n\n") {
                self.taken += end + 2;
                return Some(Frame(String::from_utf8(rest[..end + 2].to_vec()).expect("UTF-8")));
            }
            self.buffer.drain(..std::mem::take(&mut self.taken));
            if !self.more() {
                assert!(self.buffer.is_empty(), "an event is cut off");
                return None;
            }
        }
    }

    /// The next event: comments are passed over, but not for ever. A server says with them that it lives, and no more.
    pub(crate) fn event(&mut self) -> Option<Frame> {
        let asked = Instant::now();
        std::iter::from_fn(|| self.frame()).find(|frame| {
            let is_comment = frame.0.starts_with(':');
            assert!(!is_comment || asked.elapsed() < PATIENCE, "nothing comes but signs of life");
            !is_comment
        })
    }

    /// All events that are left, and the body's end.
    pub(crate) fn events(mut self) -> Vec<Frame> {
        std::iter::from_fn(|| self.event()).collect()
    }
}

fn line(reader: &mut impl BufRead) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).expect("line");
    assert!(line.ends_with("\r\n"), "{line:?}");
    line.truncate(line.len() - 2);
    line
}

impl Frame {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn id(&self) -> Option<Cursor> {
        self.field("id").map(|text| text.parse().expect("an id is a cursor"))
    }

    pub(crate) fn event(&self) -> &str {
        self.field("event").expect("event")
    }

    pub(crate) fn data(&self) -> StreamEvent {
        StreamEvent::from_json(self.field("data").expect("data")).expect("an event")
    }
}
