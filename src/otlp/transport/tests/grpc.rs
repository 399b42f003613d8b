//! What answers over gRPC come to, and what a server of OTLP receives.

use super::{
    BODY, Reply, SOON, Signal,
    grpc_server::{Answer, End, GrpcServer},
    open, refused, retried, send, taken_with_warning,
};
use crate::otlp::Destination;
use bytes::Bytes;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::TraceService,
    },
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

fn to(server: &GrpcServer) -> Destination {
    Destination::grpc(server.url()).timeout(SOON)
}

/// What comes of a call that is answered like this.
fn answered(answer: impl Fn() -> Answer + Send + Sync + 'static) -> Reply {
    send(&to(&GrpcServer::start(move |_, _, _| answer())))
}

/// A message of protobuf: fields of bytes, or of numbers.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(bytes.len()).expect("short")], bytes].concat()
}

/// `google.rpc.Status` with a `RetryInfo` among other details, in base64.
fn details(delay: &[u8]) -> String {
    let any = |name: &str, value: &[u8]| {
        field(3, &[field(1, format!("type.googleapis.com/google.rpc.{name}").as_bytes()), field(2, value)].concat())
    };
    let status = [vec![0x08, 0x0e], any("Help", b"\x0a\x00"), any("RetryInfo", &field(1, delay))].concat();
    let mut text = String::new();
    for three in status.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        (0..=three.len()).for_each(|at| text.push(alphabet[(bits >> (18 - 6 * at) & 63) as usize].into()));
    }
    text
}

fn status(code: u32, message: &str, details: Option<String>) -> Vec<(&'static str, String)> {
    let pairs = [("grpc-status", code.to_string()), ("grpc-message", message.to_owned())];
    pairs.into_iter().chain(details.map(|details| ("grpc-status-details-bin", details))).collect()
}

#[test]
fn every_code_comes_to_what_the_table_says_with_and_without_a_delay() {
    let seven = [0x08, 0x07, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01];
    for code in 1..=17 {
        for with in [false, true] {
            let info = with.then(|| details(&seven));
            let said = status(code, "why%20not", info);
            // As a server says it that has nothing else to say, and behind a message.
            let only = said.clone();
            let replies =
                [answered(move || Answer::status(only.clone())), answered(move || Answer::message(b"", said.clone()))];
            let [reply, behind] = replies;
            assert_eq!(reply, behind, "{code}");
            let after = with.then_some(Duration::new(7, 500_000_000));
            match (code, with) {
                (1 | 4 | 10 | 11 | 14 | 15, _) | (8, true) => {
                    let (waited, why) = retried(reply);
                    assert_eq!(waited, after, "{code}");
                    assert!(why.ends_with(": why not"), "{why}");
                }
                (8, false) => assert_eq!(reply, Reply::TooLarge("RESOURCE_EXHAUSTED: why not".into())),
                _ => assert!(refused(reply).ends_with(": why not")),
            }
        }
    }
}

#[test]
fn delays_of_all_forms_are_read() {
    for (delay, waited) in [
        // None to speak of: our own then.
        (&b""[..], None),
        (&[0x08, 0x03], Some(Duration::from_secs(3))),
        (&[0x10, 0x80, 0xca, 0xb5, 0xee, 0x01], Some(Duration::from_millis(500))),
        // An hour; less than nothing.
        (&[0x08, 0x90, 0x1c], Some(Duration::from_secs(600))),
        (&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], None),
        // No duration at all.
        (&[0x08, 0xff], None),
    ] {
        let said = status(14, "", Some(details(delay)));
        assert_eq!(retried(answered(move || Answer::status(said.clone()))).0, waited, "{delay:?}");
    }
    for nonsense in ["", "?", "AAAA", "CA4="] {
        let said = status(14, "", Some(nonsense.to_owned()));
        assert_eq!(retried(answered(move || Answer::status(said.clone()))), (None, "UNAVAILABLE".to_owned()));
    }
}

#[test]
fn too_large_for_a_server_of_tonic_is_too_large() {
    let found = "Error, decoded message length too large: found 5242880 bytes, the limit is: 4194304 bytes";
    let reply = answered(move || Answer::status(status(11, found, None)));
    assert!(matches!(reply, Reply::TooLarge(_)), "{reply:?}");
}

