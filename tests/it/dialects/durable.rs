//! A turn is done when the record has it, and not before.

use crate::http;
use spanwright::{
    Cursor, Error, Pending, Recorder,
    event::{Batch, ExecutionEnd, ExecutionStart, TextDelta, TextEnd, TextStart},
    log::{EventLog, MemoryLog, Resolved},
    serve::{Server, Settings},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// A log that says that something is kept when it is told to say so.
#[derive(Debug, Clone)]
struct Holding(Arc<(MemoryLog, Mutex<Held>)>);

#[derive(Debug, Default)]
struct Held {
    let_go: Option<Result<(), ()>>,
    waiting: Vec<spanwright::Answer<()>>,
}

impl Holding {
    fn hold(&self) -> Pending<()> {
        let (answer, pending) = Pending::asked();
        let mut held = self.0.1.lock().expect("lock");
        match held.let_go {
            Some(outcome) => answer.give(told(outcome)),
            None => held.waiting.push(answer),
        }
        pending
    }

    fn let_go(&self, outcome: Result<(), ()>) {
        let mut held = self.0.1.lock().expect("lock");
        held.let_go = Some(outcome);
        held.waiting.drain(..).for_each(|answer| answer.give(told(outcome)));
    }
}

fn told(outcome: Result<(), ()>) -> Result<(), Error> {
    outcome.map_err(|()| "mode".parse::<spanwright::event::StreamMode>().expect_err("an error"))
}

impl EventLog for Holding {
    crate::hands_on::hands_on!(self to self.0.0 => opened_at unfinished read last_before resolve sessions executions execution place keep_place close);

    fn append(&self, batch: Arc<Batch>) -> Pending<()> {
        drop(self.0.0.append(batch));
        self.hold()
    }

    fn flush(&self) -> Pending<()> {
        self.hold()
    }
}

/// The frames of a turn that come after its log was let go, all others having been read.
fn after_letting_go(outcome: Result<(), ()>) -> Vec<String> {
    let log = Holding(Arc::new((MemoryLog::new(), Mutex::default())));
    let recorder = Recorder::builder().log(log.clone()).start().expect("start");
    let settings = Settings::default().keep_alive(Duration::from_millis(50));
    let server = Server::spawn_with(recorder.clone(), "127.0.0.1:0", settings).expect("server");
    let emitter = recorder.emitter();
    let path = format!("/executions/{}/stream", emitter.execution_id());
    let mut chat = http::get(server.addr(), &format!("{path}?dialect=chat"));
    let mut native = http::get(server.addr(), &path);
    emitter.emit(ExecutionStart::new());
    emitter.emit(TextStart::new("t"));
    emitter.emit(TextDelta::new("t", "hello "));
    emitter.emit(TextEnd::new("t"));
    emitter.emit(ExecutionEnd::new(1));
    while native.event().expect("native").event() != "data-execution-end" {}
    while !chat.frame().expect("chat").0.starts_with("event: delta") {}
    // The silence after which a sign of life comes began after the end was there.
    while chat.frame().expect("sign of life").0 != ": keep-alive\n\n" {}
    log.let_go(outcome);
    let told =
        |frame: http::Frame| format!("{}{}", frame.event(), if frame.id().is_some() { ", for good" } else { "" });
    std::iter::from_fn(|| chat.event()).map(told).collect()
}

/// A log that knows of an epoch whose end was taken back.
#[derive(Debug)]
struct TakenBack(MemoryLog);

impl EventLog for TakenBack {
    crate::hands_on::hands_on!(self to self.0 => opened_at unfinished append flush read last_before sessions executions execution place keep_place close);

    fn resolve(&self, cursor: Cursor) -> Pending<Resolved> {
        Pending::ready(Ok(if cursor.epoch == 7 { Resolved::Past(4) } else { Resolved::Unknown }))
    }
}

#[test]
fn who_was_told_what_a_crash_took_back_is_not_told_all_of_it_again() {
    let recorder = Recorder::builder().log(TakenBack(MemoryLog::new())).start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("server");
    let emitter = recorder.emitter();
    emitter.emit(ExecutionStart::new());
    emitter.emit(TextStart::new("t"));
    emitter.emit(TextDelta::new("t", "hello "));
    emitter.emit(TextEnd::new("t"));
    emitter.emit(ExecutionEnd::new(1));
    recorder.flush().wait(Duration::from_secs(60)).expect("flush");
    let events = |after: Cursor| {
        let path = format!("/executions/{}/stream?dialect=chat&after={after}", emitter.execution_id());
        let events = http::get(server.addr(), &path).events();
        events.iter().map(|frame| frame.event().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(events(Cursor::new(7, 9)), ["done"]);
    assert_eq!(events(Cursor::new(8, 9)), ["stream_started", "delta", "done"], "a cursor of nowhere");
}

#[test]
fn done_waits_for_the_log() {
    assert_eq!(after_letting_go(Ok(())), ["done, for good"]);
}

#[test]
fn a_turn_that_could_not_be_kept_is_not_done() {
    assert_eq!(after_letting_go(Err(())), ["error"]);
}
