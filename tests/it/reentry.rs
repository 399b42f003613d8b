//! Code that comes back into the layer, or panics in it, while it reads a span: no overflow, no deadlock, no abort, under
//! a subscriber of the process as under one of a scope.

use crate::child;
use spanwright::{
    AgentLayer, EventLog, Pending, Recorder, StreamEvent,
    event::Batch,
    hub::{EventStream, Filter, From},
    log::MemoryLog,
    semconv::{DELTA_TARGET, DELTA_TEXT},
    span,
};
use std::{
    cell::Cell,
    error::Error,
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};
use tracing::{
    Event, Level, Subscriber, event,
    field::{Empty, debug, display},
    info, info_span,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context, prelude::*, registry, registry::LookupSpan};

const LIMIT: Duration = Duration::from_secs(60);

// -- what comes back --------------------------------------------------------------------------------------------------

/// A `Debug` that logs.
struct Logs;

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!("somebody formats me");
        f.write_str("said")
    }
}

/// A `Display` that opens a span of an agent, and one of somebody else.
struct Opens;

impl fmt::Display for Opens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info_span!("inside").in_scope(|| span::tool("inside").in_scope(|| span::text_delta("inside")));
        f.write_str("said")
    }
}

/// An error whose source logs.
#[derive(Debug)]
struct Outer(Inner);

#[derive(Debug)]
struct Inner;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "outer: {}", self.0)
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!("somebody asks for the source");
        f.write_str("inner")
    }
}

impl Error for Inner {}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        info!("somebody asks for the source");
        Some(&self.0)
    }
}

/// A `Debug` that panics.
struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("as the test wants")
    }
}

#[derive(Clone, Copy, Debug)]
enum Thing {
    Event,
    Span,
    Debug,
    Display,
    Source,
    Writer,
}

const THINGS: [Thing; 6] = [Thing::Event, Thing::Span, Thing::Debug, Thing::Display, Thing::Source, Thing::Writer];