#[test]
fn an_answer_is_read_with_a_bound_and_may_be_cut() {
    let large = || {
        let mut answer = Answer::message(b"", vec![("grpc-status", "0".to_owned())]);
        answer.data.extend([const { Bytes::from_static(&[b'x'; 1 << 16]) }; 1].into_iter().cycle().take(80));
        answer
    };
    assert!(taken_with_warning(answered(large)).contains("4194304"));
    let with = |end: End| move || Answer { end, trailers: None, ..Answer::message(b"", Vec::new()) };
    retried(answered(with(End::Cut)));
    let stalled = GrpcServer::start(move |_, _, _| with(End::Stalled)());
    let (_, why) = retried(send(&to(&stalled).timeout(Duration::from_millis(300))));
    assert_eq!(why, "cut off: no answer within 300ms");
    // A status that says nothing of the kind.
    let without = || Answer { trailers: None, ..Answer::message(b"", Vec::new()) };
    assert_eq!(refused(answered(without)), "status 200 without one of gRPC");
    let word = || Answer::status(vec![("grpc-status", "fine".to_owned())]);
    assert_eq!(refused(answered(word)), "UNKNOWN");
}

#[test]
fn what_stands_between_has_only_the_status_of_http() {
    let of = |status: u16| {
        move || Answer {
            status,
            head: Vec::new(),
            data: vec![Bytes::from_static(b"<p>no</p>")],
            trailers: None,
            end: End::Well,
        }
    };
    for status in [429, 502, 503, 504] {
        assert_eq!(retried(answered(of(status))).1, format!("status {status}: <p>no</p>"));
    }
    assert!(matches!(answered(of(413)), Reply::TooLarge(_)));
    for status in [302, 400, 401, 404, 500] {
        refused(answered(of(status)));
    }
}

#[test]
fn who_does_not_speak_http_2_has_not_answered() {
    let old = super::server::Server::with(200, "", b"");
    retried(send(&Destination::grpc(old.url()).timeout(SOON)));
    let nobody = super::server::Nobody::new();
    let nowhere = Destination::grpc(format!("http://{}", nobody.addr()));
    assert!(retried(send(&nowhere)).1.starts_with("no connection: "));
    let silent = super::server::Server::start(|_, _| super::server::Then::Hang);
    let hasty = Destination::grpc(silent.url()).timeout(Duration::from_millis(200));
    assert_eq!(retried(send(&hasty)).1, "no answer within 200ms");
}

#[test]
fn each_signal_has_a_method_and_calls_carry_what_grpc_asks_for() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let server = {
        let seen = seen.clone();
        GrpcServer::start(move |head, path, body| {
            assert_eq!(body, [&[0, 0, 0, 0, u8::try_from(BODY.len()).expect("short")], BODY].concat());
            for (name, value) in [
                ("content-type", "application/grpc"),
                ("te", "trailers"),
                ("grpc-timeout", "30000m"),
                ("x-api-key", "k"),
            ] {
                assert_eq!(head.get(name).map(http::HeaderValue::as_bytes), Some(value.as_bytes()), "{name}");
            }
            seen.lock().expect("lock").push(path.to_owned());
            Answer::message(b"", vec![("grpc-status", "0".to_owned())])
        })
    };
    let destination = to(&server).header("X-Api-Key", "k").metrics(true).logs(true);
    for signal in Signal::ALL {
        assert_eq!(destination.transport(signal).expect("open").send(signal, BODY), Reply::Accepted);
    }
    let paths = ["trace.v1.TraceService", "metrics.v1.MetricsService", "logs.v1.LogsService"];
    let paths = paths.map(|service| format!("/opentelemetry.proto.collector.{service}/Export"));
    assert_eq!(*seen.lock().expect("lock"), paths);
}

#[test]
fn what_the_server_repeats_of_our_headers_is_masked() {
    let said = status(16, "no such key: Bearer canary-token", None);
    let server = GrpcServer::start(move |_, _, _| Answer::status(said.clone()));
    let reply = send(&to(&server).header("authorization", "Bearer canary-token"));
    assert_eq!(refused(reply), "UNAUTHENTICATED: no such key: ***");
}

/// A service that keeps what it gets.
#[derive(Clone, Default)]
pub(super) struct Keeping(pub(super) Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Keeping {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let request = request.into_inner();
        let rejected = request.resource_spans.iter().filter(|spans| spans.scope_spans.is_empty()).count();
        self.0.lock().expect("lock").push(request);
        let partial = (rejected > 0).then(|| ExportTracePartialSuccess {
            rejected_spans: rejected.try_into().expect("few"),
            error_message: "without a scope".into(),
        });
        Ok(tonic::Response::new(ExportTraceServiceResponse { partial_success: partial }))
    }
}

