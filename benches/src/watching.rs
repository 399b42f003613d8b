//! The client of `serving`: many sockets in one thread that count frames, and how late each is where it says when it
//! was sent. As light as it can be, since it runs on the same cores.

use crate::{
    clock,
    serving::{ROLE, System},
};
use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::{io::AsyncWriteExt, net::TcpStream, task::LocalSet};

/// What came of one run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Deliveries in a second.
    pub per_second: f64,
    /// CPU ns of the server's process for each delivery.
    pub delivery: f64,
    /// How late each was, in ns, sorted; of a paced run only.
    pub late: Vec<u64>,
}

/// How events come.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// As fast as the slowest reader takes them, for so long.
    Fast(Duration),
    /// One at a time.
    Paced { rate: u64, count: u64 },
}

/// A server in a process of its own.
struct Served {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Served {
    fn start(system: System) -> (Self, SocketAddr) {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .args([ROLE, &system.key()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server");
        let (to, from) = (child.stdin.take().expect("stdin"), child.stdout.take().expect("stdout"));
        let mut served = Self { child, to, from: BufReader::new(from) };
        let addr = served.hear().parse().expect("an address");
        (served, addr)
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.to, "{line}").expect("the server listens");
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.from.read_line(&mut line).expect("the server speaks");
        line.trim().to_owned()
    }

    fn cpu(&mut self) -> u64 {
        self.tell("cpu");
        self.hear().parse().expect("a number")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the readers had so far.
struct Had {
    frames: RefCell<Vec<u64>>,
    late: RefCell<Vec<u64>>,
    paced: bool,
}

impl Had {
    fn least(&self) -> u64 {
        self.frames.borrow().iter().copied().min().unwrap_or(0)
    }
}

/// Lets this process and its children open as many files as it may.
pub fn raise_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the hard limit may always be taken");
}

/// One server, so many readers, this pace.
pub fn run(system: System, readers: usize, pace: Pace) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let had = Rc::new(Had {
        frames: RefCell::new(vec![0; readers]),
        late: RefCell::default(),
        paced: matches!(pace, Pace::Paced { .. }),
    });
    LocalSet::new().block_on(&runtime, async {
        let (mut served, addr) = Served::start(system);
        let buffer = Rc::new(RefCell::new(vec![0; 256 << 10]));
        for reader in 0..readers {
            let tcp = subscribed(addr).await;
            tokio::task::spawn_local(read(tcp, reader, had.clone(), buffer.clone()));
        }
        wait(&had, system.greeting()).await;
        // What connecting was late with is not over yet.
        tokio::time::sleep(Duration::from_millis(300)).await;
        measure(system, readers as u64, pace, &mut served, &had).await
    })
}

async fn measure(system: System, readers: u64, pace: Pace, served: &mut Served, had: &Had) -> Run {
    let (cpu, start) = (served.cpu(), Instant::now());
    let published = match pace {
        Pace::Fast(limit) => {
            served.tell(&format!("fast {}", limit.as_millis()));
            while start.elapsed() < limit + Duration::from_millis(50) {
                tokio::time::sleep(Duration::from_millis(1)).await;
                served.tell(&format!("had {}", had.least().saturating_sub(system.greeting())));
            }
            served.hear().parse().expect("a number")
        }
        Pace::Paced { rate, count } => {
            served.tell(&format!("paced {rate} {count}"));
            count
        }
    };
    wait(had, published + system.greeting()).await;
    let deliveries = (published * readers) as f64;
    let per_second = deliveries / start.elapsed().as_secs_f64();
    let delivery = (served.cpu() - cpu) as f64 / deliveries;
    let mut late = had.late.take();
    late.sort_unstable();
    Run { per_second, delivery, late }
}

/// Until every reader has had so many frames.
async fn wait(had: &Had, frames: u64) {
    while had.least() < frames {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn subscribed(addr: SocketAddr) -> TcpStream {
    let mut tcp = TcpStream::connect(addr).await.expect("connect");
    let request = format!("GET /stream HTTP/1.1\r\nHost: {addr}\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.expect("send");
    // The head is there, so the server has subscribed; it stays in the socket and has no two line feeds in a row.
    tcp.readable().await.expect("head");
    tcp
}

async fn read(tcp: TcpStream, reader: usize, had: Rc<Had>, buffer: Rc<RefCell<Vec<u8>>>) {
    let mut last = 0;
    loop {
        tcp.readable().await.expect("readable");
        let mut buffer = buffer.borrow_mut();
        match tcp.try_read(&mut buffer) {
            Ok(0) => panic!("the server ended a stream"),
            Ok(size) => {
                let bytes = &buffer[..size];
                had.frames.borrow_mut()[reader] += frames(last, bytes);
                last = bytes[size - 1];
                if had.paced {
                    had.late.borrow_mut().extend(lateness(bytes));
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Ends of frames: two line feeds in a row. Chunks are framed by CR LF, so these never count.
pub fn frames(last: u8, bytes: &[u8]) -> u64 {
    let first = u64::from(last == b'\n' && bytes[0] == b'\n');
    let pairs = bytes.windows(256).step_by(255);
    let done = bytes.len().saturating_sub(1) / 255 * 255;
    let count = |part: &[u8]| {
        part.iter().zip(&part[1..]).map(|(one, next)| u8::from(*one == b'\n' && *next == b'\n')).sum::<u8>()
    };
    first + pairs.map(|part| u64::from(count(part))).sum::<u64>() + u64::from(count(&bytes[done..]))
}

/// How late the events in these bytes are; those that were cut in two are left out.
fn lateness(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let now = clock::monotonic_ns();
    let starts = bytes.windows(3).enumerate().filter(|(_, three)| *three == b"\"m@").map(|(at, _)| at + 3);
    let sent = starts.filter_map(move |at| std::str::from_utf8(bytes.get(at..at + 20)?).ok()?.parse::<u64>().ok());
    sent.map(move |sent| now.saturating_sub(sent))
}
