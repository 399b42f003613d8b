//! One record for several processes: a hub that serves, and workers in any language that post their events to it. The
//! worker here is this program again.

use spanwright::{
    Recorder,
    event::Body,
    hub::{Filter, From, Received},
    log::SqliteLog,
    serve::Server,
};
use std::{
    env,
    error::Error,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::Duration,
};

/// Keeps and shows what the workers send.
fn hub() -> Result<(), Box<dyn Error>> {
    let recorder = Recorder::builder().log(SqliteLog::open("hub.db")?).start()?;
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0")?;
    let mut events = recorder.subscribe(Filter::everything(), From::Live);
    let mut worker = Command::new(env::current_exe()?).arg(server.addr().to_string()).spawn()?;
    while let Received::Event(event) = events.recv_timeout(Duration::from_secs(60)) {
        println!("hub: {}", event.to_json());
        if let Body::ExecutionEnd(_) = event.body {
            break;
        }
    }
    println!("hub: the worker ended with {}", worker.wait()?);
    Ok(())
}

/// Three events, as any language can write them. With its key the body may be sent again after any failure, and is taken once.
fn worker(hub: &str) -> Result<(), Box<dyn Error>> {
    let lines = r#"{"type":"data-execution-start","name":"worker","timestamp":1700000000000}
{"type":"data-note","name":"found","value":{"papers":3},"timestamp":1700000000010}
{"type":"data-execution-end","duration_ms":20,"timestamp":1700000000020}"#;
    let (path, length) = ("/executions/run-7/events", lines.len());
    let headers = "Content-Type: application/x-ndjson\r\nIdempotency-Key: run-7/1\r\nConnection: close";
    let mut line = TcpStream::connect(hub)?;
    write!(line, "POST {path} HTTP/1.1\r\nHost: {hub}\r\n{headers}\r\nContent-Length: {length}\r\n\r\n{lines}")?;
    let mut answer = String::new();
    line.read_to_string(&mut answer)?;
    eprintln!("worker: {}", answer.lines().next().unwrap_or_default());
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        Some(address) => worker(&address),
        None => hub(),
    }
}
