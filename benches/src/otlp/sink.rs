//! Who takes what is sent, in a process of its own: reads all of it, says that it is fine, and looks at nothing.

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Response},
    routing::post,
};
use http_body_util::{BodyExt, Full};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
};

/// The first argument of a process that is a sink.
const ROLE: &str = "sink";

/// The address of a new sink for OTLP over HTTP.
pub(super) fn http() -> String {
    start("http")
}

/// The address of a new sink for OTLP over gRPC.
pub(super) fn grpc() -> String {
    start("grpc")
}

/// It ends with its stdin, and so with this process.
fn start(protocol: &str) -> String {
    let program = std::env::current_exe().expect("this program");
    let sink = Command::new(program).args([ROLE, protocol]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut sink = sink.expect("a sink");
    let mut address = String::new();
    BufReader::new(sink.stdout.take().expect("stdout")).read_line(&mut address).expect("the sink speaks");
    std::mem::forget(sink);
    format!("http://{}", address.trim())
}

/// If this process was started as a sink, takes until its stdin ends and returns true.
pub fn is_sink() -> bool {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [role, protocol, ..] = &words[..] else { return false };
    if role != ROLE {
        return false;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    std::io::stdout().flush().expect("stdout");
    let take = if protocol == "http" { take_http } else { take_grpc };
    std::thread::spawn(move || take(listener));
    _ = std::io::stdin().read_to_end(&mut Vec::new());
    true
}

fn take_http(listener: TcpListener) {
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || answer_http(&stream));
    }
}

fn answer_http(stream: &TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let (mut from, mut to) = (BufReader::with_capacity(256 << 10, stream), stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            from.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
            if line == "\r\n" {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok()?;
            }
        }
        std::io::copy(&mut Read::by_ref(&mut from).take(length), &mut std::io::sink()).ok()?;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        to.write_all(head.as_bytes()).ok()?;
    }
}

fn take_grpc(listener: TcpListener) {
    listener.set_nonblocking(true).expect("non-blocking");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let app = Router::new().route("/opentelemetry.proto.collector.trace.v1.TraceService/Export", post(answer_grpc));
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        axum::serve(listener, app).await.expect("served");
    });
}

/// An empty message, and that all is well.
async fn answer_grpc(body: Body) -> Response<Body> {
    let mut body = body;
    while let Some(Ok(_)) = body.frame().await {}
    let trailers = HeaderMap::from_iter([("grpc-status".parse().expect("a name"), HeaderValue::from_static("0"))]);
    let empty = Full::new(Bytes::from_static(&[0; 5])).with_trailers(std::future::ready(Some(Ok(trailers))));
    Response::builder().header("content-type", "application/grpc").body(Body::new(empty)).expect("a response")
}
