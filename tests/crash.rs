//! kill -9 at any moment: what was acknowledged is there, whole and once, and what was open is found.
//!
//! The child is this test binary itself. It tells on stdout what was acknowledged; the parent kills it, and compares
//! what it heard with what the record holds. The moment of the kill is the only thing that is timed.

#[path = "it/scratch.rs"]
mod scratch;

use scratch::Scratch;
use spanwright::{
    EventLog, ExecutionId, Recorder, StepId, StreamEvent,
    event::{Body, ExecutionEnd, ExecutionStart, Kind, StepEnd, StepStart, StepType, TextDelta},
    log::{ExecutionsQuery, LoggedEvent, Query, Scope, SqliteLog},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// At least; and on, where the kills came too soon to show anything, as on a busy machine, up to the most.
const LOGS: u64 = 20;
const MOST_LOGS: u64 = 200;
const ENOUGH_EVENTS: usize = 1_000;
const KILLS_OF_EACH: u64 = 11;
const LIMIT: Duration = Duration::from_secs(60);
/// Who keeps a place.
const READER: &str = "reader";
const PATH: &str = "SPANWRIGHT_CRASH_PATH";
const SEED: &str = "SPANWRIGHT_CRASH_SEED";

/// Numbers that are the same for the same seed: xorshift.
struct Numbers(u64);

impl Numbers {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

/// What a step's name must be, from where it stands: nothing but the right bytes in the right row will do.
fn name_of(id: &ExecutionId, sequence: u64) -> String {
    let length = Numbers::new(sequence ^ id.trace_id() as u64).below(600) as usize;
    format!("{id}/{sequence}/{}", "x".repeat(length))
}

// -- the child --------------------------------------------------------------------------------------------------------

#[test]
fn the_child_that_is_killed() {
    let (Ok(path), Ok(seed)) = (std::env::var(PATH), std::env::var(SEED)) else { return };
    let log = SqliteLog::open(path).expect("open");
    let recorder = Recorder::builder().log(log).start().expect("start");
    let mut agent = Agent::new(recorder, Numbers::new(seed.parse().expect("seed")));
    say("open\n");
    loop {
        agent.work();
    }
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).expect("the parent listens");
}

/// Emits as a busy process does, and tells what it was told is kept. It is the only one that emits, so it knows which
/// numbers its events get.
struct Agent {
    recorder: Recorder,
    offset: u64,
    numbers: Numbers,
    at_work: Vec<Work>,
    sequences: HashMap<ExecutionId, u64>,
}

struct Work {
    id: ExecutionId,
    open: Vec<StepId>,
}

impl Agent {
    /// What an earlier child left open has been closed by the recorder by now.
    fn new(recorder: Recorder, numbers: Numbers) -> Self {
        let offset = recorder.settle().wait(LIMIT).expect("settle").offset;
        Self { recorder, offset, numbers, at_work: Vec::new(), sequences: HashMap::new() }
    }

    /// Some events, then a flush, then the word that they are kept.
    fn work(&mut self) {
        let events = self.numbers.below(90) + 1;
        let told: String = (0..events).map(|_| self.act()).collect();
        let cursor = self.recorder.flush().wait(LIMIT).expect("flush");
        assert_eq!(cursor.offset, self.offset);
        say(&told);
        self.settle();
    }

    /// Keeps the place of a reader to whom all was given, pieces too, and tells it.
    fn settle(&self) {
        let log = self.recorder.log().expect("log");
        log.keep_place(READER.into(), self.offset).wait(LIMIT).expect("place");
        say(&format!("settled {}\n", self.offset));
    }

    /// What is to be told of the event once it is kept: nothing of a piece.
    fn act(&mut self) -> String {
        if self.at_work.len() < 3 {
            let id = ExecutionId::new();
            self.at_work.push(Work { id: id.clone(), open: Vec::new() });
            return self.emit(StreamEvent::from(ExecutionStart::new().session_id("s")).of_execution(id));
        }
        let (at, what) = (self.numbers.below(3) as usize, self.numbers.below(20));
        let id = self.at_work[at].id.clone();
        let event = match what {
            0 => {
                self.at_work.remove(at);
                StreamEvent::from(ExecutionEnd::new(1))
            }
            // A whole word: of half a one the policy would hold back the end, and show it with an event of its own.
            1..4 => StreamEvent::from(TextDelta::new("t", "a piece ")),
            4..9 if !self.at_work[at].open.is_empty() => {
                let step = self.at_work[at].open.remove(0);
                StreamEvent::from(StepEnd::new(1)).of_step(step)
            }
            _ => {
                let step = StepId::new();
                self.at_work[at].open.push(step.clone());
                let name = name_of(&id, self.sequences[&id] + 1);
                StreamEvent::from(StepStart::new(StepType::FunctionNode, name)).of_step(step)
            }
        };
        self.emit(event.of_execution(id))
    }

    fn emit(&mut self, event: StreamEvent) -> String {
        self.offset += 1;
        let (id, tag) = (event.execution_id.clone().expect("execution"), event.kind().tag());
        let logged = event.kind().event_type().is_some();
        self.recorder.emit(event);
        let sequence = self.sequences.entry(id.clone()).or_default();
        if !logged {
            return String::new();
        }
        *sequence += 1;
        format!("kept {} {id} {sequence} {tag}\n", self.offset)
    }
}

// -- the parent -------------------------------------------------------------------------------------------------------

#[test]
fn what_was_acknowledged_survives_kill_9_at_any_moment() {
    let started = Instant::now();
    let (mut log, mut kept, mut heard) = (0, 0, 0);
    while log < LOGS || log < MOST_LOGS && heard < ENOUGH_EVENTS {
        let scratch = Scratch::new();
        let mut oracle = Oracle::default();
        for kill in 0..KILLS_OF_EACH {
            let seed = log * 1000 + kill + 1;
            oracle.hear(run_and_kill(&scratch.file("log.db"), seed));
            oracle.check(&scratch, seed);
        }
        kept += oracle.kept;
        heard += oracle.acknowledged.len();
        log += 1;
    }
    assert!(heard >= ENOUGH_EVENTS, "only {heard} events were acknowledged: the kills come too soon to show anything");
    let (kills, took) = (log * KILLS_OF_EACH, started.elapsed());
    eprintln!("{kills} kills: {heard} events acknowledged, {kept} kept, none lost; {took:.1?}");
}

/// Half are killed soon after they start, while they make or recover the log; half while they are at work.
fn run_and_kill(path: &Path, seed: u64) -> Vec<String> {
    let mut numbers = Numbers::new(seed);
    let mut child = spawn(path, seed);
    let (lines, first) = listen(child.stdout.take().expect("stdout"));
    let wait = match seed % 2 {
        0 => numbers.below(80_000),
        _ => {
            let _ = first.recv_timeout(LIMIT);
            numbers.below(60_000)
        }
    };
    thread::sleep(Duration::from_micros(wait));
    child.kill().expect("kill");
    let status = child.wait().expect("child");
    assert!(!status.success() && status.code().is_none(), "seed {seed}: the child ended by itself, {status}");
    lines.join().expect("lines")
}

fn spawn(path: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "the_child_that_is_killed", "--nocapture", "--test-threads=1"])
        .env(PATH, path)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("child")
}

