//! The server that clients of other people are held against, see `tests/real/run`. `real_server <log> <port>` listens
//! and says where; then each line of its input is a command, and is answered with one line of its output:
//!
//! - `run <first> <count>`: an execution of so many numbered steps; answered when it is on disk
//! - `stream <count>`: begins an execution of numbered steps with pieces of text between them, one each few milliseconds
//! - `nasty`: an execution that holds everything of `nasty.json`
//! - `script`: an execution with something of everything
//! - `airline <nth>`: the nth of the recorded runs of `../shared`
//! - `restart`: ends server and recorder, and begins both again on the same log and port
//!
//! Every one but the last answers with the id of its execution. At the end of its input the program ends.

#[path = "../it/runs.rs"]
mod runs;
#[allow(dead_code, reason = "our own tests use its parts")]
#[path = "../it/dialects/front_ends/script.rs"]
mod script;

use anyhow::{Context, bail};
use serde_json::Value;
use spanwright::{
    ContentLevel, ContentPolicy, EventEmitter, Recorder, StreamEvent,
    event::{ExecutionEnd, ExecutionStart, StepEnd, TextDelta, TextEnd, TextStart},
    log::SqliteLog,
    serve::{Server, ServerHandle, Settings},
};
use std::{
    io::{BufRead, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

const SOON: Duration = Duration::from_secs(60);
/// Clients that wait for seconds would make the tests wait for minutes.
const RETRY: Duration = Duration::from_millis(10);
/// Between the steps of `stream`: slow enough to be watched.
const PAUSE: Duration = Duration::from_millis(4);

struct Running {
    recorder: Recorder,
    server: ServerHandle,
}

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (log, port) = (args.next().context("a path for the log")?, args.next().context("a port, or 0")?);
    let log = PathBuf::from(log);
    let mut running = start(&log, SocketAddr::from(([127, 0, 0, 1], port.parse()?)))?;
    answer(&running.server.url())?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        if words == ["restart"] {
            running = restart(running, &log)?;
            answer("restarted")?;
            continue;
        }
        let said = command(&running.recorder, &words)?;
        answer(&said)?;
    }
    running.recorder.shutdown(SOON)?;
    Ok(())
}

fn answer(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn start(log: &Path, addr: SocketAddr) -> anyhow::Result<Running> {
    let builder = Recorder::builder().log(SqliteLog::open(log)?).content(ContentPolicy::new(ContentLevel::Full));
    let recorder = builder.start()?;
    let settings = Settings::default().retry(RETRY).drain(Duration::from_millis(50));
    let server = Server::spawn_with(recorder.clone(), addr, settings)?;
    Ok(Running { recorder, server })
}

/// As a program that ends and begins again, without the time that a process takes.
fn restart(running: Running, log: &Path) -> anyhow::Result<Running> {
    let addr = running.server.addr();
    running.server.shutdown()?;
    running.recorder.shutdown(SOON)?;
    drop(running.recorder);
    start(log, addr)
}

fn command(recorder: &Recorder, words: &[&str]) -> anyhow::Result<String> {
    let emitter = recorder.emitter();
    match words {
        ["run", first, count] => run(&emitter, first.parse()?, count.parse()?)?,
        ["stream", count] => stream(&emitter, count.parse()?),
        ["nasty"] => nasty(&emitter)?,
        ["script"] => script(&emitter)?,
        ["airline", nth] => airline(&emitter, nth.parse()?)?,
        other => bail!("no such command: {other:?}"),
    }
    Ok(emitter.execution_id().to_string())
}

fn run(emitter: &EventEmitter, first: u64, count: u64) -> anyhow::Result<()> {
    emitter.emit(ExecutionStart::new());
    (first..first + count).for_each(|number| emitter.emit(StepEnd::new(number)));
    emitter.emit_durable(ExecutionEnd::new(0)).wait(SOON)?;
    Ok(())
}

/// Goes on while clients read it. Whoever restarts the server meanwhile ends it.
fn stream(emitter: &EventEmitter, count: u64) {
    let emitter = emitter.clone();
    std::thread::spawn(move || {
        emitter.emit(ExecutionStart::new());
        emitter.emit(TextStart::new("t"));
        for number in 0..count {
            emitter.emit(TextDelta::new("t", format!("{number} ")));
            emitter.emit(StepEnd::new(number));
            std::thread::sleep(PAUSE);
        }
        emitter.emit(TextEnd::new("t"));
        emitter.emit(ExecutionEnd::new(0));
    });
}

fn nasty(emitter: &EventEmitter) -> anyhow::Result<()> {
    let nasty: Value = serde_json::from_str(include_str!("nasty.json"))?;
    let list = |name: &str| nasty[name].as_array().cloned().unwrap_or_default();
    emitter.emit(ExecutionStart::new());
    for text in list("texts") {
        emitter.emit(TextEnd::new("t").final_text(text.as_str().context("a text")?));
    }
    for tag in list("tags") {
        emitter.emit(StreamEvent::from_json(&serde_json::json!({ "type": tag }).to_string())?);
    }
    emitter.emit_durable(ExecutionEnd::new(0)).wait(SOON)?;
    Ok(())
}

fn script(emitter: &EventEmitter) -> anyhow::Result<()> {
    runs::emit(&script::script(), emitter);
    emitter.recorder().flush().wait(SOON)?;
    Ok(())
}

fn airline(emitter: &EventEmitter, nth: usize) -> anyhow::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/airline-runs.jsonl");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let line = text.lines().nth(nth).context("no such run")?;
    runs::read(line).iter().for_each(|run| runs::emit(run, emitter));
    emitter.recorder().flush().wait(SOON)?;
    Ok(())
}
