//! Over real sockets: axum serves with the tower layer, reqwest asks.

use super::{PARENT, TRACE, client, record, starts, steps};
use axum::{Router, http::HeaderMap, routing::get};
use spanwright::{
    WithTraceContext, agent,
    context::{Context, TraceContext, TraceContextLayer},
    span,
};

async fn answer() -> String {
    tokio::task::yield_now().await;
    let inside = span::agent("server").run_with(async { TraceContext::current() }, |_, _| ()).await;
    inside.expect("an agent runs").traceparent()
}

/// What a client sent.
async fn echo(headers: HeaderMap) -> String {
    let names = ["traceparent", "tracestate", "baggage"];
    names.map(|name| headers.get(name).map_or("-", |value| value.to_str().expect("text")).to_owned()).join(" ")
}

/// Runs a client against a server, both in this thread and under its subscriber.
fn with_server<F: Future<Output = R>, R>(client: impl FnOnce(String) -> F) -> R {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let app = Router::new().route("/", get(answer)).layer(TraceContextLayer::new()).route("/echo", get(echo));
        let server = tokio::spawn(axum::serve(listener, app).into_future());
        let result = client(url).await;
        server.abort();
        result
    })
}

async fn ask(url: &str, headers: &[(&str, &str)]) -> String {
    let request = client().get(url);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.with_trace_context().send().await.expect("answer").text().await.expect("text")
}

#[test]
fn a_request_is_served_in_the_trace_that_its_headers_name() {
    let (inside, events) = record(|| with_server(|url| async move { ask(&url, &[("TraceParent", PARENT)]).await }));
    assert_eq!(TraceContext::parse(&inside).expect("a context").execution_id().trace_id(), TRACE);
    assert_eq!(starts(&events)[0].1.parent_id.as_deref(), Some("step_1234567890123456"));
    let (_, events) = record(|| with_server(|url| async move { ask(&url, &[("traceparent", "bad")]).await }));
    assert_eq!(starts(&events)[0].1.parent_id, None);
    assert_eq!(steps(&events), ["server"]);
}

#[test]
fn two_requests_on_one_connection_stay_apart() {
    let (_, events) = record(|| {
        with_server(|url| async move {
            let client = client();
            for request in [client.get(&url).header("traceparent", PARENT), client.get(&url)] {
                request.send().await.expect("answer").text().await.expect("text");
            }
        });
    });
    let came: Vec<_> = starts(&events).iter().map(|(_, start)| start.parent_id.is_some()).collect();
    assert_eq!(came, [true, false]);
}

#[agent]
async fn research(url: String) -> String {
    span::tool("search").run(ask(&url, &[])).await
}

#[test]
fn a_request_says_which_step_sent_it() {
    let (echoed, events) = record(|| {
        with_server(|url| async move {
            let echo = format!("{url}/echo");
            assert_eq!(ask(&echo, &[("baggage", "my=own")]).await, "- - my=own");
            let came = TraceContext::parse(PARENT).expect("good").with_tracestate("a=1").with_baggage("b=2");
            Context::remote(came).run(research(echo)).await
        })
    });
    let (tool, ..) = events.iter().filter_map(super::begin).find(|(_, name, _)| name == "search").expect("a tool");
    assert_eq!(echoed, format!("00-{TRACE:032x}-{:016x}-01 a=1 b=2", tool.span_id()));
}
