//! Fills a log with runs, and sends a log to a back end, for `tests/real/otlp`:
//!
//! - `replay fill <log> <count>`: so many of the recorded runs of `../shared`, and the made-up ones of `extra.rs`; prints
//!   one line for each: its name and its trace id
//! - `replay beside <log>`: puts one more run into it, of things that overlap (`extra.rs`)
//! - `replay draw <log> <file>`: writes the log as a trace for Perfetto, with content
//! - `replay export <log> <seconds> <dialect>`: delivers the log to where the variables of OpenTelemetry say, in the dialect
//!   that is the default or in `everything`, the whole of OpenInference and Langfuse's names; prints what became of it
//!
//! The recorded runs have neither times nor token counts. Those here are made up by plain rules, which
//! `lib/expected.py` has too: no figure that comes of them says anything of the model or of the agent.

mod extra;
#[allow(dead_code, reason = "our own tests emit them as they are")]
#[path = "../../it/runs.rs"]
mod runs;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use spanwright::{
    ContentLevel, ContentPolicy, EventEmitter, Json, Recorder, StreamEvent, Text, Timestamp,
    event::{Body, Kind, TokenUsage, ToolFailure, ToolOutputError},
    log::{EventLog, SqliteLog},
    otlp::{Delivery, Destination, Export, OpenInference, Stats},
};
use std::{
    fs::File,
    io::BufWriter,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_secs(60);

/// Made up: how long it takes from a request to the first piece of the answer, from one piece to the next, and to run a
/// tool.
const FIRST_PIECE_MS: i64 = 600;
const PIECE_MS: i64 = 10;
const TOOL_MS: i64 = 80;
/// Made up: tokens of each message before the answer; how many of them were cached, from the second call on; tokens of an
/// answer.
const INPUT_TOKENS: u64 = 100;
const CACHED_TOKENS: u64 = 40;
const OUTPUT_TOKENS: u64 = 30;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["fill", log, count] => fill(Path::new(log), count.parse()?),
        ["beside", log] => record(Path::new(log), vec![extra::beside(Timestamp::now().unix_millis())]),
        ["draw", log, file] => draw(Path::new(log), Path::new(file)),
        ["export", log, seconds, dialect] => export(Path::new(log), Duration::from_secs(seconds.parse()?), dialect),
        _ => bail!("see tests/real/otlp/replay.rs: fill, beside, draw, export"),
    }
}

fn fill(log: &Path, count: usize) -> anyhow::Result<()> {
    let began = Timestamp::now().unix_millis() - 3_600_000;
    let mut named = extra::runs(began);
    for line in recorded()?.lines().take(count) {
        let at = began + i64::try_from(named.len())? * 10_000;
        named.push(Replay::of(&serde_json::from_str(line)?, at).finished()?);
    }
    record(log, named)
}

fn record(log: &Path, named: Vec<(String, Vec<StreamEvent>)>) -> anyhow::Result<()> {
    let policy = ContentPolicy::new(ContentLevel::Full);
    let recorder = Recorder::builder().log(SqliteLog::open(log)?).content(policy).without_hub().start()?;
    for (name, events) in named {
        let emitter = recorder.emitter();
        tell(&emitter, events);
        println!("{name} {:032x}", emitter.execution_id().trace_id());
    }
    recorder.flush().wait(SOON)?;
    Ok(recorder.shutdown(SOON)?)
}

/// Without them, only what is made up is told.
fn recorded() -> anyhow::Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/airline-runs.jsonl");
    if !path.exists() {
        eprintln!("skipped: the recorded runs, {} is not there", path.display());
        return Ok(String::new());
    }
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// Waits now and then: nothing is to be shed here.
fn tell(emitter: &EventEmitter, events: Vec<StreamEvent>) {
    events.into_iter().for_each(|event| emitter.emit(event));
    emitter.recorder().flush().wait(SOON).ok();
}

/// One recorded run while what it lacks is put in.
struct Replay<'a> {
    run: &'a Value,
    messages: &'a [Value],
    /// Which message the model call that is under way answers with.
    answer: usize,
    calls: u64,
    now: i64,
    events: Vec<StreamEvent>,
}