/// Collects what the child says, whole lines only; and tells when it has said that something is kept.
fn listen(out: ChildStdout) -> (thread::JoinHandle<Vec<String>>, mpsc::Receiver<()>) {
    let (said, first) = mpsc::channel();
    let lines = thread::spawn(move || {
        let (mut out, mut lines, mut line) = (BufReader::new(out), Vec::new(), String::new());
        while out.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
            // The harness says things of its own.
            if line.ends_with('\n') && (line.starts_with("kept ") || line.starts_with("settled ")) {
                let _ = said.send(());
                lines.push(line.clone());
            }
            line.clear();
        }
        lines
    });
    (lines, first)
}

/// What the parent knows must be there.
#[derive(Default)]
struct Oracle {
    /// By offset: execution, sequence, tag.
    acknowledged: BTreeMap<u64, (String, u64, String)>,
    kept: usize,
    /// How far all is settled for the reader.
    settled: u64,
}

impl Oracle {
    fn hear(&mut self, lines: Vec<String>) {
        for line in lines {
            if let Some(offset) = line.strip_prefix("settled ") {
                self.settled = offset.trim_end().parse().expect("offset");
                continue;
            }
            let [_, offset, id, sequence, tag] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let (offset, said) =
                (offset.parse().expect("offset"), (id.to_owned(), sequence.parse().expect("sequence"), tag.to_owned()));
            assert!(offset > self.settled, "offset {offset} was settled before it was given out");
            assert!(self.acknowledged.insert(offset, said).is_none(), "offset {offset} was given out twice");
        }
    }

    /// In place, or on a copy: then it is the next child that recovers what this one left behind.
    fn check(&mut self, scratch: &Scratch, seed: u64) {
        let path = if seed.is_multiple_of(3) { scratch.file("log.db") } else { image(scratch, seed) };
        let log = SqliteLog::open(&path).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        self.place_is_kept(&log, seed);
        let events = read_all(&log);
        self.all_acknowledged_are_there(&events, seed);
        let running = whole_and_once(&events, seed);
        rows_agree(&log, &events, &running, seed);
        unfinished_are_found(&log, &running, seed);
        assert_eq!(log.unreadable_rows(), 0, "seed {seed}");
        self.kept = events.len();
    }

