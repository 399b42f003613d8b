//! What arrives: bodies, headers, on whatever thread and runtime it is sent.

use super::{BODY, Reply, SOON, Signal, http, open, send, server::*};
use crate::otlp::{Destination, Encoding};
use flate2::read::GzDecoder;
use std::io::Read;

#[test]
fn a_request_arrives_as_it_was_encoded_with_the_headers_of_the_specification() {
    let server = Server::with(200, "", b"");
    assert_eq!(send(&http(&server).header("x-mlflow-experiment-id", "0").header("Api-Key", " k ")), Reply::Accepted);
    let request = &server.seen()[0];
    assert_eq!(request.first_line, "POST /v1/traces HTTP/1.1");
    assert_eq!(request.body, BODY);
    for (name, value) in [
        ("content-type", "application/x-protobuf"),
        ("user-agent", concat!("spanwright/", env!("CARGO_PKG_VERSION"))),
        ("x-mlflow-experiment-id", "0"),
        ("api-key", "k"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    for name in ["content-encoding", "accept-encoding", "referer", "authorization"] {
        assert_eq!(request.header(name), None, "{name}");
    }
}

#[test]
fn json_and_gzip_say_so() {
    let server = Server::with(200, "", b"");
    let body = "{\"resourceSpans\":[]}".repeat(1000);
    let mut transport = open(&http(&server).encoding(Encoding::Json).gzip(true));
    assert_eq!(transport.send(Signal::Traces, body.as_bytes()), Reply::Accepted);
    let request = &server.seen()[0];
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    assert!(request.body.len() < 1000);
    let mut plain = String::new();
    GzDecoder::new(&*request.body).read_to_string(&mut plain).expect("gzip");
    assert_eq!(plain, body);
}

#[test]
fn each_signal_has_a_path_of_its_own_below_the_base_and_an_own_url_is_used_as_it_is() {
    let server = Server::with(200, "", b"");
    let all = Destination::http(format!("{}/below/?key=k", server.url())).timeout(SOON).metrics(true).logs(true);
    let all = all.logs_url(format!("{}/own?a=b", server.url()));
    for signal in Signal::ALL {
        assert_eq!(all.transport(signal).expect("open").send(signal, BODY), Reply::Accepted);
    }
    let lines: Vec<_> = server.seen().into_iter().map(|request| request.first_line).collect();
    assert_eq!(
        lines,
        ["POST /below/v1/traces?key=k HTTP/1.1", "POST /below/v1/metrics?key=k HTTP/1.1", "POST /own?a=b HTTP/1.1"]
    );
}

#[test]
fn user_and_password_of_an_address_are_sent_as_basic_authentication() {
    let server = Server::with(200, "", b"");
    let address = server.url().replace("http://", "http://user:pass%40word@");
    assert_eq!(send(&Destination::http(address).timeout(SOON)), Reply::Accepted);
    let request = &server.seen()[0];
    assert_eq!(request.header("authorization"), Some("Basic dXNlcjpwYXNzQHdvcmQ="));
    assert_eq!(request.header("host"), Some(&*server.addr().to_string()));
}

#[test]
fn it_sends_on_any_thread_inside_and_outside_of_any_runtime() {
    use tokio::runtime::Builder;
    let server = Server::with(200, "", b"");
    let destination = http(&server);
    assert_eq!(send(&destination), Reply::Accepted);
    let one = Builder::new_current_thread().build().expect("runtime");
    let many = Builder::new_multi_thread().worker_threads(1).build().expect("runtime");
    for runtime in [one, many] {
        // On the runtime's own thread, where the transport is also dropped.
        assert_eq!(runtime.block_on(async { send(&destination) }), Reply::Accepted);
        // On a thread that is begun from within it, as the pump's is, and when the runtime is gone.
        let destination = destination.clone();
        let thread = runtime.block_on(async { std::thread::spawn(move || send(&destination)) });
        drop(runtime);
        assert_eq!(thread.join().expect("no panic"), Reply::Accepted);
    }
}

#[test]
fn nobody_hears_what_the_client_says_of_itself() {
    #[derive(Clone, Default)]
    struct Heard(std::sync::Arc<std::sync::atomic::AtomicUsize>);
    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Heard {
        fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }
    use tracing_subscriber::layer::SubscriberExt;
    let (server, heard) = (Server::with(200, "", b""), Heard::default());
    let subscriber = tracing_subscriber::registry().with(heard.clone());
    tracing::subscriber::with_default(subscriber, || {
        assert_eq!(send(&http(&server)), Reply::Accepted);
        tracing::info!("heard");
    });
    assert_eq!(heard.0.load(std::sync::atomic::Ordering::SeqCst), 1);
}