fn request(names: usize) -> ExportTraceServiceRequest {
    let spans = (0..names).map(|name| Span { name: format!("span {name}"), ..Span::default() }).collect();
    let scope = ScopeSpans { spans, ..ScopeSpans::default() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() }],
    }
}

#[test]
fn a_server_of_otlp_gets_what_was_sent_compressed_or_not_over_one_connection() {
    for gzip in [false, true] {
        let kept = Keeping::default();
        let server = GrpcServer::otlp(tonic::transport::Server::builder(), kept.clone());
        let mut transport = open(&to(&server).gzip(gzip));
        let all: Vec<_> = [1, 10, 1000].map(request).into();
        for one in &all {
            assert_eq!(transport.send(Signal::Traces, &one.encode_to_vec()), Reply::Accepted);
        }
        assert_eq!(*kept.0.lock().expect("lock"), all);
        let without = ExportTraceServiceRequest { resource_spans: vec![ResourceSpans::default(); 2] };
        let reply = transport.send(Signal::Traces, &without.encode_to_vec());
        assert_eq!(reply, Reply::Partial { rejected: 2, message: "without a scope".into() });
    }
}

#[test]
fn past_the_limit_of_a_real_server_a_request_is_too_large() {
    let server = GrpcServer::otlp(tonic::transport::Server::builder(), Keeping::default());
    let large = request(400_000).encode_to_vec();
    assert!(large.len() > 4 << 20);
    let reply = open(&to(&server)).send(Signal::Traces, &large);
    assert!(matches!(reply, Reply::TooLarge(_)), "{reply:?}");
}

#[test]
fn a_server_that_comes_back_is_found_again() {
    let server = GrpcServer::otlp(tonic::transport::Server::builder(), Keeping::default());
    let body = request(1).encode_to_vec();
    let mut transport = open(&to(&server));
    assert_eq!(transport.send(Signal::Traces, &body), Reply::Accepted);
    let addr = server.addr();
    drop(server);
    retried(transport.send(Signal::Traces, &body));
    let again = GrpcServer::otlp_at(addr, Keeping::default());
    assert_eq!(transport.send(Signal::Traces, &body), Reply::Accepted);
    drop(again);
}

/// Carries bytes to a server, until it is told that the connections it has by then are dead: what comes on them is
/// swallowed, and nothing is closed, as behind a firewall that forgot them.
struct Carrier {
    addr: SocketAddr,
    dead: Arc<AtomicUsize>,
    begun: Arc<AtomicUsize>,
}

impl Carrier {
    fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let this = Self { addr: listener.local_addr().expect("address"), dead: Arc::default(), begun: Arc::default() };
        let (dead, begun) = (this.dead.clone(), this.begun.clone());
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let (number, far) = (begun.fetch_add(1, SeqCst) + 1, TcpStream::connect(target).expect("connect"));
                for (mut from, mut to) in [
                    (near.try_clone().expect("clone"), far.try_clone().expect("clone")),
                    (far.try_clone().expect("clone"), near.try_clone().expect("clone")),
                ] {
                    let dead = dead.clone();
                    thread::spawn(move || {
                        let mut bytes = [0; 4096];
                        while let Ok(length @ 1..) = from.read(&mut bytes) {
                            if dead.load(SeqCst) < number {
                                let _ = to.write_all(&bytes[..length]);
                            }
                        }
                    });
                }
            }
        });
        this
    }

    fn kill(&self) {
        self.dead.store(self.begun.load(SeqCst), SeqCst);
    }
}

#[test]
fn a_connection_that_died_silently_is_not_used_twice() {
    let server = GrpcServer::otlp(tonic::transport::Server::builder(), Keeping::default());
    let carrier = Carrier::start(server.addr());
    let destination = Destination::grpc(format!("http://{}", carrier.addr));
    let mut transport = open(&destination.timeout(Duration::from_secs(2)));
    let body = request(1).encode_to_vec();
    assert_eq!(transport.send(Signal::Traces, &body), Reply::Accepted);
    carrier.kill();
    retried(transport.send(Signal::Traces, &body));
    assert_eq!(transport.send(Signal::Traces, &body), Reply::Accepted);
}