impl Thing {
    /// Does it: once by itself, or in a value of a new agent span, of a record and of a piece of text.
    fn happen(self) {
        match self {
            Self::Event | Self::Writer => info!("somebody logs"),
            Self::Span => info_span!("inside").in_scope(|| drop(span::tool("inside"))),
            Self::Debug => told(|| debug(Logs)),
            Self::Display => told(|| display(Opens)),
            Self::Source => {
                let error = Outer(Inner);
                told(|| &error as &(dyn Error + 'static));
            }
        }
    }
}

/// A value of each kind of callback that reads values.
fn told<V: tracing::Value>(value: impl Fn() -> V) {
    let span = info_span!("t", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = value(), input.value = Empty);
    span.record("input.value", value());
    span.in_scope(|| piece(value()));
}

fn piece(text: impl tracing::Value) {
    event!(target: DELTA_TARGET, Level::INFO, { { DELTA_TEXT } = text });
}

// -- who does it ------------------------------------------------------------------------------------------------------

thread_local! {
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// Does it, unless it does already.
fn once(work: impl FnOnce()) {
    if !BUSY.replace(true) {
        work();
        BUSY.set(false);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Callback {
    NewSpan,
    Record,
    Event,
    Enter,
    Exit,
    Close,
}

const CALLBACKS: [Callback; 6] =
    [Callback::NewSpan, Callback::Record, Callback::Event, Callback::Enter, Callback::Exit, Callback::Close];

thread_local! {
    /// Which cell of the table is tried now.
    static CELL: Cell<Option<(Callback, Thing)>> = const { Cell::new(None) };
}

/// A layer of somebody who does things in his callbacks.
struct Meddler;

impl Meddler {
    fn at(&self, callback: Callback) {
        if let Some((at, thing)) = CELL.get()
            && at == callback
        {
            once(|| thing.happen());
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Meddler {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.at(Callback::NewSpan);
    }

    fn on_record(&self, _: &Id, _: &Record<'_>, _: Context<'_, S>) {
        self.at(Callback::Record);
    }

    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        self.at(Callback::Event);
    }

    fn on_enter(&self, _: &Id, _: Context<'_, S>) {
        self.at(Callback::Enter);
    }

    fn on_exit(&self, _: &Id, _: Context<'_, S>) {
        self.at(Callback::Exit);
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        self.at(Callback::Close);
    }
}

/// A writer that logs what it writes.
struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if matches!(CELL.get(), Some((_, Thing::Writer))) {
            once(|| span::tool("written").in_scope(|| info!("somebody writes")));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Writer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

/// A subscriber in which everything meets: somebody meddles before us and after us, and a fmt layer writes.
fn subscriber(recorder: &Recorder) -> impl Subscriber + Send + Sync + use<> {
    let written = tracing_subscriber::fmt::layer().with_writer(Writer);
    registry().with(Meddler).with(AgentLayer::new(recorder.clone())).with(written).with(Meddler)
}

struct Watched {
    recorder: Recorder,
    stream: EventStream,
}

impl Watched {
    fn new() -> Self {
        let recorder = Recorder::builder().start().expect("start");
        let stream = recorder.subscribe(Filter::everything(), From::Live);
        Self { recorder, stream }
    }

    fn events(&mut self) -> Vec<StreamEvent> {
        self.recorder.settle().wait(LIMIT).expect("settle");
        std::iter::from_fn(|| self.stream.try_next()).collect()
    }

    /// An ordinary run is recorded as ever.
    fn still_works(&mut self, after: &str) {
        CELL.set(None);
        drop(self.events());
        span::agent("after it all").in_scope(|| span::tool("t").in_scope(|| span::text_delta("text")));
        assert_eq!(self.events().len(), 7, "{after}");
    }
}

/// Runs in a process of its own: with the subscriber for all of it, or for a scope.
fn in_both(test: &str, program: impl Fn(&mut Watched)) {
    let Some(part) = child::part() else {
        for part in ["global", "scoped"] {
            child::run(&format!("reentry::{test}"), part, &[]);
        }
        return;
    };
    let mut watched = Watched::new();
    let subscriber = subscriber(&watched.recorder);
    match part.as_str() {
        "global" => {
            tracing::subscriber::set_global_default(subscriber).expect("the only one");
            program(&mut watched);
        }
        _ => tracing::subscriber::with_default(subscriber, || program(&mut watched)),
    }
}

#[test]
fn whatever_comes_back_from_whichever_callback_ends_and_the_next_run_is_recorded() {
    in_both("whatever_comes_back_from_whichever_callback_ends_and_the_next_run_is_recorded", |watched| {
        for callback in CALLBACKS {
            for thing in THINGS {
                CELL.set(Some((callback, thing)));
                span::agent("a").in_scope(|| {
                    thing.happen();
                    span::llm("m").in_scope(|| span::text_delta("text"));
                });
                watched.still_works(&format!("{thing:?} in {callback:?}"));
            }
        }
        assert_eq!(watched.recorder.stats().callback_panics, 0);
    });
}

#[test]
fn a_debug_that_panics_is_counted_and_the_rest_of_the_run_is_recorded() {
    let mut watched = Watched::new();
    let subscriber = registry().with(AgentLayer::new(watched.recorder.clone()));
    tracing::subscriber::with_default(subscriber, || {
        told(|| debug(Panics));
        assert_eq!(watched.recorder.stats().callback_panics, 3, "a new span, a record, a piece of text");
        span::agent("a").in_scope(|| piece(debug(Panics)));
        assert_eq!(watched.recorder.stats().callback_panics, 4);
        watched.still_works("a panic");
    });
}

/// Tells of itself when it is dropped, as a guard does, in the middle of an unwinding.
struct Dropped;

impl Drop for Dropped {
    fn drop(&mut self) {
        told(|| debug(Panics));
        span::agent("while it unwinds").in_scope(|| told(|| debug(Logs)));
    }
}

#[test]
fn a_debug_that_panics_while_the_program_unwinds_does_not_abort_it() {
    const TEST: &str = "reentry::a_debug_that_panics_while_the_program_unwinds_does_not_abort_it";
    let Some(part) = child::part() else {
        for part in ["global", "scoped"] {
            child::run(TEST, part, &[]);
        }
        return;
    };
    let mut watched = Watched::new();
    // Alone: a fmt layer lets the panic of a `Debug` through.
    let subscriber = registry().with(AgentLayer::new(watched.recorder.clone()));
    let mut program = || {
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            span::agent("a").in_scope(|| -> () {
                let _dropped = Dropped;
                panic!("as the test wants")
            });
        }));
        assert!(unwound.is_err());
        assert_eq!(watched.recorder.stats().callback_panics, 3);
        watched.still_works("an unwinding");
    };
    match part.as_str() {
        "global" => {
            tracing::subscriber::set_global_default(subscriber).expect("the only one");
            program();
        }
        _ => tracing::subscriber::with_default(subscriber, program),
    }
}

/// A `Debug` that tells of itself in a span of an agent, whenever it is asked.
struct Endless;

impl fmt::Debug for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        told(|| debug(Self));
        f.write_str("endless")
    }
}

#[test]
fn a_debug_that_tells_of_itself_is_asked_once() {
    const TEST: &str = "reentry::a_debug_that_tells_of_itself_is_asked_once";
    if child::part().is_none() {
        child::run(TEST, "global", &[]);
        return;
    }
    let mut watched = Watched::new();
    let subscriber = registry().with(AgentLayer::new(watched.recorder.clone()));
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    span::agent("a").in_scope(|| told(|| debug(Endless)));
    let told: Vec<String> = watched.events().iter().map(StreamEvent::to_json).collect();
    assert!(told.iter().any(|event| event.contains("endless")), "{told:#?}");
    watched.still_works("one without an end");
}

/// A `Debug` that closes a span.
struct Closes(Cell<Option<span::AgentSpan>>);

impl fmt::Debug for Closes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        drop(self.0.take());
        f.write_str("closed")
    }
}

