//! A back end of OTLP/HTTP on blocking sockets: it remembers what came, in order, and answers as a test tells it to.

use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::any_value,
};
use prost::Message;
use std::{
    collections::{BTreeMap, HashMap},
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

/// What the back end does with a request.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Taken,
    /// Taken but for so many, with these words.
    Partial(i64, &'static str),
    /// Not taken, with a status, further headers (each a line with its end) and a text.
    Refused(u16, &'static str, String),
    /// Taken, and the line breaks before the answer.
    Lost,
    /// The line breaks before anything is taken.
    Broken,
    /// Nothing is said any more.
    Silent,
    /// Not taken, with a status, and a body that never ends.
    Endless(u16),
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    pub(super) bytes: usize,
    pub(super) spans: Vec<Span>,
    pub(super) resource: HashMap<String, String>,
    pub(super) authorization: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) trace_id: u128,
    pub(super) span_id: u64,
    /// 0 for the first of a trace.
    pub(super) parent: u64,
}

type Answers = Arc<dyn Fn(&Arrived) -> Answer + Send + Sync>;

pub(super) struct Collector {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    answers: Mutex<Answers>,
    /// With what was answered.
    seen: Mutex<Vec<(Arrived, Answer)>>,
    bell: Condvar,
}

impl Collector {
    pub(super) fn taking_all() -> Self {
        Self::start(|_| Answer::Taken)
    }

    pub(super) fn start(answers: impl Fn(&Arrived) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let addr = listener.local_addr().expect("address");
        let shared = Shared { answers: Mutex::new(Arc::new(answers)), seen: Mutex::default(), bell: Condvar::new() };
        let this = Self { addr, shared: Arc::new(shared) };
        let shared = this.shared.clone();
        thread::spawn(move || {
            for tcp in listener.incoming().map_while(Result::ok) {
                let shared = shared.clone();
                thread::spawn(move || attend(tcp, &shared));
            }
        });
        this
    }

    /// From now on.
    pub(super) fn answer(&self, answers: impl Fn(&Arrived) -> Answer + Send + Sync + 'static) {
        *self.shared.answers.lock().expect("lock") = Arc::new(answers);
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// All requests, with what was answered.
    pub(super) fn seen(&self) -> Vec<(Arrived, Answer)> {
        self.shared.seen.lock().expect("lock").clone()
    }

    /// Waits until so many requests have come.
    pub(super) fn until_seen(&self, requests: usize) {
        let seen = self.shared.seen.lock().expect("lock");
        let few = |seen: &mut Vec<(Arrived, Answer)>| seen.len() < requests;
        let (seen, late) = self.shared.bell.wait_timeout_while(seen, super::LIMIT, few).expect("lock");
        assert!(!late.timed_out(), "{} requests of {requests}", seen.len());
    }

    /// Spans of requests that were taken, in order, as often as they came.
    pub(super) fn spans(&self) -> Vec<Span> {
        let seen = self.seen();
        seen.into_iter().filter(|(_, answer)| answer.takes()).flat_map(|(arrived, _)| arrived.spans).collect()
    }

    /// The same by trace: what must be what the log says.
    pub(super) fn by_trace(&self) -> BTreeMap<u128, Vec<u64>> {
        let mut traces = BTreeMap::<u128, Vec<u64>>::new();
        for span in self.spans() {
            traces.entry(span.trace_id).or_default().push(span.span_id);
        }
        traces
    }
}

impl Answer {
    pub(super) fn takes(&self) -> bool {
        matches!(self, Self::Taken | Self::Partial(..) | Self::Lost)
    }

    pub(super) fn status(status: u16) -> Self {
        Self::Refused(status, "", String::new())
    }

    fn write(&self, tcp: &mut TcpStream) -> bool {
        let (status, head, body) = match self {
            Self::Taken => (200, "", ExportTraceServiceResponse::default().encode_to_vec()),
            Self::Partial(rejected, words) => {
                let partial =
                    ExportTracePartialSuccess { rejected_spans: *rejected, error_message: (*words).to_owned() };
                (200, "", ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec())
            }
            Self::Refused(status, head, text) => (*status, *head, text.clone().into_bytes()),
            Self::Lost | Self::Broken => return false,
            Self::Endless(status) => return babble(*status, tcp),
            Self::Silent => loop {
                thread::park_timeout(Duration::from_secs(600));
            },
        };
        let kind = if status == 200 { "application/x-protobuf" } else { "text/plain" };
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{head}\r\n");
        tcp.write_all(&[head.as_bytes(), &body].concat()).is_ok()
    }
}

/// Until nobody listens any more.
fn babble(status: u16, tcp: &mut TcpStream) -> bool {
    let head = format!("HTTP/1.1 {status} Said\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = ["10000\r\n".as_bytes(), &[b'x'; 0x10000], b"\r\n"].concat();
    let mut open = tcp.write_all(head.as_bytes()).is_ok();
    while open {
        open = tcp.write_all(&chunk).is_ok();
    }
    false
}

fn attend(mut tcp: TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(tcp.try_clone().expect("clone"));
    while let Some(arrived) = read(&mut reader) {
        let answers = shared.answers.lock().expect("lock").clone();
        let answer = answers(&arrived);
        shared.seen.lock().expect("lock").push((arrived, answer.clone()));
        shared.bell.notify_all();
        if !answer.write(&mut tcp) {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Arrived> {
    let mut lines = std::iter::from_fn(|| {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    });
    let head: HashMap<String, String> = lines
        .by_ref()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
        .collect();
    let mut body = vec![0; head.get("content-length")?.parse().expect("length")];
    reader.read_exact(&mut body).ok()?;
    let request = ExportTraceServiceRequest::decode(&*body).expect("a request of OTLP");
    Some(Arrived { bytes: body.len(), authorization: head.get("authorization").cloned(), ..arrived(request) })
}

pub(super) fn arrived(request: ExportTraceServiceRequest) -> Arrived {
    let mut arrived = Arrived { bytes: 0, spans: Vec::new(), resource: HashMap::new(), authorization: None };
    for of_resource in request.resource_spans {
        for attribute in of_resource.resource.unwrap_or_default().attributes {
            if let Some(any_value::Value::StringValue(text)) = attribute.value.and_then(|value| value.value) {
                arrived.resource.insert(attribute.key, text);
            }
        }
        let spans = of_resource.scope_spans.into_iter().flat_map(|of_scope| of_scope.spans);
        arrived.spans.extend(spans.map(|span| Span {
            trace_id: u128::from_be_bytes(span.trace_id.try_into().expect("16 bytes")),
            span_id: id(&span.span_id).expect("8 bytes"),
            parent: id(&span.parent_span_id).unwrap_or(0),
        }));
    }
    arrived
}

fn id(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}
