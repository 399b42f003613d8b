//! Over processes: each has a recorder and a record of its own, and all of them tell one execution.

use super::{LIMIT, begin, client};
use crate::scratch::Scratch;
use axum::{Router, routing::get};
use spanwright::{
    AgentLayer, EventLog, ExecutionId, Recorder, StepId, StreamEvent, WithTraceContext,
    context::{Context, TraceContext, TraceContextLayer},
    event::{Body, ParentType},
    log::{ExecutionsQuery, Query, Scope, SqliteLog, Status},
    span,
};
use std::{
    env,
    future::IntoFuture,
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
};
use tokio::sync::Notify;
use tracing_subscriber::prelude::*;

const PART: &str = "SPANWRIGHT_TEST_PART";
const RECORD: &str = "SPANWRIGHT_TEST_RECORD";
const SERVER: &str = "SPANWRIGHT_TEST_SERVER";

/// This test binary again, as that part.
fn part(name: &str, record: &Path) -> Command {
    let mut command = Command::new(env::current_exe().expect("this binary"));
    command.args(["--exact", "context::processes::a_part_in_a_process_of_its_own", "--nocapture"]);
    command.env(PART, name).env(RECORD, record).env_remove("TRACEPARENT");
    command
}

/// Does work with a record in a file, which is whole when this returns.
fn recording<R>(record: &Path, work: impl FnOnce() -> R) -> R {
    let recorder = Recorder::builder().log(SqliteLog::open(record).expect("open")).start().expect("start");
    let subscriber = tracing_subscriber::registry().with(AgentLayer::new(recorder.clone()));
    let result = tracing::subscriber::with_default(subscriber, work);
    recorder.shutdown(LIMIT).expect("shutdown");
    result
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(future)
}

// -- the other processes ----------------------------------------------------------------------------------------------

#[test]
fn a_part_in_a_process_of_its_own() {
    let (Ok(name), Some(record)) = (env::var(PART), env::var_os(RECORD)) else { return };
    recording(Path::new(&record), || match name.as_str() {
        "worker" => Context::remote(TraceContext::from_env()).in_scope(work),
        "server" => block_on(serve_one_request()),
        other => panic!("{other}"),
    });
}

fn work() {
    let url = env::var(SERVER).expect("the server's address");
    let ask =
        async { client().get(url).with_trace_context().send().await.expect("answer").text().await.expect("text") };
    let tool = span::tool("ask the server").run_with(ask, |_, _| ());
    assert_eq!(block_on(span::agent("worker").run_with(tool, |_, _| ())), "an answer");
}

async fn serve_one_request() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    println!("\nlistens on http://{}", listener.local_addr().expect("address"));
    let done = Arc::new(Notify::new());
    let served = done.clone();
    let answer = move || {
        served.notify_one();
        span::agent("server").run_with(async { "an answer" }, |_, _| ())
    };
    let app = Router::new().route("/", get(answer)).layer(TraceContextLayer::new());
    let until = async move { done.notified().await };
    axum::serve(listener, app).with_graceful_shutdown(until).into_future().await.expect("serve");
}

// -- the first process ------------------------------------------------------------------------------------------------

/// A process that is ended with the test, however that ends, and what it prints.
struct Ended(Child, Lines<BufReader<ChildStdout>>);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_server(record: &Path) -> (Ended, String) {
    let mut server = part("server", record).stdout(Stdio::piped()).spawn().expect("spawn");
    let lines = BufReader::new(server.stdout.take().expect("stdout")).lines();
    let mut server = Ended(server, lines);
    let address = |line: std::io::Result<String>| line.expect("text").strip_prefix("listens on ").map(str::to_owned);
    let url = server.1.find_map(address).expect("its address");
    (server, url)
}

/// The only execution of a record, which must have ended well, and its events.
fn the_execution(record: &Path) -> (ExecutionId, Vec<StreamEvent>) {
    let log = SqliteLog::open(record).expect("open");
    let rows = log.executions(ExecutionsQuery::newest(10)).wait(LIMIT).expect("rows");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0].status, Status::Completed);
    let page = log.read(Query::new(Scope::Everything, 0, 1_000)).wait(LIMIT).expect("page");
    let events = page.events.iter().map(|event| event.to_stream().expect("an event")).collect();
    (rows[0].execution_id.clone(), events)
}

fn step_of(events: &[StreamEvent], name: &str) -> StepId {
    events.iter().filter_map(begin).find(|(_, found, _)| found == name).expect(name).0
}

/// What the execution's start says of where it goes on from.
fn parent(events: &[StreamEvent]) -> Option<(StepId, ParentType)> {
    let Body::ExecutionStart(start) = &events[0].body else { panic!("{:?}", events[0]) };
    Some((StepId::parse(start.parent_id.as_deref()?).expect("a step"), start.parent_type.clone()?))
}

#[test]
fn three_processes_tell_one_execution_whose_parts_hang_together() {
    let scratch = Scratch::new();
    let [first, second, third] = ["first.db", "second.db", "third.db"].map(|name| scratch.file(name));
    let (mut server, url) = start_server(&third);
    recording(&first, || {
        span::agent("boss").in_scope(|| {
            span::tool("run the worker").in_scope(|| {
                let mut worker = part("worker", &second);
                TraceContext::current().expect("a tool runs").to_env(&mut worker);
                assert!(worker.env(SERVER, &url).stdout(Stdio::null()).status().expect("spawn").success());
            });
        });
    });
    assert!(server.0.wait().expect("the server ends").success());

    let [(boss, boss_events), (worker, worker_events), (served, served_events)] =
        [first, second, third].map(|record| the_execution(&record));
    assert_eq!([&worker, &served], [&boss, &boss]);
    assert_eq!(parent(&boss_events), None);
    let went_on = |events, name| Some((step_of(events, name), ParentType::StepExecution));
    assert_eq!(parent(&worker_events), went_on(&boss_events, "run the worker"));
    assert_eq!(parent(&served_events), went_on(&worker_events, "ask the server"));
}