#[test]
fn a_span_that_is_closed_while_another_is_read_ends_all_the_same() {
    const TEST: &str = "reentry::a_span_that_is_closed_while_another_is_read_ends_all_the_same";
    if child::part().is_none() {
        child::run(TEST, "global", &[]);
        return;
    }
    let mut watched = Watched::new();
    let subscriber = registry().with(AgentLayer::new(watched.recorder.clone()));
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    let closed = span::tool("closed");
    closed.in_scope(|| ());
    told(|| debug(Closes(Cell::new(None))));
    drop(watched.events());
    let value = Closes(Cell::new(Some(closed)));
    let _reader = info_span!("r", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = ?value);
    let told: Vec<String> = watched.events().iter().map(StreamEvent::to_json).collect();
    assert!(told.iter().any(|event| event.contains("tool-output-") && event.contains("closed")), "{told:#?}");
}

// -- a log that logs --------------------------------------------------------------------------------------------------

/// A log that tells, of all that it keeps, in a span of an agent.
#[derive(Debug)]
struct Chatty(Arc<MemoryLog>);

impl EventLog for Chatty {
    crate::hands_on::hands_on!(self to self.0 => opened_at unfinished flush read last_before resolve sessions executions execution place keep_place close);

    fn append(&self, batch: Arc<Batch>) -> Pending<()> {
        span::agent("keeper").in_scope(|| info!("kept"));
        self.0.append(batch)
    }
}

#[test]
fn a_log_that_opens_agent_spans_does_not_feed_itself() {
    const TEST: &str = "reentry::a_log_that_opens_agent_spans_does_not_feed_itself";
    if child::part().is_none() {
        child::run(TEST, "global", &[]);
        return;
    }
    let log = Arc::new(MemoryLog::new());
    let recorder = Recorder::builder().log(Chatty(log)).start().expect("start");
    let subscriber = registry().with(AgentLayer::new(recorder.clone()));
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    span::agent("a").in_scope(|| ());
    let cursor = recorder.flush().wait(LIMIT).expect("flush");
    assert_eq!(cursor.offset, 2);
    assert_eq!(recorder.flush().wait(LIMIT).expect("flush").offset, 2);
}