    /// It may be further than was heard: the word may not have been said any more. What comes next is after it.
    fn place_is_kept(&self, log: &SqliteLog, seed: u64) {
        let place = log.place(READER.into()).wait(LIMIT).expect("place").unwrap_or_default();
        assert!(place >= self.settled, "seed {seed}: at {place} of {}", self.settled);
        assert!(log.opened_at().offset >= place, "seed {seed}: offsets up to {place} are given out twice");
    }

    fn all_acknowledged_are_there(&self, events: &[LoggedEvent], seed: u64) {
        let kept: HashMap<u64, &LoggedEvent> = events.iter().map(|event| (event.cursor.offset, event)).collect();
        for (offset, (id, sequence, tag)) in &self.acknowledged {
            let event = kept.get(offset).unwrap_or_else(|| panic!("seed {seed}: acknowledged {offset} is lost"));
            let found = (event.context.execution_id.to_string(), event.sequence, event.kind.tag());
            assert_eq!(found, (id.clone(), *sequence, tag.as_str()), "seed {seed}: at {offset}");
        }
    }
}

fn image(scratch: &Scratch, seed: u64) -> PathBuf {
    let copy = scratch.file(&format!("image-{seed}.db"));
    for suffix in ["", "-wal", "-journal"] {
        let from = scratch.file(&format!("log.db{suffix}"));
        if from.exists() {
            std::fs::copy(from, format!("{}{suffix}", copy.display())).expect("copy");
        }
    }
    copy
}

fn read_all(log: &SqliteLog) -> Vec<LoggedEvent> {
    let (mut query, mut events) = (Query::new(Scope::Everything, 0, 5000), Vec::new());
    loop {
        let page = log.read(query.clone()).wait(LIMIT).expect("page");
        events.extend(page.events);
        if page.complete {
            return events;
        }
        query.after = page.read_to;
    }
}

/// Each execution's events are 1, 2, 3 … with the fields that belong there. Gives back what is open in each that runs.
fn whole_and_once(events: &[LoggedEvent], seed: u64) -> BTreeMap<String, BTreeSet<String>> {
    let mut sequences: HashMap<&ExecutionId, u64> = HashMap::new();
    let mut running = BTreeMap::<String, BTreeSet<String>>::new();
    for event in events {
        let id = &event.context.execution_id;
        let last = sequences.entry(id).or_default();
        *last += 1;
        assert_eq!(event.sequence, *last, "seed {seed}: {} of {id}", event.cursor);
        let step = || event.context.step_id.as_ref().map(ToString::to_string).expect("step");
        let open = running.entry(id.to_string()).or_default();
        match event.to_stream().unwrap_or_else(|error| panic!("seed {seed}: {error}")).body {
            Body::StepStart(start) => {
                assert_eq!(start.name.as_str(), name_of(id, event.sequence), "seed {seed}");
                open.insert(step());
            }
            Body::StepEnd(_) | Body::StepFailed(_) => assert!(open.remove(&step()), "seed {seed}: ended twice"),
            Body::ExecutionEnd(_) | Body::ExecutionLost(_) => drop(running.remove(&id.to_string())),
            other => assert_eq!(other.kind(), Kind::ExecutionStart, "seed {seed}"),
        }
    }
    running
}

fn rows_agree(log: &SqliteLog, events: &[LoggedEvent], running: &BTreeMap<String, BTreeSet<String>>, seed: u64) {
    let last: HashMap<&ExecutionId, &LoggedEvent> =
        events.iter().map(|event| (&event.context.execution_id, event)).collect();
    let rows = log.executions(ExecutionsQuery::newest(usize::MAX)).wait(LIMIT).expect("rows");
    assert_eq!(rows.len(), last.len(), "seed {seed}");
    for row in rows {
        let event = last[&row.execution_id];
        assert_eq!((row.events, row.cursor), (event.sequence, event.cursor), "seed {seed}");
        assert_eq!(!row.status.is_final(), running.contains_key(&row.execution_id.to_string()), "seed {seed}");
    }
}

fn unfinished_are_found(log: &SqliteLog, running: &BTreeMap<String, BTreeSet<String>>, seed: u64) {
    let found = log.unfinished().wait(LIMIT).expect("unfinished");
    let found: BTreeMap<_, _> = found.iter().map(|open| (open.execution_id().to_string(), open.len())).collect();
    // The execution itself is open as well.
    let wanted: BTreeMap<_, _> = running.iter().map(|(id, steps)| (id.clone(), steps.len() + 1)).collect();
    assert_eq!(found, wanted, "seed {seed}");
}