impl<'a> Replay<'a> {
    fn of(run: &'a Value, began: i64) -> Self {
        let messages = run["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        Self { run, messages, answer: 0, calls: 0, now: began, events: Vec::new() }
    }

    fn finished(mut self) -> anyhow::Result<(String, Vec<StreamEvent>)> {
        let events = runs::read(&self.run.to_string()).into_iter().next().context("a run")?;
        events.into_iter().for_each(|event| self.take(event));
        Ok((format!("airline-{}-{}", self.run["task_id"], self.run["trial"]), self.events))
    }

    fn take(&mut self, mut event: StreamEvent) {
        self.now += self.lasts(&event);
        self.complete(&mut event.body);
        let usage = (event.kind() == Kind::LlmCallEnd).then(|| self.usage());
        let step = event.step_id.clone();
        self.push(event);
        if let Some(usage) = usage {
            self.calls += 1;
            let usage = StreamEvent::new(usage);
            self.push(step.map_or(usage.clone(), |step| usage.of_step(step)));
        }
    }

    fn push(&mut self, event: StreamEvent) {
        let now = Timestamp::from_unix_nanos(self.now * 1_000_000);
        self.events.push(event.at(now));
    }

    /// How long it took until this came.
    fn lasts(&self, event: &StreamEvent) -> i64 {
        match event.kind() {
            Kind::TextStart | Kind::ToolInputStart => FIRST_PIECE_MS,
            Kind::TextDelta | Kind::ToolInputDelta => PIECE_MS,
            Kind::ToolOutputAvailable => TOOL_MS,
            _ => 0,
        }
    }

    /// What `tests/it/runs.rs` leaves out: whose it is, what was said to the model and by it, which tools failed.
    fn complete(&mut self, body: &mut Body) {
        match body {
            Body::ExecutionStart(start) => {
                start.session_id = Some(format!("airline-task-{}", self.run["task_id"]).into());
                start.user_id = Some("a simulated user".into());
                start.input = Some(Json::of(&self.messages[1]["content"]));
            }
            Body::LlmCallStart(start) => {
                self.answer = usize::try_from(start.history_length).unwrap_or_default();
                start.provider = Some("openai".into());
                start.input = Some(Json::of(&self.messages[..self.answer]));
            }
            Body::LlmCallEnd(end) => {
                let answer = &self.messages[self.answer];
                end.time_to_first_chunk_ms = u64::try_from(FIRST_PIECE_MS).ok();
                end.finish_reasons = Some(vec![reason(answer)]);
                end.output = Some(Json::of(&json!([answer])));
            }
            Body::ToolOutputAvailable(output) if output.output.as_str().starts_with("\"Error") => {
                let said: String = serde_json::from_str(output.output.as_str()).unwrap_or_default();
                let failed = ToolOutputError::new(output.tool_call_id.clone(), said, ToolFailure::Error);
                *body = failed.error_type("refused").into();
            }
            _ => {}
        }
    }

    fn usage(&self) -> TokenUsage {
        let before = self.answer as u64;
        let (input, output) = (INPUT_TOKENS * before, OUTPUT_TOKENS);
        let usage = TokenUsage::new(input, output, input + output, 0).model("gpt-4o").provider("openai");
        match self.calls {
            0 => usage,
            _ => usage.cached_tokens(CACHED_TOKENS * before),
        }
    }
}

fn reason(answer: &Value) -> Text {
    if answer["tool_calls"].is_array() { "tool_calls".into() } else { "stop".into() }
}

fn draw(log: &Path, file: &Path) -> anyhow::Result<()> {
    let exported =
        Export::of(Arc::new(SqliteLog::open(log)?)).content(true).perfetto(BufWriter::new(File::create(file)?))?;
    println!(
        "{}",
        json!({ "executions": exported.executions, "spans": exported.spans, "unreadable": exported.unreadable })
    );
    Ok(())
}

fn export(log: &Path, limit: Duration, dialect: &str) -> anyhow::Result<()> {
    let destination = Destination::from_env()?.context("no destination: the variables switch it off")?;
    let destination = match dialect {
        "everything" => destination.openinference(OpenInference::Full).langfuse(true),
        _ => destination,
    };
    let log: Arc<dyn EventLog> = Arc::new(SqliteLog::open(log)?);
    let delivery = destination.from_beginning(true).start(log)?;
    let flushed = settle(&delivery, limit);
    let ended = delivery.shutdown(SOON);
    let counted: serde_json::Map<_, _> =
        delivery.signals().map(|signal| (signal.to_string(), counted(&delivery.stats(signal)))).collect();
    println!("{}", Value::from(counted));
    Ok(flushed.and(ended)?)
}

/// A back end that does not answer in time (MLflow's first answer takes longer than 10 s) gets it again.
fn settle(delivery: &Delivery, limit: Duration) -> Result<(), spanwright::Error> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match delivery.flush().wait(left) {
            Err(error) if error.is_io() && !left.is_zero() => continue,
            end => return end,
        }
    }
}

fn counted(stats: &Stats) -> Value {
    json!({
        "accepted": stats.accepted, "requests": stats.requests, "failures": stats.failures, "rejected": stats.rejected,
        "dropped": stats.dropped, "cut": stats.cut, "splits": stats.splits, "last_error": stats.last_error,
    })
}
